import { FirstNames } from './first-names.js';

describe('the first names of a folder', () => {
  it('H26: are kept without keeping all names in memory', () => {
    const kept = new FirstNames(100);
    let largest = 0;
    for (let at = 100_000; at > 0; at -= 1) {
      kept.add(String((at * 7_919) % 100_003).padStart(6, '0'));
      largest = Math.max(largest, kept.size);
    }
    expect(largest).toBeLessThanOrEqual(200);
    const all = Array.from({ length: 100_000 }, (_, at) => ((at + 1) * 7_919) % 100_003).sort(
      (a, b) => a - b,
    );
    expect(kept.sorted().map(Number)).toEqual(all.slice(0, 100));
    expect(kept.hasMore).toBe(true);
  });

  it('H26: include all names of a small folder', () => {
    const kept = new FirstNames(3);
    for (const name of ['c', 'a', 'b']) kept.add(name);
    expect(kept.sorted()).toEqual(['a', 'b', 'c']);
    expect(kept.hasMore).toBe(false);
  });
});
