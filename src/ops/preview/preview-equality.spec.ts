import { addPerson, addTenant, type Person } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { Dispatcher } from '../../delivery/dispatch/dispatcher.js';
import { dateOfDay, dayOfDate } from '../../platform/clock/civil-time.js';
import { clockChanges } from '../../platform/clock/minute-oracle.fixture.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import type { PreviewAnswer } from './preview.dto.js';
import { Previews } from './previews.service.js';

/** The hours of the check in each zone: some do not exist on a day, or exist twice. */
const HOURS: Readonly<Record<string, readonly string[]>> = {
  'Europe/Paris': ['09:00', '14:00'],
  'America/New_York': ['02:30'],
  'Australia/Lord_Howe': ['02:15'],
  'Africa/Cairo': ['00:30'],
  'Pacific/Apia': ['14:00'],
};
const ZONES = Object.keys(HOURS);
const FIRST = '2026-01-01';
const DAYS = 365;
const TABLES = {
  deadlines: { ended: 'completed_at', status: 'done' },
  tasks: { ended: 'completed_at', status: 'done' },
  document_requests: { ended: 'received_at', status: 'received' },
} as const;

interface Office {
  zone: string;
  tenant_id: string;
  people: Person[];
}

/** One message, with everything that a preview shows of it. */
type Line = string;

/** Repeatable numbers: mulberry32. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const settingsOf = (zone: string) => ({ schedule: { check_notifications: HOURS[zone] } });

/** The zone of a day: those in which clocks change on it, else one after the other. */
function zoneOf(date: string, place: number): number {
  const changing = clockChanges.findIndex(([zone, ...dates]) => ZONES.includes(zone) && dates.includes(date));
  const zone = clockChanges[changing]?.[0];
  return zone === undefined ? place % ZONES.length : ZONES.indexOf(zone);
}

/**
 * A year of generated days. Each is previewed, then it really runs: the check and a round of the dispatcher for each of
 * its slots. A full product of 365 days and five zones would take five times as long and find nothing more.
 */
