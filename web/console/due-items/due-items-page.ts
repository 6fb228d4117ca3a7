import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { type DueItemWords, en, fr } from '../../words/console/due-items.js';
import { wordsIn } from '../context.js';
import { bulkBar } from '../list/bulk-bar.js';
import { filterBar } from '../list/filter-bar.js';
import { ListState } from '../list/list-state.js';
import { type Column, listTable } from '../list/table.js';
import { ConsolePage, failure, pageHead } from '../page.js';
import { bulkActs } from './bulk-acts.js';
import { DueItemActs } from './due-item-acts.js';
import {
  asEnded,
  type DueItem,
  endedAt,
  type Kind,
  type KindApi,
  kindApi,
  kindOf,
  KINDS,
} from './due-item-api.js';
import { groupOf } from './groups.js';
import { itemColumns } from './item-columns.js';
import { itemFilters } from './item-filters.js';
import './item-form.js';
import { KindCounts } from './kind-counts.js';
import { MonthState, monthOf, rangeOf, shiftDate } from './month-state.js';
import { monthView } from './month-view.js';
import { clientChip, kindTabs, type TabsView, urlWith, viewTabs } from './page-tabs.js';
import { loadPeople, type Person } from './people.js';

const REFRESH_MS = 60_000;
const FILTERS = ['q', 'open', 'responsible_id', 'client_name', 'due_after', 'due_before'];

/** `/due-items?kind=`: deadlines, documents, tasks and tickets, by date, client or person, or as a month. */
export default class DueItemsPage extends ConsolePage {
  private kind: Kind = 'deadlines';
  private people: readonly Person[] = [];
  private peopleFault: unknown = null;
  private stopLive: (() => void) | null = null;
  private acts: DueItemActs | null = null;
  private readonly counts = new KindCounts(
    (kind, filters) => kindApi(this.context.api, kind).list(filters, { limit: 1, count: true }),
    () => this.requestUpdate(),
  );
  private readonly month = new MonthState(() => this.requestUpdate());
  private readonly lists = new Map(KINDS.map((kind) => [kind, this.newList(kind)]));

  override get heading(): string {
    return this.words.kinds[this.kind];
  }

  private get words(): DueItemWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  private get api(): KindApi {
    return kindApi(this.context.api, this.kind);
  }

  private get list(): ListState<DueItem> {
    const list = this.lists.get(this.kind);
    if (list === undefined) throw new Error(`no list of ${this.kind}`);
    return list;
  }

  private newList(kind: Kind): ListState<DueItem> {
    return new ListState<DueItem>({
      load: (filters, part, signal) => kindApi(this.context.api, kind).list(filters, part, signal),
      idOf: ({ id }) => id,
      filters: [...FILTERS, 'sort'],
      defaults: { open: 'true', sort: 'due_on' },
      onChange: () => this.requestUpdate(),
    });
  }

