import { type Cast, createCast } from '../../../test/support/cast.js';
import { insertRow } from '../../../test/support/rows.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { addJob, forgetBackups } from '../../backups/board/records.fixture.js';
import { Sessions } from '../../auth/sessions/sessions.js';
import { SCHEDULED_JOBS } from '../../contracts/jobs.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { Database } from '../../platform/database/database.js';
import { Queues } from '../../platform/queues/queues.js';
import { WakeUps } from '../../platform/queues/wake-ups.js';
import type { PreviewAnswer } from './preview.dto.js';

/** A Wednesday, 08:00 in Paris. */
const NOW = '2026-03-04T07:00:00Z';
const TODAY = '2026-03-04';

const clock = new FixedClock(NOW);
let world: World;
let cast: Cast;

const get = (job: string, query: string, token?: string) =>
  world.http('GET', `/api/v1/admin/scheduler/${job}/preview?${query}`, token === undefined ? {} : { token });

async function preview(job: string, date: string, more = ''): Promise<PreviewAnswer> {
  const { status, body } = await get(job, `date=${date}${more}`, await adminToken());
  expect(status).toBe(200);
  return body as PreviewAnswer;
}

/** Tokens expire by the clock: a test that moves it signs in again. */
async function adminToken(): Promise<string> {
  if (clock.now().getTime() === Date.parse(NOW)) return cast.admin.token;
  const { id, role, tenant_id } = cast.admin;
  const sessions = world.app.get(Sessions, { strict: false });
  const pair = await world.app.get(Database).tenant(tenant_id, (tx) => sessions.begin(tx, { id, role }));
  return pair.access_token;
}

/** An entry in one line: hour, person, channel, title, outcome and reason. */
const lines = ({ entries }: PreviewAnswer) =>
  entries.map(({ slot, name, channel, title, outcome, reason }) =>
    [slot?.slice(11) ?? 'manual', name ?? 'nobody', channel ?? 'no channel', title, outcome, reason ?? '']
      .join(' ')
      .trim(),
  );

const deadline = (title: string, due_on: string, responsible_id: string | null = cast.teammate.id) =>
  insertRow(world, 'deadlines', { tenant_id: cast.tenant_id, title, due_on, responsible_id });

/** Every row of every table, as a checksum by table. */
async function contents(): Promise<Record<string, string>> {
  const tables = await world.sql<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
  );
  const [row] = await world.sql<{ sums: Record<string, string> }>(
    `SELECT jsonb_build_object(${tables
      .map(
        ({ name }) =>
          `'${name}', (SELECT count(*) || ' ' || md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM ${name} t)`,
      )
      .join(', ')}) AS sums`,
  );
  return row!.sums;
}

beforeAll(async () => {
  world = await createWorld({
    clock,
    env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' },
  });
  cast = await createCast(world);
  await world.sql('UPDATE tenants SET settings = $1', [{ schedule: { scan_backups_minutes: 60 } }]);
});
afterAll(() => world.close());
beforeEach(async () => {
  clock.set(NOW);
  for (const table of [
    'notifications',
    'alerts',
    'deadlines',
    'job_runs',
    'preferences',
    'quiet_hours',
    'reminders',
  ])
    await world.sql(`DELETE FROM ${table}`);
  await forgetBackups(world);
});

