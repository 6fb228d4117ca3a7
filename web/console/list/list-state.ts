import { RequestError } from '../../client/rest.js';
import { PendingFilters } from './pending-filters.js';

/** A page of a list, as the API answers it; `count` with `count=true`. */
export interface ListPage<Row> {
  data: Row[];
  next_cursor: string | null;
  count?: number;
}

/** Which part of the list to load. */
export interface Part {
  limit: number;
  cursor?: string;
  /** On the first page only. */
  count?: true;
}

export interface ListOptions<Row> {
  /** Requests a page. @param filters those that are set, by the names in `filters` */
  load: (
    filters: Readonly<Record<string, string>>,
    part: Part,
    signal: AbortSignal,
  ) => Promise<ListPage<Row>>;
  idOf: (row: Row) => string;
  /** The parameters of the address that choose rows or their order: `q`, `status`, `sort`. Others are ignored. */
  filters: readonly string[];
  /** The values where the address has none. An empty value in the address means none at all. */
  defaults?: Readonly<Record<string, string>>;
  onChange: () => void;
  /** Some filters are days of the shown zone: another zone loads the list again. */
  hasDays?: boolean;
  /** Rows a page. */
  limit?: number;
}

/** The body of a bulk act: the rows that are selected, or all that match, with their number. */
export type BulkTarget = { ids: string[] } | { filter: Record<string, string>; count: number };

const DEFAULT_LIMIT = 50;
/** The largest page of the API. */
const MAX_LIMIT = 200;
/** Rows that a reload brings back at most. */
const MAX_RELOADED = 1_000;

/**
 * A list of the server: its filters and how many rows are shown are in the address, so that a reload and "back" find
 * them. Loads pages by the server's cursors, and keeps what is selected. No DOM.
 */
export class ListState<Row> {
  rows: readonly Row[] = [];
  phase: 'loading' | 'list' | 'failed' = 'loading';
  /** Why the last request failed; null: it did not. The rows of the last good one stay. */
  fault: unknown = null;
  /** All rows that match; null: not counted. */
  count: number | null = null;
  isLoadingMore = false;
  /** When the rows were loaded, in ms of this machine. */
  loadedAt: number | null = null;
  filters: Readonly<Record<string, string>> = {};
  /** What is typed into its filters. */
  readonly pending = new PendingFilters();
  private cursor: string | null = null;
  private ids = new Set<string>();
  private areAllSelected = false;
  private loading: AbortController | null = null;
  /** How often rows were changed here: what was requested before the last change is out of date. */
  private changes = 0;
  private query = new URLSearchParams();

  constructor(readonly options: ListOptions<Row>) {}

  get hasMore(): boolean {
    return this.cursor !== null;
  }

  /** Whether a filter differs from its default. The sort order is not a filter. */
  get isFiltered(): boolean {
    const { defaults = {} } = this.options;
    return Object.entries(this.filters).some(([name, value]) => name !== 'sort' && defaults[name] !== value);
  }

  /** Takes the filters of the address; loads if they are others. Call it in `willUpdate` where `query` has changed. */
  read(query: URLSearchParams): void {
    this.query = new URLSearchParams(query);
    const filters = this.filtersIn(query);
    if (this.loadedAt !== null && sameFilters(filters, this.filters)) return;
    this.filters = filters;
    this.clearSelection();
    void this.load(Math.min(Number(query.get('shown')) || this.limit, MAX_RELOADED));
  }

  /** The address with other filters, a query alone, for a link or `navigate`. @param changes null removes one. */
  url(changes: Readonly<Record<string, string | null>>): string {
    const query = new URLSearchParams(this.query);
    query.delete('shown');
    for (const [name, value] of Object.entries(changes)) {
      const standard = this.options.defaults?.[name] ?? '';
      if ((value ?? '') === standard) query.delete(name);
      else query.set(name, value ?? '');
    }
    return `?${query.toString()}`;
  }

  /** The address without filters. */
  get clearUrl(): string {
    return this.url(
      Object.fromEntries(this.options.filters.filter((name) => name !== 'sort').map((name) => [name, null])),
    );
  }

  /** Loads as many rows as are shown again; what is shown stays until they arrive. */
  refresh(): Promise<void> {
    return this.load(Math.min(Math.max(this.rows.length, this.limit), MAX_RELOADED), true);
  }

  /** Loads the next page. @returns the query with the number of rows, for `navigate(…, { replace: true })`. */
  async more(): Promise<string | null> {
    if (this.cursor === null || this.isLoadingMore) return null;
    this.isLoadingMore = true;
    this.options.onChange();
    const { signal } = this.begin();
    try {
      const page = await this.options.load(this.filters, { limit: this.limit, cursor: this.cursor }, signal);
      if (signal.aborted) return null;
      this.rows = [...this.rows, ...page.data];
      this.cursor = page.next_cursor;
      this.fault = null;
      const query = new URLSearchParams(this.query);
      query.set('shown', String(this.rows.length));
      return `?${query.toString()}`;
    } catch (error) {
      if (!signal.aborted) this.fault = error;
      return null;
    } finally {
      this.isLoadingMore = false;
      this.options.onChange();
    }
  }

