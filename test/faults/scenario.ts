/** How a scenario is to be run. */
export interface RunOptions {
  /** Every pseudo-random choice follows from it. */
  seed: number;
  /** The repetitions and durations of the whole table, instead of the quick form. */
  full: boolean;
}

/** What came of a scenario. LOST: accepted without exactly one outcome. DUP: received more than once. */
export interface Verdict {
  id: string;
  /** How often the fault was injected. */
  repetitions: number;
  /** What the installation promised, by a 2xx. */
  accepted: number;
  lost: number;
  /** Notifications that arrived again, each time counted. */
  dup: number;
  /** A bundle that was cut is one ambiguous send: it counts with all of its notifications. */
  dup_bound: number;
  seed: number;
  ok: boolean;
  /** What did not hold, in words; empty when all did. */
  broken: readonly string[];
  /** What could not be tried here, and why. */
  left_out?: readonly string[];
}

/** A fault that is injected into a whole installation of real processes. */
export interface Scenario {
  id: string;
  title: string;
  run(options: RunOptions): Promise<Verdict>;
}

/** What a scenario could not show because it failed itself. */
function unfinished(id: string, seed: number, error: unknown): Verdict {
  const reason = error instanceof Error ? error.message : String(error);
  const counts = { repetitions: 0, accepted: 0, lost: 0, dup: 0, dup_bound: 0 };
  return { id, ...counts, seed, ok: false, broken: [`did not get to its end: ${reason}`] };
}

/** A scenario's end. */
export interface Ended {
  scenario: Scenario;
  verdict: Verdict;
  seconds: number;
}

/**
 * Runs scenarios in so many lanes, one after the other in each: most of their time is waiting for leases to run
 * out.
 * @returns a promise for each, in their order; none of them rejects.
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