describe('V9: a preview of a day to come', () => {
  it('V9: shows person, channel, time and reason, the worst first, with links', async () => {
    await deadline('TVA', '2026-03-11');
    const late = await deadline('CFE', '2026-03-03', null);
    const answer = await preview('check-notifications', TODAY);
    expect(lines(answer)).toEqual([
      '09:00 Alice email CFE, en retard de 1 jour leaves',
      '09:00 Bob email TVA, échéance dans 7 jours leaves',
    ]);
    expect(answer.entries[0]).toMatchObject({
      at: '2026-03-04T08:00:00.000Z',
      leaves_at: '2026-03-04T08:00:00.000Z',
      user_id: cast.admin.id,
      item: { type: 'deadline', id: late },
      stage: -1,
      audience: 'unassigned',
      severity: 'warning',
      previewed: true,
      ran: null,
    });
    expect(answer.totals).toMatchObject({ entries: 2, recipients: 2, messages: 2, leaves: 2, only_ran: 0 });
    // The second check of the day finds both again.
    expect(answer.slots.map(({ counts }) => [counts?.opened, counts?.repeated])).toEqual([
      [2, 0],
      [0, 2],
    ]);
    expect(answer.assumptions).toEqual(['present_state', 'sent_until_now', 'no_other_messages']);
  });

  it('V9: explains why somebody gets it later, not at all, or only in the inbox', async () => {
    await deadline('TVA', '2026-03-11');
    await deadline('CFE', '2026-03-06', null);
    const known = await deadline('CVAE', '2026-03-07');
    await runJob(world, cast.tenant_id, 'check-notifications');
    await world.sql('DELETE FROM notifications');
    await world.sql('DELETE FROM alerts WHERE source_id <> $1', [known]);
    await world.sql('UPDATE alerts SET acknowledged_at = now()');
    await world.sql(
      `INSERT INTO quiet_hours (tenant_id, user_id, starts_at, ends_at) VALUES ($1, $2, '08:00', '10:30')`,
      [cast.tenant_id, cast.teammate.id],
    );
    await world.sql(
      `INSERT INTO preferences (tenant_id, user_id, kind, channel, enabled) VALUES ($1, $2, 'deadline_near', 'email', false)`,
      [cast.tenant_id, cast.admin.id],
    );
    const answer = await preview('check-notifications', TODAY);
    expect(lines(answer)).toEqual([
      '09:00 nobody no channel CVAE, échéance dans 3 jours not_sent acknowledged',
      '09:00 Alice email CFE, échéance dans 2 jours not_sent preference',
      '14:00 nobody no channel CVAE, échéance dans 3 jours not_sent acknowledged',
      '09:00 Bob email TVA, échéance dans 7 jours waits quiet_hours',
    ]);
    expect(answer.entries[1]).toMatchObject({
      reason_text: 'désactivée dans les préférences du destinataire',
      setting: `/people/${cast.admin.id}`,
      leaves_at: null,
    });
    expect(answer.entries[3]).toMatchObject({ leaves_at: '2026-03-04T09:30:00.000Z' });
    expect(answer.totals).toMatchObject({ leaves: 0, waits: 1, not_sent: 3, messages: 1 });
    const bobs = await preview('check-notifications', TODAY, `&user_id=${cast.teammate.id}`);
    expect(bobs.entries.map(({ name }) => name)).toEqual(['Bob']);
  });

  it('V9, V13: what leaves together is one message', async () => {
    for (const title of ['TVA', 'DSN', 'IS']) await deadline(title, '2026-03-11');
    const { entries, totals } = await preview('check-notifications', TODAY);
    expect(entries.map(({ message_size }) => message_size)).toEqual([3, 3, 3]);
    expect(totals).toMatchObject({ entries: 3, messages: 1 });
    await world.sql(
      `INSERT INTO quiet_hours (tenant_id, user_id, starts_at, ends_at) VALUES ($1, $2, '08:00', '10:30')`,
      [cast.tenant_id, cast.teammate.id],
    );
    const waiting = await preview('check-notifications', TODAY);
    expect(waiting.entries.map(({ outcome, message_size }) => [outcome, message_size])).toEqual(
      Array(3).fill(['waits', 3]),
    );
    const first = await preview('check-notifications', TODAY, '&limit=1');
    expect(first).toMatchObject({ truncated: true, totals: { entries: 3 } });
    expect(first.entries).toHaveLength(1);
  });

  it('V9: applies the present state to a later day, with the words of that day', async () => {
    await deadline('TVA', '2026-03-11');
    await runJob(world, cast.tenant_id, 'check-notifications');
    expect(lines(await preview('check-notifications', '2026-03-05'))).toEqual([]);
    expect(lines(await preview('check-notifications', '2026-03-10'))).toEqual([
      '09:00 Bob email TVA, échéance demain leaves',
    ]);
  });

  it('V9: previews every scheduled job', async () => {
    await deadline('TVA', '2026-03-03');
    await world.sql('UPDATE deadlines SET status = $1', ['pending']);
    await addJob(world, cast.tenant_id, {
      agent_id: 'srv-1',
      database_name: 'compta',
      expected_time: '03:00',
      grace_minutes: 60,
      expected_after: '2026-03-01T00:00:00Z',
    });
    await insertRow(world, 'reminders', {
      tenant_id: cast.tenant_id,
      user_id: cast.teammate.id,
      frequency_days: 1,
      local_time: '18:30',
      starts_on: TODAY,
      message: 'Payer',
      channels: '[{"channel": "email", "enabled": true}]',
      mode: 'all',
      active: true,
      next_on: '2026-03-04',
      next_at: '2026-03-04T17:30:00Z',
      time_zone: 'Europe/Paris',
      created_at: NOW,
      updated_at: NOW,
    });
    const day = '2026-03-09';
    expect((await preview('update-statuses', day)).changes).toMatchObject([
      { item: { type: 'deadline' }, title: 'TVA', due_on: '2026-03-03', status: 'overdue' },
    ]);
    expect(lines(await preview('weekly-summary', day))).toEqual([
      expect.stringMatching(/^08:00 Bob email .* leaves$/),
    ]);
    // It was due every day before, and is sent once.
    expect(lines(await preview('process-reminders', TODAY))).toEqual([
      expect.stringMatching(/^18:00Z Bob email .*Payer.* leaves$/),
    ]);
    // Expected at 03:00; nothing is said of the days before.
    expect(lines(await preview('scan-backups', day))).toEqual([
      expect.stringMatching(/^04:00Z Alice email .*compta.* leaves$/),
    ]);
    expect(lines(await preview('check-backups', day))).toEqual([
      expect.stringMatching(/^09:00 Alice email .*compta.* leaves$/),
    ]);
    const cleanup = await preview('cleanup', day);
    expect(cleanup.slots[0]?.counts).toMatchObject({ idempotency_keys: 0, job_runs: 0 });
    expect(Object.keys(cleanup.slots[0]?.counts ?? {})).toContain('sessions');
  });
});

