import { stopProcesses } from '../support/processes.js';
import { type Ended, runScenarios } from './scenario.js';
import { LANES, SCENARIOS } from './scenarios.js';

/**
 * V6: nothing is lost, whatever breaks. The quick form of every scenario of docs/faults.md, on real processes;
 * `npm run test:faults` runs them alone, `-- --full` in full.
 */
describe('a whole installation', () => {
  let ends: Promise<Ended>[];

  beforeAll(() => {
    const seed = Math.floor(Math.random() * 1_000_000);
    ends = runScenarios(SCENARIOS, LANES, { seed, full: false });
  });

  afterAll(() => stopProcesses());

  it.each(SCENARIOS.map(({ id, title }, position) => ({ id, title, position })))(
    '$id: $title: nothing lost, no more duplicates than the fault explains',
    async ({ position }) => {
      const { verdict } = (await ends[position])!;
      expect(verdict).toMatchObject({ broken: [], lost: 0, ok: true });
      expect(verdict.dup).toBeLessThanOrEqual(verdict.dup_bound);
      expect(verdict.accepted).toBeGreaterThan(0);
    },
    180_000,
  );
});
