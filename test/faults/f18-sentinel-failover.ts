import { RedisSentinels } from '../support/redis-sentinels.js';
import { until } from '../support/until.js';
import { Driver } from './driver.js';
import { Random } from './random.js';
import type { Scenario } from './scenario.js';
import { onStage, type Stage } from './stage.js';

const DRAINED_MS = 60_000;
/** A request made after the failover has its mail within this time. */
const RECOVERED_MS = 15_000;

/** How the primary is lost. */
type Loss = 'killed' | 'frozen' | 'replaced';

export const f18: Scenario = {
  id: 'F18',
  title: 'the primary behind Redis Sentinels is killed under load (and frozen, and replaced)',
  run: async (options) => {
    const redis = await RedisSentinels.start();
    try {
      return await onStage({ REDIS_URL: redis.url }, async (stage) => {
        const random = new Random(options.seed);
        const { installation, sink } = stage;
        const [web] = await Promise.all([
          installation.startProcess('web'),
          installation.startProcess('worker'),
          installation.startProcess('scheduler'),
        ]);
        const driver = await Driver.start(web.url);
        const losses: readonly Loss[] = options.full
          ? [...random.shuffled<Loss>(['killed', 'frozen', 'replaced']), 'killed', 'killed']
          : ['killed'];
        let comeBack = () => Promise.resolve();
        for (const loss of losses) {
          await comeBack();
          const load = driver.load(4);
          await sink.more(random.between(5, 20));
          comeBack = await lose(redis, loss);
          await recovers(stage, driver, loss);
          await load.stop();
          stage.expect(await installation.drained(DRAINED_MS), `not drained a minute after it was ${loss}`);
        }
        stage.expect(driver.refusals.length === 0, `the API answered: ${driver.refusals[0] ?? ''}`);
        return stage.judge(driver, options, { id: 'F18', repetitions: losses.length, dup_bound: 0 });
      });
    } finally {
      await redis.stop();
    }
  },
};

/** Takes the primary away and waits for the next one. @returns what makes the old one its replica */
async function lose(redis: RedisSentinels, loss: Loss): Promise<() => Promise<void>> {
  const before = await redis.primary();
  if (loss === 'killed') await redis.killPrimary();
  else if (loss === 'frozen') process.kill(before.pid, 'SIGSTOP');
  else await redis.failOver();
  await redis.failedOver(before);
  return async () => {
    if (loss === 'killed') await redis.restart(before);
    if (loss === 'frozen') process.kill(before.pid, 'SIGCONT');
    await redis.hasReplica();
  };
}

/** A new request gets a 2xx, and its mail arrives. */
async function recovers(stage: Stage, driver: Driver, loss: Loss): Promise<void> {
  const backAt = performance.now();
  const to = `after-${Math.round(backAt)}@cabinet-martin.example`;
  await driver.person(to);
  await until(`a mail after the primary was ${loss}`, () => stage.sink.timesAsked(to) > 0, DRAINED_MS);
  const ms = Math.round(performance.now() - backAt);
  stage.expect(ms <= RECOVERED_MS, `the first mail came ${ms} ms after the failover (${loss})`);
}