describe('V9: a preview of a day that is over', () => {
  it('V9: shows what really happened to each message, and messages that the preview does not have', async () => {
    await deadline('TVA', '2026-03-11');
    const gone = await deadline('CFE', '2026-03-06');
    await deadline('DSN', '2026-03-05', null);
    clock.set('2026-03-04T08:00:00Z');
    await runJob(world, cast.tenant_id, 'check-notifications', '2026-03-04T09:00');
    await world.sql(
      `UPDATE deliveries SET state = 'sent', sent_at = $1, ended_at = $1, attempts = 1
       WHERE recipient = 'user:' || $2::text`,
      ['2026-03-04T08:00:05Z', cast.teammate.id],
    );
    // Since then one item was deleted, and one was added.
    await world.sql('DELETE FROM deadlines WHERE id = $1', [gone]);
    clock.set('2026-03-05T12:00:00Z');
    await deadline('IS', '2026-03-07', null);
    const answer = await preview('check-notifications', TODAY);
    expect(
      answer.entries.map(({ title, previewed, ran }) => [
        title.slice(0, 3),
        previewed,
        ran?.state,
        ran?.sent_at,
      ]),
    ).toEqual([
      ['DSN', true, 'pending', null],
      ['IS,', true, undefined, undefined],
      ['CFE', false, 'sent', '2026-03-04T08:00:05.000Z'],
      ['TVA', true, 'sent', '2026-03-04T08:00:05.000Z'],
    ]);
    expect(answer.totals).toMatchObject({ both: 2, only_previewed: 1, only_ran: 1 });
    expect(answer.assumptions).toEqual(['present_state', 'rewound']);
    expect(answer.runs.map(({ slot, state }) => [slot, state])).toEqual([['2026-03-04T09:00', 'succeeded']]);
    const [real] = await world.sql<{ id: string }>(
      `SELECT id FROM notifications WHERE data ->> 'title' = 'TVA'`,
    );
    expect(answer.entries[3]?.ran?.notification_id).toBe(real!.id);
  });

  it('V9: says so if a run has written more than a preview reads', async () => {
    clock.set('2026-03-04T08:00:00Z');
    await runJob(world, cast.tenant_id, 'check-notifications', '2026-03-04T09:00');
    await world.sql(
      `INSERT INTO notifications (tenant_id, recipient, user_id, dedupe_key, kind, severity, data, audience, created_at)
       SELECT $1, 'user:' || $2::text, $2::uuid, 'many:' || i, 'deadline_near', 'info', '{}', 'addressed', $3
       FROM generate_series(1, 5001) i`,
      [cast.tenant_id, cast.admin.id, clock.now()],
    );
    clock.set('2026-03-05T12:00:00Z');
    const answer = await preview('check-notifications', TODAY, `&user_id=${cast.teammate.id}`);
    expect([answer.entries, answer.truncated]).toEqual([[], true]);
    await world.sql(`DELETE FROM notifications`);
  });

  it('V9: an earlier stage stays announced, a later one is compared', async () => {
    await deadline('TVA', '2026-03-11');
    clock.set('2026-03-04T08:00:00Z');
    await runJob(world, cast.tenant_id, 'check-notifications', '2026-03-04T09:00');
    clock.set('2026-03-10T08:00:00Z');
    await runJob(world, cast.tenant_id, 'check-notifications', '2026-03-10T09:00');
    clock.set('2026-03-10T08:30:00Z');
    const compared = async (date: string) => {
      const { entries, totals } = await preview('check-notifications', date);
      return [entries.map(({ stage }) => stage), totals.both, totals.only_previewed, totals.only_ran];
    };
    expect(await compared('2026-03-10')).toEqual([[1], 1, 0, 0]);
    expect(await compared('2026-03-05')).toEqual([[], 0, 0, 0]);
    expect(await compared('2026-03-04')).toEqual([[7], 1, 0, 0]);
  });

  it('V9: shows only what ran for a job that cannot be replayed', async () => {
    await addJob(world, cast.tenant_id, {
      agent_id: 'srv-1',
      database_name: 'compta',
      expected_time: '03:00',
      grace_minutes: 60,
      expected_after: '2026-03-03T12:00:00Z',
    });
    clock.set('2026-03-04T08:00:00Z');
    await runJob(world, cast.tenant_id, 'check-backups', '2026-03-04T09:00');
    clock.set('2026-03-04T08:30:00Z');
    const answer = await preview('check-backups', TODAY);
    expect(answer.entries).toMatchObject([
      { name: 'Alice', kind: 'backup_alert', previewed: false, ran: {} },
    ]);
    expect(answer.assumptions).toEqual(['present_state', 'not_rewound']);
  });
});

