import { databaseFailure } from './failures.js';

/** Other codes are the system's or the driver's (ETIMEDOUT): PostgreSQL did not answer. */
const SQLSTATE = /^[0-9A-Z]{5}$/;

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * SQLSTATE classes of failures that say nothing about the items: the connection is lost (08), resources are short (53),
 * an operator intervened (57), the system failed (58). https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const NOT_ABOUT_ITEMS = ['08', '53', '57', '58'];

/**
 * Gathers what many callers ask one at a time into one statement: while batches are under way the next one fills.
 * Alone, a call waits for nothing. Callers wait for their answers, so that what waits here is bounded by their number.
 */
export class MicroBatch<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private flushing = 0;

  /**
   * @param flush answers in the order of the items, all or nothing. When PostgreSQL refuses a batch, each half is tried
   *   again by itself, down to the item that is to blame: its caller alone gets the error. Any other error goes to
   *   every caller of the batch.
   * @param atOnce batches under way at the same time, so that one that hangs does not hold up all others
   */
  constructor(
    private readonly flush: (items: Item[]) => Promise<Result[]>,
    private readonly atOnce = 1,
    private readonly largest = 500,
  ) {}

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      // Callers of one turn of the event loop share the batch.
      if (this.flushing < this.atOnce) setImmediate(() => void this.run());
    });
  }

  private async run(): Promise<void> {
    if (this.flushing >= this.atOnce) return;
    this.flushing += 1;
    while (this.waiting.length > 0) await this.answer(this.waiting.splice(0, this.largest));
    this.flushing -= 1;
  }

  private async answer(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.flush(batch.map(({ item }) => item));
      batch.forEach(({ resolve, reject }, position) => {
        const result = results[position];
        if (result === undefined) reject(new Error('the batch gave no answer'));
        else resolve(result);
      });
    } catch (error) {
      if (batch.length > 1 && mayBeOneItem(error)) {
        const half = Math.ceil(batch.length / 2);
        await this.answer(batch.slice(0, half));
        await this.answer(batch.slice(half));
        return;
      }
      for (const { reject } of batch) reject(error);
    }
  }
}

function mayBeOneItem(error: unknown): boolean {
  const code = databaseFailure(error)?.code ?? null;
  return code !== null && SQLSTATE.test(code) && !NOT_ABOUT_ITEMS.includes(code.slice(0, 2));
}
