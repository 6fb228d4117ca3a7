import { ApiClient } from '../../../web/client/api-client.js';
import { RequestError } from '../../../web/client/rest.js';
import { Formats } from '../../../web/design/formats.js';
import { DueItemActs } from '../../../web/console/due-items/due-item-acts.js';
import { type DueItem, filterOf, kindApi } from '../../../web/console/due-items/due-item-api.js';
import { groupOf } from '../../../web/console/due-items/groups.js';
import { ImportApi } from '../../../web/console/import/import-api.js';
import { headOf, typeOf } from '../../../web/console/import/import-file.js';
import { changesOf, faultsOf, itemOf } from '../../../web/console/due-items/item-values.js';
import { KindCounts } from '../../../web/console/due-items/kind-counts.js';
import {
  MonthState,
  monthOf,
  rangeOf,
  shiftMonth,
  weeksOf,
} from '../../../web/console/due-items/month-state.js';
import { en, fr } from '../../../web/words/console/due-items.js';
import { fr as importFr } from '../../../web/words/console/import.js';

const ITEM: DueItem = {
  id: '1',
  title: 'TVA',
  due_on: '2026-03-30',
  client_name: null,
  description: null,
  responsible_id: null,
  external_id: null,
  status: 'pending',
  created_at: '2026-03-01T08:00:00.000Z',
  updated_at: '2026-03-01T08:00:00.000Z',
  completed_at: null,
};
/** Monday 30 March 2026. */
const format = new Formats('fr', 'Europe/Paris', () => Date.parse('2026-03-30T08:00:00Z'));

describe('V20: a month', () => {
  it.each([
    ['2026-02', '2026-01-26', '2026-03-01', 5],
    ['2027-02', '2027-02-01', '2027-02-28', 4],
    ['2024-02', '2024-01-29', '2024-03-03', 5],
    ['2026-08', '2026-07-27', '2026-09-06', 6],
  ])('%s has whole weeks from Monday to Sunday', (month, first, last, weeks) => {
    expect(rangeOf(month)).toEqual({ first, last });
    const days = weeksOf(month, [{ due_on: `${month}-10`, open: 2, ended: 1 }]);
    expect(days).toHaveLength(weeks);
    expect(days.every((week) => week.length === 7)).toBe(true);
    expect(days.flat().filter(({ open }) => open > 0)).toEqual([
      { date: `${month}-10`, isInMonth: true, open: 2, ended: 1 },
    ]);
  });

  it('is the current month if the address names none', () => {
    expect(monthOf('2026-04', '2026-03-30')).toBe('2026-04');
    for (const text of [null, '', '2026-13', '2026-4', '0026-04', '2026-04-01'])
      expect([text, monthOf(text, '2026-03-30')]).toEqual([text, '2026-03']);
    expect([shiftMonth('2026-01', -1), shiftMonth('2026-12', 1)]).toEqual(['2025-12', '2027-01']);
  });

  it('keeps the previous month’s days until its own arrive, and marks them as not current', async () => {
    const state = new MonthState(() => undefined);
    const answers: ((due_on: string) => void)[] = [];
    const show = (key: string) =>
      state.show(
        key,
        () =>
          new Promise((resolve) =>
            answers.push((due_on) => resolve({ data: [{ due_on, open: 1, ended: 0 }] })),
          ),
      );
    const shown = () => [state.days[0]?.due_on, state.isCurrent];
    const answer = async (due_on: string) => {
      answers.shift()!(due_on);
      await new Promise((resolve) => setImmediate(resolve));
      return shown();
    };
    show('April');
    expect(await answer('2026-04-10')).toEqual(['2026-04-10', true]);
    show('May');
    expect(shown()).toEqual(['2026-04-10', false]);
    expect(await answer('2026-05-10')).toEqual(['2026-05-10', true]);
    // The same month again: its numbers stay while it reloads.
    state.forget();
    show('May');
    expect([state.phase, ...shown()]).toEqual(['loading', '2026-05-10', true]);
  });
});

it('V20: items are grouped by the order of the list', () => {
  const grouping = { format, words: fr, personOf: (id: string) => `nom de ${id}` };
  const label = (sort: string, changes: Partial<DueItem>) =>
    groupOf({ ...ITEM, ...changes }, { ...grouping, sort })?.label;
  expect(
    ['2026-03-29', '2026-03-30', '2026-03-31', '2026-04-06', '2026-04-07'].map((due_on) =>
      label('due_on', { due_on }),
    ),
  ).toEqual(['En retard', 'Aujourd’hui', 'Demain', 'Sous 7 jours', 'Avril 2026']);
  // Ended items are not late.
  expect(label('-due_on', { due_on: '2026-03-02', completed_at: '2026-03-02T08:00:00Z' })).toBe('Mars 2026');
  expect([label('client_name', { client_name: 'Martin' }), label('client_name', {})]).toEqual([
    'Martin',
    'Sans client',
  ]);
  expect([label('-responsible', { responsible_id: '7' }), label('responsible', {})]).toEqual([
    'nom de 7',
    'Sans responsable',
  ]);
  expect(label('title', {})).toBeUndefined();
});