describe('V9: a preview leaves no trace', () => {
  it('V9: writes nothing, wakes nobody and enqueues nothing, for every job', async () => {
    for (const title of ['TVA', 'DSN']) await deadline(title, '2026-03-11');
    clock.set('2026-03-04T08:00:00Z');
    await runJob(world, cast.tenant_id, 'check-notifications', '2026-03-04T09:00');
    clock.set(NOW);
    await deadline('CFE', '2026-03-03', null);
    await addJob(world, cast.tenant_id, {
      agent_id: 'srv-1',
      database_name: 'compta',
      expected_time: '03:00',
      grace_minutes: 60,
      expected_after: '2026-03-01T00:00:00Z',
    });
    const send = jest.spyOn(world.app.get(WakeUps), 'send');
    const enqueue = jest.spyOn(world.app.get(Queues), 'enqueue');
    const before = await contents();
    let entries = 0;
    for (const job of SCHEDULED_JOBS) {
      for (const date of [TODAY, '2026-03-09']) entries += (await preview(job, date)).entries.length;
    }
    expect(entries).toBeGreaterThan(5);
    expect(await contents()).toEqual(before);
    expect(send).not.toHaveBeenCalled();
    expect(enqueue).not.toHaveBeenCalled();
    send.mockRestore();
    enqueue.mockRestore();
  });

  it('V9: is refused during a run, and releases its locks', async () => {
    await deadline('TVA', '2026-03-11');
    await world.app.get(Database).tenant(cast.tenant_id, async (tx) => {
      await tx.lock(`check:${cast.tenant_id}:deadline`);
      const began = performance.now();
      const answer = await get('check-notifications', `date=${TODAY}`, cast.admin.token);
      expect(answer).toMatchObject({
        status: 409,
        body: { code: 'preview_busy' },
        headers: { 'retry-after': '2' },
      });
      expect(performance.now() - began).toBeLessThan(5_000);
    });
    expect(lines(await preview('check-notifications', TODAY))).toHaveLength(1);
    await runJob(world, cast.tenant_id, 'check-notifications');
  });

  it('V9: two previews of one tenant do not wait for each other', async () => {
    const answers = await Promise.all(
      [TODAY, '2026-03-05', '2026-03-06'].map((date) =>
        get('check-notifications', `date=${date}`, cast.admin.token),
      ),
    );
    const codes = answers.map(({ status, body }) => [status, (body as { code?: string }).code]);
    expect(codes).toContainEqual([200, undefined]);
    expect(codes.filter(([status]) => status !== 200).every(([, code]) => code === 'preview_busy')).toBe(
      true,
    );
  });
});

