import type { DueItemWords } from '../../words/console/due-items.js';
import type { Filter } from '../list/filter-bar.js';
import type { Person } from './people.js';

/** The filters of the list. A month has its own range, and shows what is open and what has ended. */
export function itemFilters({
  words,
  people,
  me,
  isMonth,
}: {
  words: DueItemWords;
  people: readonly Person[];
  me: string;
  isMonth: boolean;
}): Filter[] {
  const others = people.filter(({ id }) => id !== me).map(({ id, name }) => [id, name] as const);
  const state: Filter = {
    kind: 'choice',
    name: 'open',
    label: words.state,
    choices: [
      ['true', words.states.open],
      ['false', words.states.ended],
      ['', words.states.all],
    ],
  };
  const person: Filter = {
    kind: 'choice',
    name: 'responsible_id',
    label: words.person,
    choices: [['', words.everybody], [me, words.mine], ['none', words.nobody], ...others],
  };
  const range: Filter[] = [
    { kind: 'date', name: 'due_after', label: words.from },
    { kind: 'date', name: 'due_before', label: words.to },
  ];
  return [
    { kind: 'search', name: 'q', label: words.search },
    ...(isMonth ? [person] : [state, person, ...range]),
  ];
}
