/**
 * Works on items, at most `most` at once. Starts no more items after a failure. Not p-limit: after a failure it
 * continues with its queue or leaves its promises pending, and throws while others still run.
 * @throws the first failure, after all started items have finished
 */
export async function inParallel<Item>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const failures: unknown[] = [];
  const waiting = items.values();
  const one = async () => {
    for (const item of waiting) {
      if (failures.length > 0) return;
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, one));
  if (failures.length > 0) throw failures[0];
}
