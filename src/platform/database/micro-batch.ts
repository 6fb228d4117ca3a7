import { databaseFailure } from './failures.js';

/** Other codes come from the system or the driver (ETIMEDOUT): PostgreSQL did not answer. */
const SQLSTATE = /^[0-9A-Z]{5}$/;

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * SQLSTATE classes of failures that are not caused by the items: connection lost (08), resources short (53), operator
 * intervention (57), system error (58). https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const NOT_ABOUT_ITEMS = ['08', '53', '57', '58'];

/**
 * Batches single items of many callers into one statement: while batches are running, the next one fills. A lone call
 * is not delayed. Callers wait for their results, so their number bounds the queue.
 */
export class MicroBatch<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private flushing = 0;

  /**
   * @param flush returns results in the order of the items, all or nothing. When PostgreSQL refuses a batch, each half
   * is retried separately, down to the item at fault: only its caller gets the error. Any other error goes to every
   * caller of the batch.
   * @param atOnce batches running at the same time, so that a hanging one does not block the others
   */
  constructor(
    private readonly flush: (items: Item[]) => Promise<Result[]>,
    private readonly atOnce = 1,
    private readonly largest = 500,
  ) {}

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      // Callers within one turn of the event loop share the batch.
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
      if (batch.length > 1 && mayBeCausedByItem(error)) {
        const half = Math.ceil(batch.length / 2);
        await this.answer(batch.slice(0, half));
        await this.answer(batch.slice(half));
        return;
      }
      for (const { reject } of batch) reject(error);
    }
  }
}

function mayBeCausedByItem(error: unknown): boolean {
  const code = databaseFailure(error)?.code ?? null;
  return code !== null && SQLSTATE.test(code) && !NOT_ABOUT_ITEMS.includes(code.slice(0, 2));
}
