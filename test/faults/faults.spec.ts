import { stopProcesses } from '../support/processes.js';
import { SCENARIOS } from './scenarios.js';

const LONGEST = 'F11';
// The longest first, so that the others fill the time beside it and none runs alone at the end.
const scenarios = [
  ...SCENARIOS.filter(({ id }) => id === LONGEST),
  ...SCENARIOS.filter(({ id }) => id !== LONGEST),
];

/**
 * V6: nothing is lost, whatever breaks. Runs the quick form of every scenario of docs/faults.md, with real processes;
 * `npm run test:faults` runs only these, with `-- --full` in full.
 */
describe('a whole installation loses nothing, and repeats only what the fault explains', () => {
  afterAll(() => stopProcesses());

  // A few in parallel: most of their time is waiting for leases to expire.
  it.concurrent.each(scenarios)(
    '$id: $title',
    async (scenario) => {
      // Printed at the end of the run, even if a scenario throws; `npx jest test/faults --seed <it>` repeats it.
      const seed = Math.abs(jest.getSeed()) % 1_000_000_000;
      const verdict = await scenario.run({ seed, full: false });
      for (const what of verdict.left_out ?? []) console.warn(`${verdict.id}: not tried: ${what}`);
      expect(verdict).toEqual({ ...verdict, broken: [], lost: 0, ok: true });
      expect(verdict.dup).toBeLessThanOrEqual(verdict.dup_bound);
      expect(verdict.accepted).toBeGreaterThan(0);
    },
    300_000,
  );
});
