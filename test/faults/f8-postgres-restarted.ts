import { until } from '../support/until.js';
import { Driver } from './driver.js';
import type { Scenario } from './scenario.js';
import { onStage, type Stage } from './stage.js';

const RECOVERED_MS = 15_000;

export const f8: Scenario = {
  id: 'F8',
  title: 'fast restart of PostgreSQL under load, and every backend terminated',
  run: (options) =>
    onStage({}, async (stage) => {
      const { installation, sink } = stage;
      const cycles = options.full ? 5 : 1;
      const [web] = await Promise.all([
        installation.startProcess('web'),
        installation.startProcess('worker'),
        installation.startProcess('scheduler'),
      ]);
      const driver = await Driver.start(web.url);
      const load = driver.load(4);
      for (let cycle = 0; cycle < cycles; cycle++) {
        await sink.more(20, 60_000);
        await installation.restartPostgres();
        await recovers(stage, driver, 'a restart');
        await installation.terminateBackends();
        await recovers(stage, driver, 'every backend was terminated');
      }
      await load.stop();
      return stage.judge(driver, options, { id: 'F8', repetitions: 2 * cycles, dup_bound: 0 });
    }),
};

/** A new request gets a 2xx, and its mail arrives. */
async function recovers(stage: Stage, driver: Driver, after: string): Promise<void> {
  const backAt = performance.now();
  const to = `after-${Math.round(backAt)}@cabinet-martin.example`;
  await driver.person(to);
  await until(`a mail after ${after}`, () => stage.sink.timesAsked(to) > 0, 60_000);
  const ms = Math.round(performance.now() - backAt);
  stage.expect(ms <= RECOVERED_MS, `recovered ${ms} ms after ${after}`);
}