it('V20: the filter of the address becomes that of the API', () => {
  expect(filterOf({ q: 'tva', open: 'true', responsible_id: 'none', kind: 'tasks', sort: 'title' })).toEqual({
    q: 'tva',
    open: true,
    unassigned: true,
  });
  expect(filterOf({ open: 'false', responsible_id: '7' })).toEqual({ open: false, responsible_id: '7' });
});

describe('V20: the form of an item', () => {
  it('sends empty fields as null, and amounts as numbers', () => {
    const texts: Record<string, string> = {
      title: 'P.V.',
      due_on: '2026-04-15',
      amount_cents: ' 13500 ',
      currency: ' ',
    };
    expect(itemOf('tickets', (field) => texts[field] ?? '')).toEqual({
      title: 'P.V.',
      due_on: '2026-04-15',
      client_name: null,
      responsible_id: null,
      reference: null,
      amount_cents: 13_500,
      currency: null,
      external_id: null,
      description: null,
    });
    expect(itemOf('tickets', () => '12,50')).toMatchObject({ amount_cents: '12,50' });
    expect(Object.keys(itemOf('tasks', () => ''))).not.toContain('category');
  });

  it('sends of an edited item only what differs: a colleague may have changed the rest', () => {
    const item = { ...ITEM, client_name: 'Dupont', description: 'one\r\ntwo', amount_cents: 13_500 };
    const shown: Record<string, string> = {
      title: 'TVA',
      due_on: '2026-03-30',
      client_name: 'Dupont',
      description: 'one\ntwo',
      amount_cents: '13500',
    };
    const changes = (edits: Record<string, string>) =>
      changesOf('tickets', item, (field) => ({ ...shown, ...edits })[field] ?? '');
    expect(changes({})).toEqual({});
    expect(changes({ title: 'CFE', client_name: ' ', amount_cents: '0' })).toEqual({
      title: 'CFE',
      client_name: null,
      amount_cents: 0,
    });
  });

  it('finds the fields that the server refused, and has words for each', () => {
    const problem = {
      type: 'about:blank',
      title: '',
      status: 400,
      code: 'validation_failed' as const,
      errors: ['/title', '/title', '/amount_cents', '/nothing'].map((pointer) => ({ pointer, detail: '' })),
    };
    const faults = faultsOf(new RequestError('refused', 'validation_failed', { problem }));
    expect(faults).toEqual(['title', 'amount_cents']);
    expect(faultsOf(new RequestError('refused', 'conflict'))).toEqual(['external_id']);
    expect(faultsOf(new Error('else'))).toEqual([]);
    for (const words of [en, fr]) for (const field of faults) expect(words.form.faults[field]).toBeTruthy();
  });
});

describe('V20: the end of an item', () => {
  it('shows at once, acts once, and is rolled back when the server refuses', async () => {
    let item = ITEM;
    const calls: string[] = [];
    let answer: (saved: DueItem) => void = () => undefined;
    let refuse: (error: Error) => void = () => undefined;
    const wait = (act: string) => (id: string) => {
      calls.push(`${act} ${id}`);
      return new Promise<DueItem>((resolve, reject) => {
        answer = resolve;
        refuse = reject;
      });
    };
    const patch = (_id: string, changes: Partial<DueItem>) => {
      const before = item;
      item = { ...item, ...changes };
      return () => {
        item = before;
      };
    };
    const acts = new DueItemActs('deadlines', { end: wait('end'), reopen: wait('reopen') }, patch, () => 0);
    const first = acts.toggle(item);
    expect(item.completed_at).toBe('1970-01-01T00:00:00.000Z');
    expect(await acts.toggle(item)).toBeNull();
    answer({ ...ITEM, completed_at: '2026-03-30T08:00:00.000Z' });
    expect(await first).toBe('ended');
    const second = acts.toggle(item);
    expect(item.completed_at).toBeNull();
    refuse(new Error('refused'));
    await expect(second).rejects.toThrow('refused');
    expect(item.completed_at).toBe('2026-03-30T08:00:00.000Z');
    expect(calls).toEqual(['end 1', 'reopen 1']);
  });
});

