/** The options of a scenario. */
export interface RunOptions {
  /** The seed of every pseudo-random choice. */
  seed: number;
  /** Run all repetitions and durations of the table, instead of the quick form. */
  full: boolean;
}

/** The result of a scenario. LOST: accepted without exactly one outcome. DUP: received more than once. */
export interface Verdict {
  id: string;
  /** How often the fault was injected. */
  repetitions: number;
  /** The number of requests with a 2xx. */
  accepted: number;
  lost: number;
  /** Repeated notifications, counting each repetition. */
  dup: number;
  /** An interrupted bundle is one ambiguous send: it counts with all of its notifications. */
  dup_bound: number;
  seed: number;
  ok: boolean;
  /** The failed expectations, in words; empty if all held. */
  broken: readonly string[];
  /** What could not be tested here, and why. */
  left_out?: readonly string[];
}

/** A fault that is injected into a whole installation of real processes. */
export interface Scenario {
  id: string;
  title: string;
  run(options: RunOptions): Promise<Verdict>;
}

/** The verdict of a scenario that failed to run. */
function unfinished(id: string, seed: number, error: unknown): Verdict {
  const reason = error instanceof Error ? error.message : String(error);
  const counts = { repetitions: 0, accepted: 0, lost: 0, dup: 0, dup_bound: 0 };
  return { id, ...counts, seed, ok: false, broken: [`did not get to its end: ${reason}`] };
}

/** The end of a scenario. */
export interface Ended {
  scenario: Scenario;
  verdict: Verdict;
  seconds: number;
}

/**
 * Runs scenarios in so many lanes, sequentially in each: most of their time is waiting for leases to expire.
 * @returns a promise for each, in order; none of them rejects.
 */
export function runScenarios(
  scenarios: readonly Scenario[],
  lanes: number,
  options: RunOptions,
): Promise<Ended>[] {
  const ends: Promise<Ended>[] = [];
  for (const [position, scenario] of scenarios.entries()) {
    const before = ends[position - lanes] ?? Promise.resolve();
    ends.push(before.then(() => runOne(scenario, options)));
  }
  return ends;
}

async function runOne(scenario: Scenario, options: RunOptions): Promise<Ended> {
  const began = performance.now();
  const verdict = await scenario
    .run(options)
    .catch((error: unknown) => unfinished(scenario.id, options.seed, error));
  return { scenario, verdict, seconds: (performance.now() - began) / 1_000 };
}
