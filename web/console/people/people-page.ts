import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { components, operations } from '../../client/api.js';
import { badge } from '../../design/badge.js';
import { en, fr } from '../../words/console/people.js';
import { wordsIn } from '../context.js';
import { type Filter, filterBar } from '../list/filter-bar.js';
import { ListState } from '../list/list-state.js';
import { type Column, listTable } from '../list/table.js';
import { ConsolePage, pageHead } from '../page.js';

type Person = components['schemas']['ListedUser'];
type Query = NonNullable<operations['Users_list']['parameters']['query']>;

/** `/people`: the users of the tenant, for admins. */
export default class PeoplePage extends ConsolePage {
  private readonly list = new ListState<Person>({
    load: ({ active, ...filters }, part, signal) =>
      this.context.api.get('/api/v1/users', {
        params: {
          query: {
            ...(filters as Query),
            ...(active === undefined ? {} : { active: active === 'true' }),
            ...part,
          },
        },
        signal,
      }),
    idOf: ({ id }) => id,
    filters: ['q', 'role', 'active', 'sort'],
    defaults: { sort: 'name' },
    onChange: () => this.requestUpdate(),
  });

  override get heading(): string {
    return this.words.title;
  }

  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('query')) this.list.read(this.query);
  }

  private get filters(): Filter[] {
    const { filters, roles, states } = this.words;
    const all = ['', filters.all] as const;
    return [
      { kind: 'search', name: 'q', label: filters.q },
      { kind: 'choice', name: 'role', label: filters.role, choices: [all, ...Object.entries(roles)] },
      {
        kind: 'choice',
        name: 'active',
        label: filters.state,
        choices: [all, ['true', states.active], ['false', states.invited]],
      },
    ];
  }

  private get columns(): Column<Person>[] {
    const { columns, roles, states } = this.words;
    const { format } = this.context;
    const stateOf = ({ active, paused_until }: Person) =>
      paused_until !== null
        ? states.away(format.date(paused_until))
        : active
          ? states.active
          : states.invited;
    return [
      {
        label: columns.name,
        kind: 'main',
        sort: 'name',
        cell: ({ id, name }) => html`<a href=${`/people/${id}`} dir="auto">${name}</a>`,
        text: ({ name }) => name,
      },
      {
        label: columns.email,
        kind: 'wide',
        cell: ({ email }) => html`<span dir="auto">${email}</span>`,
        text: ({ email }) => email,
      },
      {
        label: columns.phone,
        cell: ({ phone }) =>
          phone === null ? html`<span class="none">–</span>` : html`<span class="when">${phone}</span>`,
        text: ({ phone }) => phone ?? '',
      },
      { label: columns.role, cell: ({ role }) => roles[role], text: ({ role }) => roles[role] ?? role },
      {
        label: columns.state,
        cell: (person) =>
          badge(person.paused_until !== null ? 'waiting' : person.active ? 'good' : 'info', stateOf(person)),
        text: stateOf,
      },
    ];
  }

  protected override render(): TemplateResult {
    const { context, words, list, columns } = this;
    const actions = html`<a class="button filled" href="/people/new">${words.add}</a>`;
    return html`${pageHead(words.title, { note: words.note, actions })}
    ${filterBar({ context, state: list, filters: this.filters, csv: { name: `${words.file}.csv`, columns } })}
    ${listTable({
      context,
      state: list,
      columns,
      idOf: ({ id }) => id,
      caption: words.caption,
      empty: html`<p>${words.empty}</p>`,
      emptyFiltered: html`<p>${words.empty_filtered}</p>
        <p><a href=${list.clearUrl}>${context.words.list.clear}</a></p>`,
    })}${nothing}`;
  }
}