  private get isMonth(): boolean {
    return this.query.get('view') === 'month';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.stopLive ??= this.context.live.subscribe(() => this.refresh(), { everyMs: REFRESH_MS });
    void this.loadPeople();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stopLive?.();
    this.stopLive = null;
    for (const list of this.lists.values()) list.stop();
    this.month.stop();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has('query')) return;
    const kind = kindOf(this.query.get('kind'));
    if (kind !== this.kind || this.acts === null) {
      this.kind = kind;
      this.acts = new DueItemActs(
        kind,
        this.api,
        (id, changes) => this.list.patch(id, changes),
        () => this.context.api.now(),
      );
    }
    this.list.read(this.query);
    if (this.isMonth) this.loadMonth();
    this.counts.show(this.filters);
  }

  /** Does nothing while rows are selected or the form is open: nothing may move then. */
  private refresh(): void {
    if (this.list.selectedCount > 0 || this.querySelector('item-form')?.isOpen === true) return;
    this.month.forget();
    if (this.isMonth) this.loadMonth();
    else void this.list.refresh();
    this.counts.refresh(this.filters);
  }

  private get filters(): Record<string, string> {
    const defaults: Record<string, string> = { open: 'true' };
    const entries = FILTERS.map((name) => [name, this.query.get(name) ?? defaults[name] ?? ''] as const);
    return Object.fromEntries(entries.filter(([, value]) => value !== ''));
  }

  private loadMonth(): void {
    const { api, shownMonth } = this;
    const { first, last } = rangeOf(shownMonth);
    const filters = Object.fromEntries(Object.entries(this.filters).filter(([name]) => name !== 'open'));
    const range = { ...filters, due_after: shiftDate(first, -1), due_before: shiftDate(last, 1) };
    this.month.show(`${this.kind} ${JSON.stringify(range)}`, (signal) => api.days(range, signal));
  }

  private get shownMonth(): string {
    return monthOf(this.query.get('month'), this.context.format.civilDate());
  }

  private async loadPeople(): Promise<void> {
    try {
      this.people = await loadPeople(this.context.api);
      this.peopleFault = null;
    } catch (error) {
      this.peopleFault = error;
    }
    this.requestUpdate();
  }

  protected override render(): TemplateResult {
    const { context, words, kind, isMonth } = this;
    return html`${pageHead(this.heading, {
        actions: html`<a class="button outlined" href="/due-items/import?kind=${kind}">${words.import}</a>
          <button type="button" class="filled" @click=${() => void this.edit(null)}>
            ${words.add[kind]}
          </button>`,
      })}
      ${kindTabs(this.tabsView())}
      ${
        this.peopleFault === null ? nothing : failure(context, this.peopleFault, () => void this.loadPeople())
      }
      ${filterBar({
        context,
        state: this.list,
        filters: itemFilters({ words, people: this.people, me: context.me.id, isMonth }),
        ...(isMonth ? {} : { csv: { name: `${kind}.csv`, columns: this.columns() } }),
      })}
      ${clientChip(this.tabsView())} ${viewTabs(this.tabsView())} ${isMonth ? this.calendar() : this.table()}
      <item-form .context=${context} .people=${this.people} @saved=${() => this.saved()}></item-form>`;
  }

  private tabsView(): TabsView {
    return {
      words: this.words,
      format: this.context.format,
      kind: this.kind,
      counts: this.counts.counts,
      query: this.query,
      sort: this.list.filters.sort ?? 'due_on',
    };
  }

  private url(changes: Readonly<Record<string, string | null>>): string {
    return urlWith(this.query, changes);
  }

  private personName(id: string | null): string {
    if (id === null) return '';
    return this.people.find((person) => person.id === id)?.name ?? '…';
  }

  private columns(): Column<DueItem>[] {
    return itemColumns({
      kind: this.kind,
      words: this.words,
      format: this.context.format,
      personOf: (id) => this.personName(id),
      urlOf: (changes) => this.url(changes),
    });
  }

  private table(): TemplateResult {
    const { context, words, list, kind } = this;
    const grouping = {
      sort: list.filters.sort ?? 'due_on',
      format: context.format,
      words,
      personOf: (id: string) => this.personName(id),
    };
    return html`${listTable({
      context,
      state: list,
      columns: this.columns(),
      idOf: ({ id }) => id,
      caption: words.caption(words.kinds[kind]),
      nameOf: ({ title }) => title,
      className: 'due-items',
      groupOf: (item) => groupOf(item, grouping),
      actions: { label: words.acts, of: (item) => this.rowActs(item) },
      empty: html`<p>${words.empty[kind]}</p>`,
      emptyFiltered: html`<p>${words.empty_filtered}</p>`,
    })}
    ${bulkBar(context, list, bulkActs({ api: this.api, kind, words, open: list.filters.open, onChanged: () => this.counts.refresh(this.filters) }))}`;
  }

  private rowActs(item: DueItem): TemplateResult {
    const { words, kind } = this;
    const isOpen = endedAt(item) === null;
    return html`<button
        type="button"
        class=${isOpen ? 'outlined' : ''}
        aria-label=${isOpen ? words.end_named[kind](item.title) : words.reopen_named(item.title)}
        @click=${(event: MouseEvent) => {
          // The second click of a double click would undo the first.
          if (event.detail < 2) void this.toggle(item);
        }}
      >
        ${isOpen ? words.end[kind] : words.reopen}</button
      ><button type="button" aria-label=${words.edit_named(item.title)} @click=${() => void this.edit(item)}>
        ${words.edit}
      </button>`;
  }

  private async toggle(item: DueItem): Promise<void> {
    const { context, words } = this;
    try {
      const done = await this.acts?.toggle(item);
      if (done == null) return;
      const text = done === 'ended' ? words.ended_toast(item.title) : words.reopened_toast(item.title);
      const row = () => this.list.rows.find(({ id }) => id === item.id);
      // A refresh may have taken the ended item out of the list.
      if (row() === undefined) void this.list.refresh();
      const ended = { ...item, ...asEnded(this.kind, new Date(context.api.now()).toISOString()) };
      const undo = () => void this.toggle(row() ?? ended);
      context.toast({
        text,
        tone: 'good',
        ...(done === 'ended' ? { action: { label: context.words.undo, act: undo } } : {}),
      });
      this.counts.refresh(this.filters);
    } catch (error) {
      context.toast({ text: context.words.faultOf(error), tone: 'critical' });
    }
  }

  private async edit(item: DueItem | null): Promise<void> {
    await this.querySelector('item-form')?.open(this.kind, item);
  }

  private saved(): void {
    this.counts.refresh(this.filters);
    this.month.forget();
    if (this.isMonth) this.loadMonth();
    else void this.list.refresh();
  }

  private calendar(): TemplateResult {
    const { context, words, month, shownMonth } = this;
    return monthView({
      context,
      words,
      state: month,
      month: shownMonth,
      urlOf: (changes) => this.url(changes),
      retry: () => {
        month.forget();
        this.loadMonth();
      },
    });
  }
}
