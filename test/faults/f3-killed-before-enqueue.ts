import { until } from '../support/until.js';
import { commitGate } from './commit-gate.js';
import { Driver } from './driver.js';
import type { Scenario } from './scenario.js';
import { onStage, type Stage } from './stage.js';

const ADMITTED_MS = 90_000;

export const f3: Scenario = {
  id: 'F3',
  title: 'kill -9 between commit and wake-up (web), and between commit and enqueue (dispatcher)',
  run: (options) =>
    onStage({}, async (stage) => {
      const { installation } = stage;
      const repetitions = options.full ? 5 : 1;
      const [web] = await Promise.all([
        installation.startProcess('web'),
        installation.startProcess('worker'),
      ]);
      const driver = await Driver.start(web.url);
      for (let repetition = 0; repetition < repetitions; repetition++) {
        await killWeb(stage, driver);
        await killDispatcher(stage, driver);
      }
      return stage.judge(driver, options, { id: 'F3', repetitions: 2 * repetitions, dup_bound: 0 });
    }),
};

/** The process has committed, but neither woke the dispatcher nor answered: the client retries with another one. */
async function killWeb({ installation }: Stage, driver: Driver): Promise<void> {
  const gate = await commitGate(installation.environment.DATABASE_APP_URL ?? '');
  const victim = await installation.startProcess('web', { DATABASE_APP_URL: gate.url });
  const others = driver.urls;
  driver.urls = [victim.url, ...others];
  gate.holdAfter('INSERT INTO deliveries');
  const before = driver.accepted.length;
  const asking = driver.people(8);
  await until('eight commits that nobody heard of', () => gate.held === 8);
  if (driver.accepted.length > before) throw new Error('accepted before it was committed');
  victim.kill('SIGKILL');
  await victim.ended;
  driver.urls = others;
  await asking;
  await gate.close();
}

/** The dispatcher has admitted, but enqueued nothing in Redis. */
async function killDispatcher(stage: Stage, driver: Driver): Promise<void> {
  const { installation } = stage;
  const gate = await commitGate(installation.environment.DATABASE_SYSTEM_URL ?? '');
  gate.holdAfter(`SET state = 'queued'`);
  await driver.people(20);
  const victim = await installation.startProcess('scheduler', { DATABASE_SYSTEM_URL: gate.url });
  await until('an admission that was committed', () => gate.held > 0);
  victim.kill('SIGKILL');
  await victim.ended;
  const killedAt = performance.now();
  await gate.close();
  const admitted = await installation.count(`SELECT count(*) FROM deliveries WHERE state = 'queued'`);
  stage.expect(admitted > 0, 'nothing was admitted when the dispatcher was killed');

  const successor = await installation.startProcess('scheduler');
  await installation.drained(ADMITTED_MS + 5_000);
  const ms = performance.now() - killedAt;
  stage.expect(ms <= ADMITTED_MS, `admitted and sent after ${Math.round(ms)} ms`);
  await successor.stop();
}
