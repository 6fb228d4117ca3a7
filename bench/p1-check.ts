import { type Benchmark, compare, limit } from './benchmark.js';
import type { BenchContext, BenchDatabase } from './context.js';
import { insertTenants } from './support/people.js';
import { type Child, residentMb, startServer, watchMemory } from './support/processes.js';
import { seconds, until } from './support/time.js';
import { OPERATOR, triggerOf } from './support/operator.js';

const DEADLINES = 1_000;
/** How many of a tenant's deadlines are near enough to be announced. */
const DUE = 104;

/** The daily check of every tenant: alerts, notifications and deliveries committed. */
export const p1: Benchmark = {
  id: 'P1',
  title: 'a check over all tenants, through runs and row-level security',
  async run(context) {
    const database = await context.database();
    const tenants = context.size(1_000, 20);
    await seed(database, tenants);
    const environment = {
      ...database.environment,
      SMTP_HOST: '127.0.0.1',
      SMTP_FROM_EMAIL: 'vigie@vigie.example',
      ...OPERATOR,
    };
    const web = await startServer(environment, 'web');
    const worker = await startServer(environment, 'worker');
    const trigger = await triggerOf(web, 'check-notifications');
    const figures = await measure(context, database, worker, trigger, tenants * DUE);
    await Promise.all([web.stop(), worker.stop()]);
    await database.drop();

    const unit = 'rows/s';
    return [
      compare({
        id: 'P1',
        what: `check of ${tenants} tenants × ${DEADLINES} deadlines, vs three bare INSERT … SELECT`,
        unit,
        values: figures.first,
        references: figures.bare,
        target: { at_least: 0.6 },
      }),
      compare({
        id: 'P1',
        what: 'the same, vs row by row with a look-up first',
        unit,
        values: figures.first,
        references: figures.rowByRow,
        target: { at_least: 12 },
      }),
      compare({
        id: 'P1',
        what: 'second check, all duplicates, vs the first',
        unit: 's',
        values: figures.secondSeconds,
        references: figures.firstSeconds,
        target: { at_most: 0.4 },
      }),
      limit({
        id: 'P1',
        what: "growth of the worker's resident memory",
        unit: 'MB',
        values: [Math.max(...figures.growth)],
        target: { at_most: 50 },
      }),
    ];
  },
};

async function measure(
  context: BenchContext,
  database: BenchDatabase,
  worker: Child,
  trigger: () => Promise<void>,
  due: number,
) {
  const figures = {
    first: [] as number[],
    firstSeconds: [] as number[],
    secondSeconds: [] as number[],
    bare: [] as number[],
    rowByRow: [] as number[],
    growth: [] as number[],
  };
  const check = async () => {
    await trigger();
    await until('the check', () => isDone(database), { everyMs: 50 });
  };
  const before = await residentMb(worker.pid);
  for (let run = 1; run <= context.runs; run++) {
    await empty(database);
    const watch = watchMemory(worker);
    const first = await seconds(check);
    await assertRows(database, due);
    // Hours pass between two checks of a day, and so does an autovacuum.
    await database.sql.query('VACUUM ANALYZE alerts, notifications, deliveries, inboxes, job_runs');
    const second = await seconds(check);
    figures.growth.push((await watch.stop()) - before);
    await assertRows(database, due);

    await empty(database);
    const bare = await seconds(() => bareInserts(database));
    const sample = Math.min(due, context.size(2_000, 200));
    const rowByRow = await seconds(() => insertRowByRow(database, sample));
    figures.firstSeconds.push(first);
    figures.secondSeconds.push(second);
    figures.first.push(due / first);
    figures.bare.push(due / bare);
    figures.rowByRow.push(sample / rowByRow);
    context.log(
      `run ${run}: ${first.toFixed(1)} s, again ${second.toFixed(1)} s; bare ${bare.toFixed(1)} s; ` +
        `row by row ${Math.round(sample / rowByRow)}/s`,
    );
  }
  return figures;
}

async function seed({ sql }: BenchDatabase, tenants: number): Promise<void> {
  await insertTenants(sql, tenants, 10);
  await sql.query(
    `INSERT INTO deadlines (tenant_id, title, category, client_name, due_on, responsible_id)
     SELECT m.tenant_id, 'Deadline ' || i, 'TVA', 'Client ' || i % 50,
            current_date + CASE WHEN i <= $1 THEN i % 8 ELSE 30 + i % 300 END, m.id
     FROM generate_series(1, $2::integer) i
     JOIN (SELECT tenant_id, id, row_number() OVER (PARTITION BY tenant_id ORDER BY id) - 1 AS place
           FROM users WHERE role = 'member') m ON m.place = i % 10`,
    [DUE, DEADLINES],
  );
  // The same columns, defaults, checks and indexes, without row-level security and foreign keys.
  await sql.query(
    `CREATE SCHEMA bare;
     CREATE TABLE bare.alerts (LIKE alerts INCLUDING ALL);
     CREATE TABLE bare.notifications (LIKE notifications INCLUDING ALL);
     CREATE TABLE bare.deliveries (LIKE deliveries INCLUDING ALL)`,
  );
  await sql.query('VACUUM ANALYZE');
}

