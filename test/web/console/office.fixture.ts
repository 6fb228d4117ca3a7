import { addPerson, addTenant } from '../../support/cast.js';
import { insertRow } from '../../support/rows.js';
import { runJob } from '../../support/watched.js';
import type { World } from '../../support/world.js';
import { addJob, addManyJobs } from '../../../src/backups/board/records.fixture.js';

export interface Office {
  tenant_id: string;
  /** Of its admin, for `signInByCookie`. */
  login: { email: string; password: string; tenant: string };
}

const DAY_MS = 86_400_000;

/** The least number of rows in each list of the office. */
export const ROWS = 200;

/**
 * An office with a lot of data: late and due items of each kind, awaited documents, good and bad backups, ended, running
 * and planned runs, messages that were sent, failed or not sent for two reasons. Each list has 200 rows.
 */
export async function fullOffice(world: World): Promise<Office> {
  const tenant = await addTenant(world, { slug: 'cabinet-plein', name: 'Cabinet Plein' });
  const { email, password } = await addPerson(world, tenant.id, { name: 'Zoé', role: 'admin' });
  await dueItems(world, tenant.id);
  await backups(world, tenant.id);
  await runJob(world, tenant.id, 'check-notifications');
  // The second check finds the same facts: nothing new.
  await runJob(world, tenant.id, 'check-notifications');
  await outcomes(world, tenant.id);
  await world.sql(
    `INSERT INTO users (tenant_id, email, name, role, created_at)
     SELECT $1, 'p' || n || '@plein.example', 'Personne ' || n, 'member', now() FROM generate_series(1, $2::int) n`,
    [tenant.id, ROWS],
  );
  await insertRow(world, 'job_runs', {
    ...{ tenant_id: tenant.id, job: 'scan-backups', state: 'running' },
    ...{ counts: { files: 3, bytes: 1_200_000 }, due_at: new Date() },
    ...{ created_at: new Date(), started_at: new Date() },
  });
  return { tenant_id: tenant.id, login: { email, password, tenant: tenant.slug } };
}

async function dueItems(world: World, tenantId: string): Promise<void> {
  const today = `(now() AT TIME ZONE 'Europe/Paris')::date`;
  const items = [
    ['deadlines', 'TVA', -3, 10],
    ['tasks', 'Appeler', -1, 1],
    ['tasks', 'Saisir', 0, 2],
    ['deadlines', 'IS', 5, 3],
    ['deadlines', 'Bilan', 40, ROWS],
    ['document_requests', 'Relevé', -2, 1],
    ['document_requests', 'Facture', 60, 9],
  ] as const;
  for (const [table, title, days, many] of items)
    await world.sql(
      `INSERT INTO ${table} (tenant_id, title, due_on)
       SELECT $1, $2 || ' ' || n, ${today} + $3::int FROM generate_series(1, $4::int) n`,
      [tenantId, title, days, many],
    );
}

async function backups(world: World, tenantId: string): Promise<void> {
  const since = new Date(Date.now() - 5 * DAY_MS);
  for (const [database_name, status] of Object.entries({
    ...{ compta: 'FAILED', paie: 'MISSING', devis: 'SUCCESS', stock: 'unknown' },
  }))
    await addJob(world, tenantId, {
      ...{ database_name, status, status_since: since },
      ...(status === 'SUCCESS' ? { last_success_at: since } : {}),
    });
  await addManyJobs(world, tenantId, ROWS, new Date().toISOString());
}

/** Of every four deliveries, two are sent, one failed and one was not sent, for one of two reasons. */
async function outcomes(world: World, tenantId: string): Promise<void> {
  await world.sql(
    `UPDATE deliveries d SET ended_at = now(), sent_at = CASE WHEN place % 4 < 2 THEN now() END,
       state = (ARRAY['sent', 'sent', 'failed', 'suppressed'])[1 + place % 4],
       error = CASE WHEN place % 4 = 2 THEN '550 5.1.1 no such user' END,
       reason = CASE WHEN place % 4 = 3 THEN (ARRAY['preference', 'absent'])[1 + place % 8 / 4] END
     FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM deliveries WHERE tenant_id = $1) o
     WHERE d.id = o.id AND d.tenant_id = $1`,
    [tenantId],
  );
  // Longer lists of alerts and of notifications.
  await world.sql(
    `INSERT INTO alerts (tenant_id, kind, severity, source_type, source_id, dedupe_key, data, first_seen_at, last_seen_at)
     SELECT tenant_id, 'deadline_near', 'warning', 'deadline', id, 'bilan:' || id,
            jsonb_build_object('title', title, 'due_on', due_on), now(), now()
     FROM deadlines WHERE tenant_id = $1 AND title LIKE 'Bilan %'`,
    [tenantId],
  );
  await world.sql(
    `WITH added AS (
       INSERT INTO notifications (tenant_id, recipient, user_id, dedupe_key, kind, severity, data, audience, created_at, read_at)
       SELECT n.tenant_id, n.recipient, n.user_id, 'more:' || g, n.kind, n.severity, n.data, n.audience, n.created_at, now()
       FROM (SELECT * FROM notifications WHERE tenant_id = $1 AND user_id IS NOT NULL LIMIT 1) n, generate_series(1, $2::int) g
       RETURNING tenant_id, id, recipient)
     INSERT INTO deliveries (tenant_id, notification_id, recipient, critical, channel, address, due_at, created_at, state,
                             sent_at, ended_at)
     SELECT tenant_id, id, recipient, false, 'email', 'zoe@plein.example', now(), now(), 'sent', now(), now() FROM added`,
    [tenantId, ROWS],
  );
}
