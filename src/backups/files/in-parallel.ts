/**
 * Works on items, at most `most` at once. Begins nothing more after a failure. Not p-limit: after a failure that goes on
 * with what is queued, or leaves its promises pending, and it throws while others still work.
 * @throws the first failure, once all that has begun has ended
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
