import { setTimeout as delay } from 'node:timers/promises';
import { Driver } from './driver.js';
import { Random } from './random.js';
import type { Scenario } from './scenario.js';
import { onStage, type Stage } from './stage.js';

const CONCURRENCY = 5;
/** Several rounds of a dispatcher that polls every second. */
const ROUNDS_MS = 2_500;

export const f5: Scenario = {
  id: 'F5',
  title: 'FLUSHALL of Redis: idle, with the channel paused, and in the middle of sending',
  run: (options) =>
    onStage({ MAIL_CONCURRENCY: String(CONCURRENCY), DISPATCH_INTERVAL_SECONDS: '1' }, async (stage) => {
      const { installation, sink } = stage;
      const random = new Random(options.seed);
      const cycles = options.full ? 5 : 1;
      const [web] = await Promise.all([
        installation.startProcess('web'),
        installation.startProcess('worker'),
        installation.startProcess('scheduler'),
      ]);
      const driver = await Driver.start(web.url);
      for (let cycle = 0; cycle < cycles; cycle++) {
        await installation.drained(30_000);
        await installation.flushRedis();
        await driver.deadlines(10);
        stage.expect(await installation.drained(30_000), 'nothing went on after a FLUSHALL at rest');

        await flushWhilePaused(stage, driver);

        const people = driver.people(80);
        await Promise.all([sink.more(random.between(5, 40)), driver.deadlines(80)]);
        await installation.flushRedis();
        await people;
        stage.expect(await installation.drained(60_000), 'not drained a minute after FLUSHALL');
      }
      return stage.judge(driver, options, {
        id: 'F5',
        repetitions: 3 * cycles,
        // Leases are in PostgreSQL: messages being sent when Redis loses them are not re-sent.
        dup_bound: 0,
      });
    }),
};

async function flushWhilePaused(stage: Stage, driver: Driver): Promise<void> {
  const { installation, sink } = stage;
  await installation.sql(`UPDATE channels SET paused = true WHERE channel = 'email'`);
  const before = sink.received.length;
  await driver.people(10);
  await installation.flushRedis();
  // Wait, to see that nothing happens.
  await delay(ROUNDS_MS);
  stage.expect(sink.received.length === before, 'mails left though the channel was paused');
  await installation.sql(`UPDATE channels SET paused = false WHERE channel = 'email'`);
}
