import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { ago } from '../../design/time.js';
import * as deliveryWords from '../../words/console/deliveries.js';
import { kindName, NAMED_KINDS } from '../../words/console/kinds.js';
import { en, fr } from '../../words/console/notifications.js';
import { wordsIn } from '../context.js';
import { type Filter, filterBar } from '../list/filter-bar.js';
import { ListState } from '../list/list-state.js';
import { type Column, listTable } from '../list/table.js';
import { ConsolePage, pageHead } from '../page.js';
import { deliveriesQuery, FILTERS, GROUPS, LAST_DAY, SINGLE_STATES } from './deliveries-query.js';
import { isWaiting, reasonOf, recipientLink, recipientText, stateBadge, wordOf } from './delivery-view.js';

type Delivery = components['schemas']['TenantDelivery'];

const NEWEST_FIRST = '-created';
/** The list is loaded again this often, and when something changes. */
const REFRESH_MS = 60_000;
/** More names than this are found by the search. */
const MAX_NAMES = 200;

/** `/notifications`: a line for each delivery; for members their own. */
export default class NotificationsPage extends ConsolePage {
  private readonly list = new ListState<Delivery>({
    load: (filters, part, signal) =>
      this.context.api.get('/api/v1/tenant/deliveries', {
        params: {
          query: { ...deliveriesQuery(filters, this.context.zone, this.context.api.now()), ...part },
        },
        signal,
      }),
    idOf: ({ id }) => id,
    filters: FILTERS,
    defaults: { sort: NEWEST_FIRST },
    hasDays: true,
    onChange: () => this.requestUpdate(),
  });
  private people: readonly (readonly [id: string, name: string])[] = [];
  private end: (() => void) | null = null;

  override get heading(): string {
    return this.words.title;
  }

  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  private get deliveryWords() {
    return wordsIn(this.context.locale, deliveryWords);
  }

  private get isAdmin(): boolean {
    return this.context.me.role === 'admin';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.end = this.context.live.subscribe(() => void this.list.refresh(), { everyMs: REFRESH_MS });
    if (this.isAdmin) void this.loadPeople();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.end?.();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('query')) this.list.read(this.query);
  }

  private async loadPeople(): Promise<void> {
    const { data } = await this.context.api
      .get('/api/v1/users/names', { params: { query: { limit: MAX_NAMES } } })
      // Without names there is no filter by them; the search still finds people.
      .catch(() => ({ data: [] }));
    this.people = data.map(({ id, name }) => [id, name] as const);
    this.requestUpdate();
  }

  private get filters(): Filter[] {
    const { words, deliveryWords: codes, list } = this;
    const { filters } = words;
    const all = ['', filters.all] as const;
    const choices = (names: Readonly<Record<string, string>>) => [all, ...Object.entries(names)];
    const kinds = [all, ...NAMED_KINDS.map((kind) => [kind, kindName(this.context.locale, kind)] as const)];
    const states = [
      all,
      ...Object.keys(GROUPS).map((name) => [name, wordOf(words.state_groups, name)] as const),
      ...SINGLE_STATES.map((name) => [name, words.state_only(wordOf(codes.states, name))] as const),
    ];
    return [
      { kind: 'search', name: 'q', label: filters.q },
      { kind: 'choice', name: 'state', label: filters.state, choices: states },
      { kind: 'choice', name: 'channel', label: filters.channel, choices: choices(codes.channels) },
      { kind: 'choice', name: 'kind', label: filters.kind, choices: kinds },
      ...(this.isAdmin && (this.people.length > 0 || list.filters.user_id !== undefined)
        ? ([
            { kind: 'choice', name: 'user_id', label: filters.recipient, choices: [all, ...this.people] },
          ] as const)
        : []),
      ...(list.filters.reason === undefined
        ? []
        : ([
            {
              kind: 'choice',
              name: 'reason',
              label: filters.reason,
              choices: [all, [list.filters.reason, wordOf(codes.reasons, list.filters.reason)]],
            },
          ] as const)),
      { kind: 'choice', name: 'ended', label: filters.ended, choices: [all, [LAST_DAY, filters.last_day]] },
      { kind: 'date', name: 'from', label: filters.from },
      { kind: 'date', name: 'to', label: filters.to },
    ];
  }

  private get columns(): Column<Delivery>[] {
    const { words, deliveryWords: codes } = this;
    const { columns } = words;
    const {
      format,
      words: { labelled },
    } = this.context;
    const kindOf = ({ kind }: Delivery) => kindName(this.context.locale, kind);
    const timeOf = (iso: string | null) => (iso === null ? '' : format.full(iso));
    return [
      {
        label: columns.notification,
        kind: 'main',
        cell: (row) =>
          html`<span class="two-lines"
            ><a href=${`/notifications/${row.notification_id}`} dir="auto">${row.title}</a
            ><small>${kindOf(row)}</small></span
          >`,
        text: (row) => labelled(kindOf(row), row.title),
      },
      {
        label: columns.recipient,
        sort: 'recipient',
        cell: (row) => recipientLink(row, this.isAdmin),
        text: recipientText,
      },
      {
        label: columns.channel,
        cell: ({ channel }) => html`<span class="when">${wordOf(codes.channels, channel)}</span>`,
        text: ({ channel }) => wordOf(codes.channels, channel),
      },
      {
        label: columns.state,
        cell: (row) => this.state(row),
        text: (row) => {
          const reason = reasonOf(codes, row);
          const state = wordOf(codes.states, row.state);
          return reason === '' ? state : labelled(state, reason);
        },
      },
      {
        label: columns.due,
        sort: 'due_at',
        cell: ({ due_at }) => html`<span class="when">${ago(format, due_at)}</span>`,
        text: ({ due_at }) => timeOf(due_at),
      },
      {
        label: columns.sent,
        cell: ({ sent_at }) =>
          sent_at === null
            ? html`<span class="none">–</span>`
            : html`<span class="when">${ago(format, sent_at)}</span>`,
        text: ({ sent_at }) => timeOf(sent_at),
      },
    ];
  }

  private state(row: Delivery): TemplateResult {
    const { words, deliveryWords: codes } = this;
    const reason = reasonOf(codes, row);
    const until =
      isWaiting(row.state) && reason !== '' ? `, ${words.until(this.context.format.full(row.due_at))}` : '';
    return html`<span class="two-lines"
      >${stateBadge(codes, row.state)}${
        reason === '' ? nothing : html`<small dir="auto">${reason}${until}</small>`
      }</span
    >`;
  }

  protected override render(): TemplateResult {
    const { context, words, list, columns } = this;
    const { alert_id, bundle_id } = list.filters;
    const only =
      alert_id === undefined ? (bundle_id === undefined ? null : words.only_bundle) : words.only_alert;
    const preview = html`<a class="button outlined" href="/preview">${words.preview}</a>`;
    return html`${pageHead(words.title, {
      note: this.isAdmin ? words.note_admin : words.note_member,
      actions: this.isAdmin ? preview : nothing,
    })}
    ${filterBar({ context, state: list, filters: this.filters, csv: { name: `${words.file}.csv`, columns } })}
    ${only === null ? nothing : html`<p class="note only">${only}</p>`}
    ${listTable({
      context,
      state: list,
      columns,
      idOf: ({ id }) => id,
      caption: words.caption,
      empty: html`<p>${words.empty}</p>
        <p class="note">${words.empty_hint}</p>`,
      emptyFiltered: html`<p>${words.empty_filtered}</p>
        <p><a href=${list.clearUrl}>${context.words.list.clear}</a></p>`,
    })}`;
  }
}