describe('V9: who may ask, and for which day', () => {
  it.each(['1900-01-01', '2100-01-01', '2024-01-01', '2199-12-31'])(
    'V9: answers for %s with the hours alone, and says so',
    async (date) => {
      await deadline('TVA', '2026-03-11');
      for (const job of SCHEDULED_JOBS) {
        const answer = await preview(job, date);
        expect(answer).toMatchObject({ entries: [], runs: [], changes: [], assumptions: ['too_far_away'] });
        expect(answer.slots.map(({ counts }) => counts).filter((counts) => counts !== null)).toEqual([]);
      }
    },
  );

  it.each(['1899-12-31', '2026-02-30', 'today', ''])('V9: refuses %j as a date', async (date) => {
    const answer = await get('cleanup', `date=${date}`, cast.admin.token);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '/date' }] } });
  });

  it('V9: operators name the tenant, admins see their own, others nothing', async () => {
    await deadline('TVA', '2026-03-11');
    const job = 'check-notifications';
    const date = `date=${TODAY}`;
    const own = await get(job, date, cast.admin.token);
    const operator = await get(job, `${date}&tenant=${cast.tenant.slug}`, cast.operator.token);
    expect(operator.status).toBe(200);
    expect(operator.body.entries).toEqual(own.body.entries);
    expect(await get(job, date, cast.operator.token)).toMatchObject({ status: 400 });
    expect((await get(job, date, cast.outsider.token)).body.entries).toEqual([]);
    expect(await get(job, `${date}&tenant=${cast.tenant.slug}`, cast.outsider.token)).toMatchObject({
      status: 404,
    });
    expect(await get(job, date, cast.teammate.token)).toMatchObject({ status: 403 });
    expect(await get(job, date)).toMatchObject({ status: 401 });
  });

  it('V9: the dispatcher has no preview, and says so; an unknown job is a 404', async () => {
    expect(await get('dispatch', `date=${TODAY}`, cast.admin.token)).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/job' }] },
    });
    expect((await get('nothing', `date=${TODAY}`, cast.admin.token)).status).toBe(404);
  });
});
