import { setTimeout as delay } from 'node:timers/promises';
import { Driver } from './driver.js';
import type { Scenario } from './scenario.js';
import { onStage, type Stage } from './stage.js';

const DRAINED_MS = 60_000;

export const f4: Scenario = {
  id: 'F4',
  title: 'Redis is killed under load, and comes back empty after 5 s (and 60 s)',
  run: (options) =>
    onStage({}, async (stage) => {
      const { installation } = stage;
      const [web] = await Promise.all([
        installation.startProcess('web'),
        installation.startProcess('worker'),
        installation.startProcess('scheduler'),
      ]);
      const driver = await Driver.start(web.url);
      const absences = options.full ? [5_000, 60_000] : [5_000];
      for (const ms of absences) await withoutRedis(stage, driver, ms);
      stage.expect(driver.refusals.length === 0, `the API answered: ${driver.refusals[0] ?? ''}`);
      return stage.judge(driver, options, { id: 'F4', repetitions: absences.length, dup_bound: 0 });
    }),
};

async function withoutRedis(stage: Stage, driver: Driver, ms: number): Promise<void> {
  const { installation, sink } = stage;
  const load = driver.load(4);
  await sink.more(10);
  await installation.killRedis();
  await delay(ms);
  await installation.restartRedis();
  await load.stop();
  stage.expect(await installation.drained(DRAINED_MS), `not drained a minute after ${ms} ms without Redis`);
}
