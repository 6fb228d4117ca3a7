import type { ApiClient } from '../../client/api-client.js';
import type { ListPage } from '../list/list-state.js';
import { type BoardFilters, type BoardRow, chosen, type Condition, counted, rowsOf } from './board-rows.js';

/** Pages of 2,000 rows. */
const MAX_PAGES = 10;
/** Filters and orders within this time need no other request, in ms. */
const FRESH_MS = 30_000;

/** The whole board, so that filters and orders answer at once. */
export class BoardLoader {
  private rows: readonly BoardRow[] = [];
  private loadedAt: number | null = null;
  /** As of when the server has answered. */
  asOf: string | null = null;
  counts: Record<Condition, number> | null = null;
  /** Whether the server has more rows than are loaded. */
  isCut = false;

  constructor(
    private readonly api: Pick<ApiClient, 'get'>,
    private readonly now: () => number = Date.now,
  ) {}

  get total(): number {
    return this.rows.length;
  }

  /** The names of the agents, each once. */
  get agents(): string[] {
    return [...new Set(this.rows.map(({ agent }) => agent))];
  }

  /** The next `page` asks the server. */
  forget(): void {
    this.loadedAt = null;
  }

  /** All rows of a filter, as one page. @throws RequestError */
  async page(filters: BoardFilters, signal: AbortSignal): Promise<ListPage<BoardRow>> {
    if (this.loadedAt === null || this.now() - this.loadedAt > FRESH_MS) await this.load(signal);
    const data = chosen(this.rows, filters);
    return { data, next_cursor: null, count: data.length };
  }

  private async load(signal: AbortSignal): Promise<void> {
    const rows: BoardRow[] = [];
    let cursor: string | null = null;
    let asOf: string | null = null;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const query: { cursor?: string } = cursor === null ? {} : { cursor };
      const board = await this.api.get('/api/v1/backups/board', { params: { query }, signal });
      rows.push(...rowsOf(board.columns));
      asOf ??= board.as_of;
      cursor = board.next_cursor;
      if (cursor === null) break;
    }
    this.rows = rows;
    this.isCut = cursor !== null;
    this.counts = counted(rows);
    this.asOf = asOf;
    this.loadedAt = this.now();
  }
}
