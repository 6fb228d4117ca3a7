import { html, type PropertyValues, type TemplateResult } from 'lit';
import { ago } from '../../design/time.js';
import { snoozeTimes } from '../../design/snooze-times.js';
import { type AlertWords, en, fr } from '../../words/console/alerts.js';
import { EN } from '../../words/en.js';
import { FR } from '../../words/fr.js';
import { wordsIn } from '../context.js';
import { type BulkAct, bulkBar } from '../list/bulk-bar.js';
import { type Filter, filterBar } from '../list/filter-bar.js';
import { type BulkTarget, ListState } from '../list/list-state.js';
import { type Column, listTable } from '../list/table.js';
import { ConsolePage, pageHead } from '../page.js';
import { actButtons } from './act-buttons.js';
import { type Alert, AlertActs } from './alert-acts.js';
import { filterOf, KINDS, SEVERITIES, STATES } from './alert-filters.js';
import { severityShape, stateBadge, stateNote, whoText } from './alert-state.js';

const REFRESH_MS = 60_000;
type Sort = 'first_seen_at' | '-first_seen_at' | 'severity' | '-severity';
const SORTS: readonly Sort[] = ['-severity', 'severity', '-first_seen_at', 'first_seen_at'];

/** `/alerts`: open ones by default, the worst first. */
export default class AlertsPage extends ConsolePage {
  private stopLive: (() => void) | null = null;
  private knownActs: AlertActs | null = null;
  private readonly list = new ListState<Alert>({
    load: async ({ sort, ...filters }, part, signal) =>
      this.context.api.get('/api/v1/alerts', {
        params: {
          query: {
            ...filterOf(filters, this.context.zone),
            ...part,
            sort: SORTS.find((one) => one === sort) ?? '-severity',
          },
        },
        signal,
      }),
    idOf: (alert) => alert.id,
    filters: ['q', 'state', 'kind', 'severity', 'since', 'until', 'sort'],
    defaults: { state: 'open', sort: '-severity' },
    hasDays: true,
    onChange: () => this.requestUpdate(),
  });

  override get heading(): string {
    return this.words.title;
  }

  private get words(): AlertWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  private get kinds(): Readonly<Record<string, string>> {
    return wordsIn(this.context.locale, { fr: FR, en: EN }).kinds;
  }

  private get acts(): AlertActs {
    const { api, me } = this.context;
    return (this.knownActs ??= new AlertActs(api, me.name, (id, changes) => this.list.patch(id, changes)));
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.stopLive ??= this.context.live.subscribe(() => void this.list.refresh(), { everyMs: REFRESH_MS });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stopLive?.();
    this.stopLive = null;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('query')) this.list.read(this.query);
  }

  protected override render(): TemplateResult {
    const { context, words, list } = this;
    const columns = this.columns();
    return html`${pageHead(words.title)}
    ${filterBar({ context, state: list, filters: this.filters(), csv: { name: 'alerts.csv', columns } })}
    ${listTable({
      context,
      state: list,
      columns,
      idOf: (alert) => alert.id,
      caption: words.caption,
      nameOf: (alert) => alert.title,
      className: 'alerts',
      actions: { label: words.acts, of: (alert) => actButtons(context, this.acts, alert) },
      empty: html`<p>${words.empty}</p>`,
      emptyFiltered: html`<p>${words.empty_filtered}</p>`,
    })}
    ${bulkBar(context, list, this.bulkActs())}`;
  }

  private filters(): Filter[] {
    const { words, kinds } = this;
    const choices = <Value extends string>(
      values: readonly Value[],
      labelOf: (value: Value) => string,
    ): (readonly [string, string])[] => [
      ['', words.all],
      ...values.map((one) => [one, labelOf(one)] as const),
    ];
    return [
      { kind: 'search', name: 'q', label: words.search },
      {
        kind: 'choice',
        name: 'state',
        label: words.state,
        choices: choices(STATES, (one) => words.states[one]),
      },
      {
        kind: 'choice',
        name: 'severity',
        label: words.severity,
        choices: choices(SEVERITIES, (one) => words.severities[one]),
      },
      {
        kind: 'choice',
        name: 'kind',
        label: words.kind,
        choices: choices(KINDS, (one) => kinds[one] ?? one),
      },
      { kind: 'date', name: 'since', label: words.since },
      { kind: 'date', name: 'until', label: words.until },
    ];
  }

  private columns(): Column<Alert>[] {
    const { words, context } = this;
    const { format } = context;
    return [
      {
        label: words.columns.title,
        sort: 'severity',
        kind: 'main',
        cell: (alert) =>
          html`<span class="cell-alert"
            >${severityShape(alert, words)}<a href=${`/alerts/${alert.id}`}>${alert.title}</a></span
          >`,
        text: (alert) => alert.title,
      },
      {
        label: words.columns.first_seen,
        sort: 'first_seen_at',
        cell: (alert) => ago(format, alert.first_seen_at),
        text: (alert) => alert.first_seen_at,
      },
      {
        label: words.columns.state,
        cell: (alert) =>
          html`<span class="cell-name"
            >${stateBadge(alert, words)} ${stateNote(alert, words, context)}</span
          >`,
        text: (alert) => words.states[alert.state],
      },
      {
        label: words.columns.who,
        cell: (alert) =>
          html`<span class=${alert.acknowledged_at === null ? 'note' : ''}>${whoText(alert, words)}</span>`,
        text: (alert) => whoText(alert, words),
      },
      {
        label: words.columns.occurrences,
        kind: 'number',
        cell: (alert) => words.times(format.number(alert.occurrences)),
        text: (alert) => String(alert.occurrences),
      },
    ];
  }

  private bulkActs(): BulkAct[] {
    const { words, context } = this;
    const { bulk } = words;
    const bodyOf = (target: BulkTarget) =>
      'ids' in target ? target : { filter: filterOf(target.filter, context.zone), count: target.count };
    const tomorrow = () =>
      snoozeTimes(context.format.now())
        .find(({ name }) => name === 'tomorrow')
        ?.at.toISOString() ?? null;
    return [
      {
        label: words.acknowledge,
        title: bulk.acknowledge_title,
        text: bulk.acknowledge_text,
        act: (target) => context.api.post('/api/v1/alerts/acknowledge', { body: bodyOf(target) }),
        done: bulk.done,
      },
      {
        label: bulk.snooze,
        title: bulk.snooze_title,
        text: bulk.snooze_text,
        act: (target) =>
          context.api.post('/api/v1/alerts/snooze', { body: { ...bodyOf(target), until: tomorrow() } }),
        done: bulk.done,
      },
      {
        label: words.resolve,
        title: bulk.resolve_title,
        text: bulk.resolve_text,
        isDangerous: true,
        act: (target) => context.api.post('/api/v1/alerts/resolve', { body: bodyOf(target) }),
        done: bulk.done,
      },
    ];
  }
}