describe('V9: a preview equals what then runs', () => {
  const clock = new FixedClock(`${FIRST}T00:00:00Z`);
  let world: World;
  let offices: Office[];
  let dispatcher: Dispatcher;

  beforeAll(async () => {
    world = await createWorld({
      clock,
      env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example', LIMIT_PER_USER_PER_DAY: '3' },
    });
    dispatcher = world.app.get(Dispatcher, { strict: false });
    await world.sql(
      `INSERT INTO workers (id, channel, concurrency, seen_at) VALUES (gen_random_uuid(), 'email', 500, now() + interval '1 day')`,
    );
    offices = [];
    for (const [place, zone] of ZONES.entries()) {
      const tenant = await addTenant(world, { time_zone: zone, settings: settingsOf(zone) });
      const people = [];
      for (const [at, name] of ['Alice', 'Bob', 'Claire'].entries())
        people.push(
          await addPerson(world, tenant.id, { name: `${name}${place}`, role: at === 0 ? 'admin' : 'member' }),
        );
      offices.push({ zone, tenant_id: tenant.id, people });
    }
  });
  afterAll(() => world.close());

  /** Some of what people change in a day. */
  async function change(
    { zone, tenant_id, people }: Office,
    date: string,
    below: ReturnType<typeof randomFrom>,
  ) {
    const table = Object.keys(TABLES)[below(3)] as keyof typeof TABLES;
    const somebody = [...people.map(({ id }) => id), null][below(4)] ?? null;
    const person = people[below(3)]!.id;
    const day = dateOfDay(dayOfDate(date) + below(14) - 4);
    const { ended, status } = TABLES[table];
    const one = `(SELECT id FROM ${table} WHERE tenant_id = $1 AND ${ended} IS NULL ORDER BY md5(id || $2) LIMIT 1)`;
    const seed = String(below(1_000_000));
    switch (below(9)) {
      case 0:
        await world.sql(`UPDATE ${table} SET ${ended} = now(), status = '${status}' WHERE id = ${one}`, [
          tenant_id,
          seed,
        ]);
        break;
      case 1:
        await world.sql(`UPDATE ${table} SET due_on = $3, updated_at = $4 WHERE id = ${one}`, [
          tenant_id,
          seed,
          day,
          clock.now(),
        ]);
        break;
      case 2:
        await world.sql(`UPDATE ${table} SET responsible_id = $3 WHERE id = ${one}`, [
          tenant_id,
          seed,
          somebody,
        ]);
        break;
      case 3:
        await world.sql(
          `UPDATE alerts SET acknowledged_at = CASE WHEN $3 THEN $4::timestamptz END,
                  snoozed_until = CASE WHEN NOT $3 THEN $4::timestamptz + interval '7 days' END
           WHERE id = (SELECT id FROM alerts WHERE tenant_id = $1 AND gone_at IS NULL ORDER BY md5(id || $2) LIMIT 1)`,
          [tenant_id, seed, below(2) === 0, clock.now()],
        );
        break;
      case 4:
        await world.sql(
          `INSERT INTO preferences (tenant_id, user_id, kind, channel, enabled) VALUES ($1, $2, $3, 'email', $4)
           ON CONFLICT (tenant_id, user_id, kind, channel) DO UPDATE SET enabled = excluded.enabled`,
          [
            tenant_id,
            person,
            ['deadline_near', 'tasks_overdue', 'documents_missing'][below(3)],
            below(3) > 0,
          ],
        );
        break;
      case 5:
        await world.sql(
          `INSERT INTO quiet_hours (tenant_id, user_id, starts_at, ends_at, paused_until) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (tenant_id, user_id) DO UPDATE
             SET starts_at = excluded.starts_at, ends_at = excluded.ends_at, paused_until = excluded.paused_until`,
          [
            tenant_id,
            person,
            '12:00',
            ['12:00', '14:30', '08:00', '09:30'][below(4)],
            below(4) === 0 ? day : null,
          ],
        );
        break;
      case 6:
        await world.sql('UPDATE users SET bundling = $2 WHERE id = $1', [
          person,
          [null, 'single', 'together'][below(3)],
        ]);
        break;
      case 7:
        await world.sql('UPDATE tenants SET settings = $2 WHERE id = $1', [
          tenant_id,
          below(2) === 0
            ? settingsOf(zone)
            : { ...settingsOf(zone), operating_hours: { days: [1, 2, 3, 4, 5], from: '10:00', to: '18:00' } },
        ]);
        break;
    }
    for (let more = 1 + below(3); more > 0; more -= 1) {
      await world.sql(
        `INSERT INTO ${table} (tenant_id, title, due_on, responsible_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $5)`,
        [tenant_id, `Dossier ${seed}`, day, somebody, clock.now()],
      );
    }
  }

  const previewed = ({ entries }: PreviewAnswer): Line[] =>
    entries
      .filter(({ recipient }) => recipient !== null)
      .map((entry) =>
        [
          entry.slot,
          entry.recipient,
          `${String(entry.item?.type)}:${String(entry.item?.id)}:${String(entry.stage)}`,
          entry.channel,
          entry.outcome,
          entry.reason,
          entry.leaves_at?.toISOString(),
          // What waits has no bundle in the tables yet.
          entry.outcome === 'waits' ? 1 : entry.message_size,
        ].join(' '),
      );

  /** What a slot has written, read from the tables. */
  const written = async (tenantId: string, slot: string, at: Date): Promise<Line[]> =>
    (
      await world.sql<{ line: string }>(
        `SELECT concat_ws(' ', $2::text, n.recipient,
                  split_part(a.dedupe_key, ':', 1) || ':' || a.source_id || ':' || a.stage, d.channel,
                  CASE d.state WHEN 'queued' THEN 'leaves' WHEN 'pending' THEN 'waits' WHEN 'suppressed' THEN 'not_sent'
                               ELSE 'inbox' END,
                  coalesce(d.reason, d.defer_reason, CASE WHEN d.id IS NULL THEN 'in_inbox' ELSE '' END),
                  coalesce(CASE WHEN d.state IN ('queued', 'pending')
                                THEN to_char(CASE d.state WHEN 'queued' THEN $3::timestamptz ELSE d.due_at END AT TIME ZONE 'UTC',
                                             'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') END, ''),
                  greatest(1, (SELECT count(*) FROM deliveries b
                               WHERE b.tenant_id = d.tenant_id AND b.bundle_id = d.bundle_id))) AS line
         FROM notifications n JOIN alerts a ON a.id = n.alert_id LEFT JOIN deliveries d ON d.notification_id = n.id
         WHERE n.tenant_id = $1 AND n.created_at = $3`,
        [tenantId, slot, at],
      )
    ).map(({ line }) => line);

  it('V9: over 365 generated days, each in one of five zones, days of clock changes in theirs', async () => {
    const seed = jest.getSeed();
    const below = randomFrom(seed);
    const seen = new Map<string, number>();
    const days = new Set<string>();
    let compared = 0;
    for (let place = 0; place < DAYS; place += 1) {
      const date = dateOfDay(dayOfDate(FIRST) + place);
      const office = offices[zoneOf(date, place)]!;
      const { tenant_id, zone } = office;
      // Before the first slot of the day, wherever it is.
      clock.set(new Date(Date.parse(`${date}T00:00:00Z`) - 14 * 3_600_000));
      await change(office, date, below);
      const answer = await world.app
        .get(Previews, { strict: false })
        .of(tenant_id, { job: 'check-notifications', date, limit: 2_000, reader_id: null });
      expect([date, zone, answer.truncated]).toEqual([date, zone, false]);
      const ran: Line[] = [];
      for (const { slot, instant } of answer.slots) {
        clock.set(instant);
        const { notifications = 0 } = await runJob(world, tenant_id, 'check-notifications', slot);
        if (notifications === 0) continue;
        for (;;) {
          const { admitted, deferred } = await dispatcher.round('email');
          if (admitted + deferred === 0) break;
        }
        ran.push(...(await written(tenant_id, slot, instant)));
        await world.sql(
          `UPDATE deliveries SET state = 'sent', sent_at = $1, ended_at = $1, lease_token = NULL, lease_until = NULL
           WHERE state = 'queued'`,
          [instant],
        );
      }
      expect({ date, zone, seed, lines: previewed(answer).sort() }).toEqual({
        date,
        zone,
        seed,
        lines: ran.sort(),
      });
      compared += ran.length;
      days.add(date);
      for (const { outcome, reason } of answer.entries) {
        const key = `${outcome} ${reason ?? ''}`.trim();
        seen.set(key, (seen.get(key) ?? 0) + 1);
      }
      // What waits has left by the next generated day.
      await world.sql(`DELETE FROM deliveries WHERE state = 'pending'`);
    }
    expect(days.size).toBe(DAYS);
    // The generator finds every kind of outcome.
    expect([...seen.keys()].sort()).toEqual(
      expect.arrayContaining(['leaves', 'not_sent preference', 'waits operating_hours', 'waits quiet_hours']),
    );
    expect(compared).toBeGreaterThan(300);
  }, 180_000);
});
