interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Gathers what many callers ask one at a time into one statement: while one batch is under way the next one
 * fills. Alone, a call waits for nothing.
 */
export class MicroBatch<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private flushing = 0;

  /**
   * @param flush answers in the order of the items; when it throws, every caller of the batch gets the error.
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
      // Those who call in the same turn of the event loop share the batch.
      if (this.flushing < this.atOnce) setImmediate(() => void this.run());
    });
  }

  private async run(): Promise<void> {
    if (this.flushing >= this.atOnce) return;
    this.flushing += 1;
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.largest);
      try {
        const results = await this.flush(batch.map(({ item }) => item));
        batch.forEach(({ resolve, reject }, position) => {
          const result = results[position];
          if (result === undefined) reject(new Error('the batch gave no answer'));
          else resolve(result);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.flushing -= 1;
  }
}
