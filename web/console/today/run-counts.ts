import type { ConsoleContext } from '../context.js';
import type { OverviewState } from './overview-state.js';

/** While a run is under way its counts are read again this often. */
const PROGRESS_MS = 5_000;

type Counts = Readonly<Record<string, number>> | null;
type CountWords = Readonly<Record<string, (n: number) => string>>;

/**
 * `13 facts`, `2 new`: the counts of a run in the order of the words; a name without a word comes last, as it is.
 * @param always shown although they are zero
 */
export function countTexts(counts: Counts, words: CountWords, always: readonly string[] = []): string[] {
  const order = Object.keys(words);
  const place = (name: string) => (Object.hasOwn(words, name) ? order.indexOf(name) : order.length);
  return Object.entries(counts ?? {})
    .filter(([name, n]) => n > 0 || always.includes(name))
    .sort(([one], [other]) => place(one) - place(other))
    .map(([name, n]) => words[name]?.(n) ?? `${name.replaceAll('_', ' ')} ${n}`);
}

/** Reads the overview often while a run is under way, so that a page shows its progress. @returns ends it */
export function followRuns({ live, overview }: Pick<ConsoleContext, 'live' | 'overview'>): () => void {
  const timer = setInterval(() => {
    if (live.isShown && isRunning(overview)) void overview.load();
  }, PROGRESS_MS);
  return () => clearInterval(timer);
}

function isRunning({ data }: OverviewState): boolean {
  return data?.runs.some(({ state }) => state === 'running') === true;
}
