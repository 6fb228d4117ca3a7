import { type Backlog, insertBacklog } from '../support/backlog.js';
import type { ServerProcess } from '../support/processes.js';
import { until } from '../support/until.js';
import { Driver } from './driver.js';
import { Random } from './random.js';
import type { Scenario } from './scenario.js';
import { onStage, type Stage } from './stage.js';

const CONCURRENCY = 3;
const POINTS = 4;
const RESUMED_MS = 30_000;
/** The backlog when a worker is killed at random: many times what the workers process at once. */
const BACKLOG_TENANTS = 4;
const BACKLOG_OF_TENANT = { quick: 100, full: 500 };

export const f1: Scenario = {
  id: 'F1',
  title: 'kill -9 of a worker: before claim, before DATA, after the dot, at random',
  run: (options) =>
    onStage({ MAIL_CONCURRENCY: String(CONCURRENCY) }, async (stage) => {
      const random = new Random(options.seed);
      const cycles = options.full ? 5 : 1;
      const { installation, sink } = stage;
      const [web] = await Promise.all([
        installation.startProcess('web'),
        installation.startProcess('scheduler'),
        installation.startProcess('worker'),
      ]);
      const driver = await Driver.start(web.url);
      await installation.drained(15_000);
      for (let cycle = 0; cycle < cycles; cycle++) {
        await killAtEachPoint(stage, driver, random, {
          prefix: `backlog${cycle}`,
          tenants: BACKLOG_TENANTS,
          deliveries: BACKLOG_OF_TENANT[options.full ? 'full' : 'quick'],
        });
        const killedAt = performance.now();
        await installation.drained(60_000);
        const ms = performance.now() - killedAt;
        stage.expect(ms <= RESUMED_MS, `resumed after ${Math.round(ms)} ms`);
      }
      const kills = cycles * POINTS;
      const verdict = await stage.judge(driver, options, {
        id: 'F1',
        repetitions: kills,
        dup_bound: kills * CONCURRENCY,
      });
      const faults = [
        ...(await neverLostWhileSending(stage, [...sink.repeats().keys()])),
        ...(await notOnceInTheSink(stage)),
      ];
      return { ...verdict, ok: verdict.ok && faults.length === 0, broken: [...verdict.broken, ...faults] };
    }),
};

async function killAtEachPoint(
  stage: Stage,
  driver: Driver,
  random: Random,
  backlog: Backlog,
): Promise<void> {
  const { installation, sink } = stage;
  const start = () => installation.startProcess('worker');
  const [unclaimed, envelope, dot, anywhere] = await Promise.all([start(), start(), start(), start()]);
  const sending = (count: number) =>
    until(`${count} to be sent at once`, async () => (await inState(stage, 'sending')) >= count);

  // While four processes start, the proof that the channel works may expire: without it, mails leave one by one.
  await driver.person();
  await installation.drained(15_000);

  // Bull assigns jobs to the stopped worker too, which claims none. The others have three mails each.
  unclaimed.kill('SIGSTOP');
  const atRecipient = sink.hold('rcpt');
  // One mail of thirty notifications, which a kill may interrupt, among single ones.
  await driver.deadlines(30);
  await driver.people(30);
  await sending(4 * CONCURRENCY);
  await until('mails that wait for a worker', async () => (await inState(stage, 'queued')) > 0);
  await kill(unclaimed);
  await until('every sender to be at RCPT', () => atRecipient.held >= 4 * CONCURRENCY);
  await kill(envelope);

  const atDot = sink.hold('dot');
  atRecipient.release();
  await until('every sender to be at the dot', () => atDot.held >= 3 * CONCURRENCY);
  await kill(dot);
  sink.behave(() => 'ok');
  atDot.release();

  await insertBacklog(
    { query: async (text, values) => ({ rows: await installation.sql(text, values) }) },
    backlog,
  );
  const work = Promise.all([driver.people(40), driver.deadlines(60)]);
  await sink.more(random.between(1, 15));
  await kill(anywhere);
  await work;
}

async function kill(server: ServerProcess): Promise<void> {
  server.kill('SIGKILL');
  await server.ended;
}

/** How many mails are in this state. */
async function inState({ installation }: Stage, state: string): Promise<number> {
  return installation.count(`SELECT count(*) FROM deliveries WHERE state = $1 AND leads`, [state]);
}

/** The duplicates, by bundle id, that no killed process was sending. */
async function neverLostWhileSending({ installation }: Stage, duplicates: string[]): Promise<string[]> {
  const rows = await installation.sql<{ bundle_id: string }>(
    `SELECT DISTINCT bundle_id FROM deliveries WHERE bundle_id = ANY ($1::uuid[]) AND ambiguities = 0`,
    [duplicates],
  );
  return rows.map(({ bundle_id }) => `${bundle_id} arrived twice though nobody was lost while sending it`);
}

/** How many mails, including the backlog's, are not sent or not in the mail server exactly once. */
async function notOnceInTheSink({ installation, sink }: Stage): Promise<string[]> {
  const rows = await installation.sql<{ bundle_id: string | null; state: string }>(
    `SELECT bundle_id, state FROM deliveries WHERE leads`,
  );
  const received = new Set(sink.received);
  return rows
    .filter(({ bundle_id, state }) => state !== 'sent' || !received.has(bundle_id ?? ''))
    .map(({ bundle_id, state }) => `a mail is ${state}, and ${bundle_id ?? 'it'} has not arrived`)
    .slice(0, 5);
}
