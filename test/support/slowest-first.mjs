import sequencer from '@jest/test-sequencer';

// A CommonJS module: which of the two it is depends on who imports it.
const TestSequencer = sequencer.default ?? sequencer;

/** Runs all the time that the others take on one worker: it begins first. */
const FIRST = 'test/faults/faults.spec.ts';

/**
 * How long the slowest of the other files take, in s, on a machine of two cores: where Jest knows no durations yet (a new
 * clone, CI), it goes by size, and the suite would end with one worker waiting for the last of these.
 */
const KNOWN_SECONDS = new Map([
  ['test/rules/routes.spec.ts', 30],
  ['src/due-items/due-items.spec.ts', 30],
]);

/** These start whole processes, as FIRST does all the time: they come last, when it is through. */
const LAST = [
  'test/imports/crash.spec.ts',
  'test/delivery/send-now-crash.spec.ts',
  'test/delivery/purge.spec.ts',
  'test/delivery/fairness.spec.ts',
];

/** Starts the slowest files first, so that the workers end together, and keeps those apart that need the machine. */
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
    // What failed last comes first, as ever; the sort is stable.
    return super.sort(tests).sort((one, other) => rank(one) - rank(other) || seconds(other) - seconds(one));
  }
}
