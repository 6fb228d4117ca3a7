import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { badge } from '../../design/badge.js';
import { ago } from '../../design/time.js';
import { en, fr, type LogWords } from '../../words/console/settings-logs.js';
import { type AuditEntry, loadAudit, outcomeOf } from '../audit-entries.js';
import { wordsIn } from '../context.js';
import { filterBar } from '../list/filter-bar.js';
import { ListState } from '../list/list-state.js';
import { type Column, listTable } from '../list/table.js';
import { OperatorPage } from './operator-page.js';

/** `/operator/audit`: what was done to the installation, or in one tenant. */
export default class OperatorAuditPage extends OperatorPage {
  protected readonly tab = 'audit';
  private readonly entries = new ListState<AuditEntry>({
    load: (...args) => loadAudit(this.context, ...args),
    idOf: ({ id }) => id,
    filters: ['q', 'tenant', 'actor', 'action', 'since', 'until'],
    hasDays: true,
    onChange: () => this.requestUpdate(),
  });

  private get logWords(): LogWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  protected override refresh(): Promise<void> {
    return this.entries.refresh();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('query')) this.entries.read(this.query);
  }

  protected override render(): TemplateResult {
    const { context, entries, columns, words } = this;
    const log = this.logWords;
    return html`${this.head({ note: words.audit_note })}
    ${filterBar({
      context,
      state: entries,
      filters: [
        { kind: 'search', name: 'q', label: log.search },
        { kind: 'search', name: 'tenant', label: words.tenant_slug },
        { kind: 'date', name: 'since', label: log.since },
        { kind: 'date', name: 'until', label: log.until },
      ],
      csv: { name: 'audit.csv', columns },
    })}
    ${listTable({
      context,
      state: entries,
      columns,
      idOf: ({ id }) => id,
      caption: this.heading,
      empty: log.empty,
      emptyFiltered: log.none_found,
    })}`;
  }

  /** Names of people are their tenants' business: an operator sees kinds and ids. */
  private actorOf({ actor, actor_kind: kind }: AuditEntry): string {
    const { words, context } = this;
    return actor === `operator:${context.me.id}` ? words.you : words.actor_kinds[kind];
  }

  private get columns(): Column<AuditEntry>[] {
    const { context, entries, words } = this;
    const log = this.logWords;
    const what = ({ action }: AuditEntry) => log.acts[action] ?? log.installation_acts[action] ?? action;
    return [
      { label: log.at, cell: ({ at }) => ago(context.format, at), text: ({ at }) => at },
      {
        label: log.who,
        kind: 'main',
        cell: (entry) => {
          const [, id = ''] = entry.actor.split(':');
          return html`<span class="stacked"
            ><a href=${entries.url({ actor: entry.actor })}>${this.actorOf(entry)}</a
            >${id === '' ? nothing : html`<small title=${id}>${id.slice(-12)}</small>`}</span
          >`;
        },
        text: ({ actor }) => actor,
      },
      {
        label: log.what,
        kind: 'wide',
        cell: (entry) =>
          html`<span class="stacked"
            ><a href=${entries.url({ action: entry.action })} title=${entry.action}>${what(entry)}</a>${
              Object.keys(entry.targets).length === 0
                ? nothing
                : html`<small
                    >${Object.entries(entry.targets)
                      .map(([name, value]) => `${name} ${value}`)
                      .join(', ')}</small
                  >`
            }${
              entry.changed === null || entry.changed.length === 0
                ? nothing
                : html`<small>${context.words.labelled(words.changed, entry.changed.join(', '))}</small>`
            }</span
          >`,
        text: (entry) => `${what(entry)} ${(entry.changed ?? []).join(' ')}`,
      },
      {
        label: log.outcome,
        cell: ({ status }) => badge(...outcomeOf(status, log)),
        text: ({ status }) => outcomeOf(status, log)[1],
      },
      { label: log.address, cell: ({ ip }) => html`<code>${ip ?? ''}</code>`, text: ({ ip }) => ip ?? '' },
    ];
  }
}