async function isDone({ sql }: BenchDatabase): Promise<boolean> {
  const { rows } = await sql.query<{ state: string }>(
    `SELECT state FROM job_runs WHERE state <> 'succeeded' ORDER BY state LIMIT 1`,
  );
  if (rows[0]?.state === 'failed') throw new Error('a check failed');
  return rows.length === 0;
}

async function assertRows({ sql }: BenchDatabase, due: number): Promise<void> {
  for (const table of ['alerts', 'notifications', 'deliveries']) {
    const { rows } = await sql.query<{ count: number }>(`SELECT count(*) FROM ${table}`);
    if (rows[0]?.count !== due) throw new Error(`${table} has ${rows[0]?.count} rows instead of ${due}`);
  }
}

async function empty({ sql }: BenchDatabase): Promise<void> {
  await sql.query(
    `TRUNCATE alerts, notifications, channel_fallbacks, deliveries, delivery_events, provider_events, stopped_addresses,
              inboxes, job_runs, bare.alerts, bare.notifications, bare.deliveries`,
  );
  await sql.query('CHECKPOINT');
}

const NEAR = `FROM deadlines d WHERE d.completed_at IS NULL AND d.due_on <= current_date + 7`;

/** The reference: the same rows, in one transaction of three statements. */
async function bareInserts({ sql }: BenchDatabase): Promise<void> {
  const client = await sql.connect();
  try {
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO bare.alerts (tenant_id, kind, severity, source_type, source_id, dedupe_key, stage, data,
                                first_seen_at, last_seen_at)
       SELECT d.tenant_id, 'deadline_near', 'info', 'deadline', d.id, 'deadline:' || d.id || ':' || d.due_on, 7,
              jsonb_build_object('deadline_id', d.id, 'title', d.title, 'description', d.description,
                                 'client_name', d.client_name, 'due_on', d.due_on, 'category', d.category),
              now(), now() ${NEAR}`,
    );
    await client.query(
      `INSERT INTO bare.notifications (tenant_id, recipient, user_id, alert_id, dedupe_key, kind, severity,
                                       data, audience, seq, created_at)
       SELECT a.tenant_id, 'user:' || d.responsible_id, d.responsible_id, a.id, a.dedupe_key || ':7', a.kind, a.severity,
              a.data, 'responsible', 1, now()
       FROM bare.alerts a JOIN deadlines d ON d.tenant_id = a.tenant_id AND d.id = a.source_id`,
    );
    await client.query(
      `INSERT INTO bare.deliveries (tenant_id, notification_id, recipient, critical, channel, address, due_at,
                                    created_at)
       SELECT n.tenant_id, n.id, n.recipient, false, 'email', u.email, now(), now()
       FROM bare.notifications n JOIN users u ON u.tenant_id = n.tenant_id AND u.id = n.user_id`,
    );
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}

/** The reference of the old systems: for each deadline a look-up and the missing inserts, in a separate transaction. */
async function insertRowByRow({ sql }: BenchDatabase, sample: number): Promise<void> {
  await sql.query('TRUNCATE bare.alerts, bare.notifications, bare.deliveries');
  const { rows: near } = await sql.query<{
    tenant_id: string;
    id: string;
    title: string;
    responsible_id: string;
  }>(`SELECT d.tenant_id, d.id, d.title, d.responsible_id ${NEAR} LIMIT $1`, [sample]);
  const client = await sql.connect();
  try {
    for (const { tenant_id, id, title, responsible_id } of near) {
      const key = `deadline:${id}`;
      await client.query('BEGIN');
      const { rows: known } = await client.query(
        'SELECT id FROM bare.alerts WHERE tenant_id = $1 AND dedupe_key = $2 AND gone_at IS NULL',
        [tenant_id, key],
      );
      if (known.length === 0) {
        const { rows: alert } = await client.query<{ id: string }>(
          `INSERT INTO bare.alerts (tenant_id, kind, severity, source_type, source_id, dedupe_key, stage, data,
                                    first_seen_at, last_seen_at)
           VALUES ($1, 'deadline_near', 'info', 'deadline', $2, $3, 7, jsonb_build_object('title', $4::text), now(),
                   now()) RETURNING id`,
          [tenant_id, id, key, title],
        );
        const { rows: notification } = await client.query<{ id: string }>(
          `INSERT INTO bare.notifications (tenant_id, recipient, user_id, alert_id, dedupe_key, kind, severity,
                                           data, audience, created_at)
           VALUES ($1, 'user:' || $2::uuid, $2, $3, $4, 'deadline_near', 'info', jsonb_build_object('title', $5::text),
                   'responsible', now()) RETURNING id`,
          [tenant_id, responsible_id, alert[0]?.id, key, title],
        );
        await client.query(
          `INSERT INTO bare.deliveries (tenant_id, notification_id, recipient, critical, channel, address, due_at,
                                        created_at)
           VALUES ($1, $2, 'user:' || $3::uuid, false, 'email', 'user@example.com', now(), now())`,
          [tenant_id, notification[0]?.id, responsible_id],
        );
      }
      await client.query('COMMIT');
    }
  } finally {
    client.release();
  }
}
