import { addTenant, addPerson, type Cast, createCast, type Person } from '../../support/cast.js';
import type { World } from '../../support/world.js';
import { notify } from '../../../src/notifications/alerts/notify.fixture.js';

/** Markup, an override of the direction of writing, and no place to break. */
export const HOSTILE = `<img src=x onerror=alert(1)> \u202Egnp.exe ${'W'.repeat(150)}`;

const MINUTE = 60_000;

/** An installation with work of each outcome, and tenants with hostile names. */
export async function operatorScene(world: World): Promise<Cast> {
  const cast = await createCast(world);
  const hostile = await addTenant(world, { slug: 'hostile', name: HOSTILE });
  await addPerson(world, hostile.id, { name: 'Eve' });
  for (let n = 0; n < 3; n += 1) await addTenant(world, { slug: `cabinet-${n}`, name: `Cabinet ${n}` });
  await world.sql(`UPDATE tenants SET updated_at = '2020-01-01'`);
  await outcomes(world, [cast.teammate, cast.outsider]);
  await runs(world, cast.tenant_id);
  return cast;
}

/** Deliveries over the last day: most are sent, some failed. */
async function outcomes(world: World, people: readonly Person[]): Promise<void> {
  const now = Date.now();
  for (let n = 0; n < 60; n += 1) {
    const id = await notify(world, people[n % people.length]!);
    const state = n % 9 === 4 ? 'failed' : n % 20 === 7 ? 'unknown' : 'sent';
    const at = new Date(now - ((n * 37) % 1_380) * MINUTE - MINUTE);
    await world.sql(
      `UPDATE deliveries SET state = $2, ended_at = $3, admitted_at = $3, error = $4,
              sent_at = CASE WHEN $2 = 'sent' THEN $3::timestamptz END WHERE notification_id = $1`,
      [
        id,
        state,
        at,
        state === 'failed' ? `550 5.1.1 <p${n}@example.com>: no such user ${n}0f1e2d3c4b5a` : null,
      ],
    );
  }
  for (let n = 0; n < 4; n += 1) await notify(world, people[n % people.length]!);
}

/** Runs of one tenant: on time, late and failed. */
async function runs(world: World, tenantId: string): Promise<void> {
  const hour = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  for (let n = 1; n < 24; n += 1) {
    if (n === 5 || n === 6) continue;
    const due = new Date(hour - n * 60 * MINUTE);
    await world.sql(
      `INSERT INTO job_runs (tenant_id, job, slot, state, due_at, created_at, started_at, finished_at, counts, error)
       VALUES ($1, 'process-reminders', $2, $3, $4::timestamptz, $4::timestamptz + make_interval(mins => $5),
               $4::timestamptz, $4::timestamptz + interval '3 seconds', '{"facts": 3}', $6)`,
      [
        tenantId,
        `${due.toISOString().slice(0, 16)}Z`,
        n === 9 ? 'failed' : 'succeeded',
        due,
        n === 4 ? 40 : 0,
        n === 9 ? 'the folder is not mounted' : null,
      ],
    );
  }
}
