import { until } from '../support/until.js';
import { Driver } from './driver.js';
import { Random } from './random.js';
import { ReplicatedPostgres } from './replicated-postgres.js';
import type { RunOptions, Scenario, Verdict } from './scenario.js';
import { onStage, type Stage } from './stage.js';

const CLIENTS = 4;
const RECOVERED_MS = 15_000;

/** What comes first: the address moves to the standby, or the standby is promoted. */
const ORDERS = ['address', 'promotion'] as const;
type Order = (typeof ORDERS)[number];

export const f19: Scenario = {
  id: 'F19',
  title: 'kill -9 of the PostgreSQL primary under load; its synchronous standby is promoted',
  run: async (options) => {
    const verdicts: Verdict[] = [];
    for (const order of options.full ? ORDERS : ORDERS.slice(0, 1))
      verdicts.push(await failOver(order, options));
    const sum = (of: (verdict: Verdict) => number) => verdicts.reduce((total, each) => total + of(each), 0);
    return {
      id: 'F19',
      repetitions: verdicts.length,
      accepted: sum(({ accepted }) => accepted),
      lost: sum(({ lost }) => lost),
      dup: sum(({ dup }) => dup),
      dup_bound: sum(({ dup_bound }) => dup_bound),
      seed: options.seed,
      ok: verdicts.every(({ ok }) => ok),
      broken: verdicts.flatMap(({ broken }) => broken),
    };
  },
};

async function failOver(order: Order, options: RunOptions): Promise<Verdict> {
  let postgres: ReplicatedPostgres | undefined;
  return onStage(
    {},
    async (stage) => {
      if (postgres === undefined) throw new Error('PostgreSQL was not started');
      const { installation, sink } = stage;
      const [web] = await Promise.all([
        installation.startProcess('web'),
        installation.startProcess('worker,scheduler'),
      ]);
      const driver = await Driver.start(web.url);
      const load = driver.load(CLIENTS);
      await sink.more(new Random(options.seed).between(20, 60), 60_000);
      await postgres.killPrimary();
      if (order === 'address') {
        postgres.moveAddress();
        await until('readiness to name the standby', async () =>
          (await readiness(web.url)).includes('standby'),
        );
        await postgres.promote();
      } else {
        await postgres.promote();
        postgres.moveAddress();
      }
      await recovers(stage, driver, web.url);
      await load.stop();
      const faults = driver.refusals.filter((refusal) => refusal.startsWith('500'));
      stage.expect(faults.length === 0, `the API answered ${faults[0] ?? ''}`);
      return stage.judge(driver, options, { id: 'F19', repetitions: 1, dup_bound: 0 });
    },
    async (dir) => (postgres = await ReplicatedPostgres.start(dir)),
  );
}

/** The status of `/readyz`, and its reason. */
async function readiness(url: string): Promise<string> {
  const response = await fetch(`${url}/readyz`);
  return `${response.status} ${await response.text()}`;
}

/** The web process is ready, a new request gets a 2xx, and its mail arrives. */
async function recovers(stage: Stage, driver: Driver, url: string): Promise<void> {
  const promotedAt = performance.now();
  const to = 'after-promotion@cabinet-martin.example';
  await until('readiness', async () => (await readiness(url)).startsWith('200'), 60_000);
  await driver.person(to);
  await until('a mail after the promotion', () => stage.sink.timesAsked(to) > 0, 60_000);
  const ms = Math.round(performance.now() - promotedAt);
  stage.expect(ms <= RECOVERED_MS, `recovered ${ms} ms after the promotion`);
}
