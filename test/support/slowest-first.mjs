import sequencer from '@jest/test-sequencer';

// A CommonJS module: which of the two it is depends on who imports it.
const TestSequencer = sequencer.default ?? sequencer;

/**
 * How long the slowest files take, in s, on a machine of two cores: where Jest knows no durations yet (a new clone, CI),
 * it goes by size, and the suite would end with one worker waiting for the last of these.
 */
const KNOWN_SECONDS = new Map([
  ['test/faults/faults.spec.ts', 190],
  ['test/delivery/fairness.spec.ts', 40],
  ['test/delivery/purge.spec.ts', 40],
  ['test/imports/crash.spec.ts', 40],
  ['test/delivery/send-now-crash.spec.ts', 40],
  ['test/rules/routes.spec.ts', 30],
  ['src/due-items/due-items.spec.ts', 30],
]);

/** Starts the slowest files first, so that the workers end together. */
export default class SlowestFirst extends TestSequencer {
  sort(tests) {
    const seconds = ({ path, duration }) => {
      const known = [...KNOWN_SECONDS].find(([file]) => path.endsWith(file))?.[1] ?? 0;
      return Math.max(known, (duration ?? 0) / 1_000);
    };
    // What failed last comes first, as ever; the sort is stable.
    return super.sort(tests).sort((one, other) => seconds(other) - seconds(one));
  }
}