it('V20: each kind has its own routes', async () => {
  const asked: string[] = [];
  const server = new Proxy(new ApiClient(), {
    get: (_client, method: string) => (path: string) => {
      asked.push(`${method} ${path}`);
      return Promise.resolve({ data: [], next_cursor: null });
    },
  });
  for (const [kind, act] of [
    ['deadlines', 'complete'],
    ['documents', 'receive'],
    ['tasks', 'complete'],
    ['tickets', 'settle'],
  ] as const) {
    asked.length = 0;
    const api = kindApi(server, kind);
    await Promise.all([
      api.end('1'),
      api.endMany({ ids: ['1'] }),
      api.reopenMany({ ids: [] }),
      api.list({}, { limit: 1 }),
    ]);
    const path = `/api/v1/${kind}`;
    expect(asked).toEqual([
      `post ${path}/{id}/${act}`,
      `post ${path}/${act}`,
      `post ${path}/reopen`,
      `get ${path}`,
    ]);
  }
});

it('V20: only the newest counts are shown, and a kind that cannot be counted has none', async () => {
  const answers: (() => void)[] = [];
  let shown = 0;
  const counts = new KindCounts(
    (kind, { q }) =>
      new Promise((resolve, reject) => {
        answers.push(() => (kind === 'tickets' ? reject(new Error('away')) : resolve({ count: Number(q) })));
      }),
    () => (shown += 1),
  );
  counts.show({ q: '1' });
  counts.show({ q: '1' });
  counts.show({ q: '2' });
  expect(answers).toHaveLength(8);
  for (const answer of answers.toReversed()) answer();
  await new Promise(setImmediate);
  expect([shown, counts.counts]).toEqual([1, { deadlines: 2, documents: 2, tasks: 2 }]);
});

describe('V20: a file to import', () => {
  it('shows the progress of one’s own import, not of a colleague’s newer one', async () => {
    const imports = [
      { id: 'theirs', created_by: 'user:bob', state: 'receiving' },
      { id: 'done', created_by: 'user:alice', state: 'done' },
      { id: 'staged', created_by: 'user:alice', state: 'staged' },
      { id: 'own', created_by: 'user:alice', state: 'comparing' },
    ];
    const api = { get: () => Promise.resolve({ data: imports }) };
    const underWay = (me: string) => new ImportApi(api as never, { kind: 'tasks' } as never, me).underWay();
    expect([(await underWay('alice'))?.id, await underWay('eve')]).toEqual(['own', null]);
  });

  it('is cut at the end of a line before it is sent for a proposal of its columns', async () => {
    const line = Buffer.from('é;'.repeat(50) + '\n');
    const file = new Blob([Buffer.concat(Array.from({ length: 2_000 }, () => line))]);
    const head = Buffer.from(await (await headOf(file)).arrayBuffer());
    expect(head.length).toBeLessThanOrEqual(128 * 1_024);
    expect([head.length % line.length, head.at(-1)]).toEqual([0, 0x0a]);
    const wide = new Blob([
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('a;b\n'.repeat(40_000), 'utf16le')]),
    ]);
    expect((await headOf(wide)).size % 2).toBe(0);
    const small = new Blob(['a;b']);
    expect(await headOf(small)).toBe(small);
  });

  it('gets its type from its name: the type a browser reports depends on installed programs', () => {
    expect(['a.csv', 'A.CSV', 'a.txt', 'a.ndjson', 'a.JSONL'].map((name) => typeOf({ name }))).toEqual([
      'text/csv',
      'text/csv',
      'text/csv',
      'application/x-ndjson',
      'application/x-ndjson',
    ]);
  });

  it.each([
    [
      'due_on must be a day that exists, from 1900 to 2199; the cell has "31/02"',
      'doit être un jour qui existe, écrit JJ/MM/AAAA ; la cellule contient « 31/02 »',
    ],
    ['title is missing', 'manque'],
    ['line 4 has it too, and says something else', 'la ligne 4 a la même référence, avec un autre contenu'],
    ['has 8 cells, the header has 6', 'a 8 cellules, l’en-tête en a 6'],
    [
      'line 1 has this agent and database too, and says something else',
      'la ligne 1 a le même agent et la même base, avec un autre contenu',
    ],
    ['expected_time must be a time of day, such as 02:00', 'doit être une heure, comme 02:00 ou 2h30'],
    ['something new', 'n’est pas valable'],
  ])('has the fault "%s" in French', (detail, words) => {
    expect(importFr.faultText('due_on', detail)).toBe(words);
  });
});
