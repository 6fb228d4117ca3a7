import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { badge } from '../../design/badge.js';
import { en, fr, type LogWords } from '../../words/console/settings-logs.js';
import { type AuditEntry, loadAudit, outcomeOf } from '../audit-entries.js';
import { wordsIn } from '../context.js';
import { type Filter, filterBar } from '../list/filter-bar.js';
import { ListState } from '../list/list-state.js';
import { type Column, listTable } from '../list/table.js';
import { ConsolePage } from '../page.js';
import { settingsHead, settingsWords } from './settings-head.js';

const FILTERS = ['q', 'actor', 'action', 'since', 'until'] as const;

/** `/settings/audit`: what was done, by whom. */
export default class AuditPage extends ConsolePage {
  /** Names by actor: `user:<id>`, `key:<id>`. */
  private names = new Map<string, string>();
  private readonly list = new ListState<AuditEntry>({
    load: (...args) => loadAudit(this.context, ...args),
    idOf: ({ id }) => id,
    filters: FILTERS,
    hasDays: true,
    onChange: () => this.requestUpdate(),
  });

  private get words(): LogWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  override get heading(): string {
    return settingsWords(this.context).tabs.audit;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('query')) this.list.read(this.query);
  }

  protected override firstUpdated(changed: PropertyValues): void {
    super.firstUpdated(changed);
    void this.loadNames();
  }

  /** Without them the log shows what kind of actor it was. */
  private async loadNames(): Promise<void> {
    const { api } = this.context;
    const [people, keys] = await Promise.allSettled([
      api.get('/api/v1/users/names'),
      api.get('/api/v1/tenant/api-keys', { params: { query: { limit: 200 } } }),
    ]);
    const names: [string, string][] = [
      ...(people.status === 'fulfilled'
        ? people.value.data.map(({ id, name }): [string, string] => [`user:${id}`, name])
        : []),
      ...(keys.status === 'fulfilled'
        ? keys.value.data.map(({ id, name }): [string, string] => [`key:${id}`, name])
        : []),
    ];
    this.names = new Map(names);
    this.requestUpdate();
  }

  private nameOf({ actor, actor_kind: kind }: Pick<AuditEntry, 'actor' | 'actor_kind'>): string {
    const { actors } = this.words;
    const name = this.names.get(actor);
    if (name !== undefined) return name;
    if (kind === 'user') return actors.gone_user;
    return kind === 'api_key' ? actors.gone_key : actors[kind];
  }

  private get filters(): Filter[] {
    const { words } = this;
    const people = [...this.names].sort(([, one], [, other]) => one.localeCompare(other));
    const acts = Object.entries(words.acts).sort(([, one], [, other]) => one.localeCompare(other));
    const { actor, action } = this.list.filters;
    // A link may filter by an actor that the list does not have.
    const unlisted = (value: string | undefined, listed: readonly (readonly [string, string])[]) =>
      value === undefined || listed.some(([one]) => one === value) ? [] : [[value, value] as const];
    return [
      { kind: 'search', name: 'q', label: words.search },
      {
        kind: 'choice',
        name: 'actor',
        label: words.who,
        choices: [['', words.anybody], ...people, ...unlisted(actor, people)],
      },
      {
        kind: 'choice',
        name: 'action',
        label: words.what,
        choices: [['', words.anything], ...acts, ...unlisted(action, acts)],
      },
      { kind: 'date', name: 'since', label: words.since },
      { kind: 'date', name: 'until', label: words.until },
    ];
  }

  private get columns(): Column<AuditEntry>[] {
    const { words, context, list } = this;
    const what = ({ action }: AuditEntry) => words.acts[action] ?? action;
    return [
      {
        label: words.at,
        cell: ({ at }) =>
          html`<time class="nowrap" datetime=${at} title=${context.format.ago(at)}
            >${context.format.full(at)}</time
          >`,
        text: ({ at }) => at,
      },
      {
        label: words.who,
        kind: 'main',
        cell: (entry) =>
          html`<a href=${list.url({ actor: entry.actor })} dir="auto">${this.nameOf(entry)}</a>`,
        text: (entry) => this.nameOf(entry),
      },
      {
        label: words.what,
        kind: 'wide',
        cell: (entry) =>
          html`<span class="stacked"
            ><span title=${entry.action}>${what(entry)}</span>${
              entry.changed === null || entry.changed.length === 0
                ? nothing
                : html`<small>${words.changed(entry.changed.join(', '))}</small>`
            }</span
          >`,
        text: (entry) => `${what(entry)} ${(entry.changed ?? []).join(' ')}`,
      },
      {
        label: words.outcome,
        cell: ({ status }) => badge(...outcomeOf(status, words)),
        text: ({ status }) => outcomeOf(status, words)[1],
      },
      {
        label: words.address,
        cell: ({ ip }) => html`<code class="nowrap">${ip ?? ''}</code>`,
        text: ({ ip }) => ip ?? '',
      },
    ];
  }

  protected override render(): TemplateResult {
    const { context, words, list, columns } = this;
    return html`${settingsHead(context, 'audit', { note: words.audit_note })}
    ${filterBar({ context, state: list, filters: this.filters, csv: { name: 'audit.csv', columns } })}
    ${listTable({
      context,
      state: list,
      columns,
      idOf: ({ id }) => id,
      caption: this.heading,
      empty: words.empty,
      emptyFiltered: words.none_found,
    })}`;
  }
}
