import { type Benchmark, compare, median, percentile } from './benchmark.js';
import { insertDeliveries, insertDue, type Mailing, startMailing } from './support/mailing.js';
import { startEntry } from './support/processes.js';
import { until } from './support/time.js';

const PER_SECOND = 100;
const SMALL_TENANTS = 20;
const EACH = 10;
const FLOOD = 'tenant-1';
const SMALL = Array.from({ length: SMALL_TENANTS }, (_none, i) => `tenant-${i + 2}`);
/** Added to twice the time alone, in ms. */
const GRACE_MS = 1_000;

/** How long small tenants wait behind a flood of another one. */
export const p7: Benchmark = {
  id: 'P7',
  title: 'small tenants while another one has a flood queued, and alone',
  async run(context) {
    const flood = context.size(50_000, 2_000);
    const start = async () => {
      const sink = await startEntry('slow-sink', { PER_SECOND: String(PER_SECOND) });
      const mailing = await startMailing(await context.database(), {
        tenants: SMALL_TENANTS + 1,
        smtpPort: Number(sink.url),
        environment: { LIMIT_PER_USER_PER_HOUR: '0', LIMIT_PER_USER_PER_DAY: '0' },
      });
      return { sink, mailing };
    };
    const behind = await start();
    const alone = await start();
    await insertDeliveries(behind.mailing.database, flood, null, [FLOOD]);
    await insertDeliveries(alone.mailing.database, 1, null, [FLOOD]);
    const p95 = { behind: [] as number[], alone: [] as number[] };
    for (let run = 1; run <= context.runs; run++) {
      p95.alone.push(await arrival(alone.mailing, 0));
      p95.behind.push(await arrival(behind.mailing, PER_SECOND));
      const [ours = 0, bare = 0] = [p95.behind.at(-1), p95.alone.at(-1)];
      context.log(`run ${run}: p95 ${Math.round(ours)} ms; alone ${Math.round(bare)} ms`);
    }
    const left = await pending(behind.mailing);
    if (!context.quick && left < flood / 2) throw new Error(`only ${left} of the flood were left`);
    for (const { sink, mailing } of [behind, alone]) {
      await mailing.stop();
      await sink.stop();
      await mailing.database.drop();
    }
    const what = `p95 of ${SMALL_TENANTS} tenants with ${EACH} mails each, at ${PER_SECOND}/s`;
    return [
      compare({
        id: 'P7',
        what: `${what}, behind ${flood} of another one, vs alone; 1 s is allowed on top of the ratio`,
        unit: 'ms',
        values: p95.behind.map((ms) => Math.max(ms - GRACE_MS, 0)),
        references: p95.alone,
        target: { at_most: 2 },
      }),
    ].map((measurement) => ({ ...measurement, value: median(p95.behind) }));
  },
};

/**
 * Opens the channel, adds the small tenants' mails after the first `since` mails of the flood, and waits until they are
 * sent. @returns the 95th percentile of the times from their insert to their recorded outcome, in ms
 */
async function arrival(mailing: Mailing, since: number): Promise<number> {
  const { sql } = mailing.database;
  const sentBefore = mailing.sent();
  await mailing.open();
  await until('the flood to flow', () => mailing.sent() - sentBefore >= since);
  const [first] = (await sql.query<{ now: Date }>('SELECT clock_timestamp() AS now')).rows;
  await insertDue(mailing.database, SMALL_TENANTS * EACH, null, SMALL);
  await mailing.kick();
  const waits = async () => {
    const { rows } = await sql.query<{ ms: number | null }>(
      `SELECT (extract(epoch FROM d.sent_at - d.created_at) * 1000)::float AS ms
       FROM deliveries d JOIN tenants t ON t.id = d.tenant_id
       WHERE t.slug = ANY ($1) AND d.created_at >= $2`,
      [SMALL, first?.now],
    );
    return rows.map(({ ms }) => ms);
  };
  await until('the small tenants', async () => (await waits()).every((ms) => ms !== null), { everyMs: 200 });
  await mailing.pause();
  const times = (await waits()).map((ms) => ms ?? Number.NaN);
  if (times.length !== SMALL_TENANTS * EACH) throw new Error(`${times.length} mails of small tenants`);
  return percentile(times, 0.95);
}

async function pending({ database }: Mailing): Promise<number> {
  const { rows } = await database.sql.query<{ count: number }>(
    `SELECT count(*) FROM deliveries WHERE state = 'pending'`,
  );
  return rows[0]?.count ?? 0;
}