  isSelected(row: Row): boolean {
    return this.areAllSelected || this.ids.has(this.options.idOf(row));
  }

  get selectedCount(): number {
    return this.areAllSelected ? (this.count ?? this.rows.length) : this.ids.size;
  }

  get isAllShownSelected(): boolean {
    return this.rows.length > 0 && this.rows.every((row) => this.isSelected(row));
  }

  /** Whether "all N" are selected, also those that are not shown. */
  get isAllMatchingSelected(): boolean {
    return this.areAllSelected;
  }

  /** Leaving one out of "all N" selects those that are shown, without it. */
  select(row: Row, isSelected: boolean): void {
    if (this.areAllSelected) this.ids = new Set(this.rows.map(this.options.idOf));
    this.areAllSelected = false;
    if (isSelected) this.ids.add(this.options.idOf(row));
    else this.ids.delete(this.options.idOf(row));
    this.options.onChange();
  }

  selectShown(isSelected: boolean): void {
    this.areAllSelected = false;
    this.ids = new Set(isSelected ? this.rows.map(this.options.idOf) : []);
    this.options.onChange();
  }

  selectMatching(): void {
    this.areAllSelected = true;
    this.options.onChange();
  }

  clearSelection(): void {
    this.areAllSelected = false;
    this.ids.clear();
    this.options.onChange();
  }

  /** The body of a bulk act on what is selected. The server refuses a wrong `count` by `count_changed`. */
  get target(): BulkTarget {
    if (!this.areAllSelected || this.count === null) return { ids: [...this.ids] };
    const filter = Object.fromEntries(Object.entries(this.filters).filter(([name]) => name !== 'sort'));
    return { filter, count: this.count };
  }

  /** Changes a row at once. @returns rolls it back, for an act that the server refuses. */
  patch(id: string, changes: Partial<Row>): () => void {
    const before = this.rows.find((row) => this.options.idOf(row) === id);
    const put = (row: Row | undefined) => {
      if (row === undefined) return;
      this.changes += 1;
      this.rows = this.rows.map((one) => (this.options.idOf(one) === id ? row : one));
      this.options.onChange();
    };
    put(before === undefined ? undefined : { ...before, ...changes });
    return () => put(before);
  }

  /** Removes a row at once. @returns rolls it back. */
  remove(id: string): () => void {
    const { rows, count } = this;
    this.rows = rows.filter((row) => this.options.idOf(row) !== id);
    if (this.rows.length === rows.length) return () => undefined;
    this.changes += 1;
    this.ids.delete(id);
    if (count !== null) this.count = count - 1;
    this.options.onChange();
    return () => {
      this.changes += 1;
      this.rows = rows;
      this.count = count;
      this.options.onChange();
    };
  }

  /** The page is left: ends the request, and forgets what is typed into the filters. */
  stop(): void {
    this.pending.cancel();
    this.loading?.abort();
  }

  private get limit(): number {
    return this.options.limit ?? DEFAULT_LIMIT;
  }

  private async load(wanted: number, isRefresh = false): Promise<void> {
    const { signal } = this.begin();
    const { changes } = this;
    if (!isRefresh) this.phase = 'loading';
    this.options.onChange();
    try {
      const rows: Row[] = [];
      let page = await this.options.load(
        this.filters,
        { limit: Math.min(wanted, MAX_LIMIT), count: true },
        signal,
      );
      const count = page.count ?? null;
      rows.push(...page.data);
      while (page.next_cursor !== null && rows.length < wanted && !signal.aborted) {
        const limit = Math.min(wanted - rows.length, MAX_LIMIT);
        page = await this.options.load(this.filters, { limit, cursor: page.next_cursor }, signal);
        rows.push(...page.data);
      }
      if (signal.aborted) return;
      // The server may have read this answer before the change: showing it would undo the change.
      if (changes !== this.changes) {
        await this.load(wanted, isRefresh);
        return;
      }
      Object.assign(this, { rows, count, fault: null, phase: 'list', loadedAt: Date.now() });
      this.cursor = page.next_cursor;
      this.forgetGone();
    } catch (error) {
      if (signal.aborted) return;
      this.fault = error;
      // If the session has ended, the frame asks to sign in; the list stays.
      const isExpired = error instanceof RequestError && error.reason === 'auth';
      if (!isRefresh && !isExpired) this.phase = 'failed';
    }
    this.options.onChange();
  }

  /** Rows that are no longer shown are not selected either. */
  private forgetGone(): void {
    const shown = new Set(this.rows.map(this.options.idOf));
    for (const id of this.ids) if (!shown.has(id)) this.ids.delete(id);
  }

  /** Only the newest request counts. */
  private begin(): AbortController {
    this.loading?.abort();
    this.loading = new AbortController();
    return this.loading;
  }

  private filtersIn(query: URLSearchParams): Record<string, string> {
    const { filters, defaults = {} } = this.options;
    const entries = filters.map((name): [string, string] => [name, query.get(name) ?? defaults[name] ?? '']);
    return Object.fromEntries(entries.filter(([, value]) => value !== ''));
  }
}

function sameFilters(
  one: Readonly<Record<string, string>>,
  other: Readonly<Record<string, string>>,
): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => one[name] === other[name]);
}
