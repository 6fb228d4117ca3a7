import sequencer from '@jest/test-sequencer';

// The importer decides whether this CommonJS module has a `default`.
const TestSequencer = sequencer.default ?? sequencer;

/** Takes as long as all others together on one worker: it starts first. */
const FIRST = 'test/faults/faults.spec.ts';

/**
 * How long the slowest other files take, in s, on a machine with two cores. Without known durations (a new clone, CI)
 * Jest sorts by size, and one worker would run the last of these alone at the end.
 */
const KNOWN_SECONDS = new Map([
  // Those of jest.together.config.mjs.
  ['test/together/processes.ts', 200],
  ['test/together/ops.ts', 160],
  ['test/together/platform.ts', 155],
  ['test/together/due-items.ts', 145],
  ['test/together/notifications.ts', 140],
  ['test/together/backups.ts', 135],
  ['test/together/auth.ts', 130],
  ['test/together/delivery.ts', 110],
  ['test/together/rules.ts', 100],
  ['together/browser/inbox.ts', 95],
  ['together/browser/settings.ts', 85],
  ['together/browser/operator.ts', 85],
  ['together/browser/backups.ts', 75],
  ['together/browser/due-items.ts', 65],
  ['together/browser/people.ts', 50],
  // Those of jest.config.mjs.
  ['src/platform/start/start.spec.ts', 60],
  ['src/backups/scan/hard-times.spec.ts', 50],
  ['test/getting-started/getting-started.spec.ts', 60],
  ['src/ops/health/redis-refuses.spec.ts', 30],
  ['src/backups/alerts/agents.spec.ts', 25],
  ['test/rules/routes.spec.ts', 25],
]);

/** These start whole processes, as FIRST does: they run last, when it has finished. */
const LAST = [
  'test/imports/crash.spec.ts',
  'test/delivery/send-now-crash.spec.ts',
  'test/delivery/purge.spec.ts',
  'test/delivery/fairness.spec.ts',
];

/**
 * Starts the slowest files first, so that the workers finish together, and separates the files that need the whole
 * machine.
 */
export default class SlowestFirst extends TestSequencer {
  sort(tests) {
    const rank = ({ path }) => {
      if (path.endsWith(FIRST)) return -1;
      return LAST.findIndex((file) => path.endsWith(file)) + 1;
    };
    const seconds = ({ path, duration }) => {
      const known = [...KNOWN_SECONDS].find(([file]) => path.endsWith(file))?.[1] ?? 0;
      return Math.max(known, (duration ?? 0) / 1_000);
    };
    // Failed files still come first; the sort is stable.
    return super.sort(tests).sort((one, other) => rank(one) - rank(other) || seconds(other) - seconds(one));
  }
}
