import { addPerson, addTenant, type Person } from '../../test/support/cast.js';
import { createWorld } from '../../test/support/world.js';
import { runJob } from '../../test/support/watched.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import { BATCH_SIZE, ProcessReminders } from './process-reminders.js';
import { ReminderStage } from './reminders.fixture.js';

/** A Monday, 10:00 in Paris; clocks went forward the day before. */
const NOW = '2026-03-30T08:00:00.000Z';
const NOBODY = '01890a5d-ac96-774b-bcce-b302099a8057';
const clock = new FixedClock(NOW);
let stage: ReminderStage;
let user: Person;

beforeAll(async () => {
  stage = await ReminderStage.open(clock);
  user = await addPerson(stage.world, stage.cast.tenant_id, { name: 'Claire' });
});
afterAll(() => stage.close());
beforeEach(async () => {
  clock.set(NOW);
  await stage.world.sql('DELETE FROM reminders');
  await stage.world.sql('DELETE FROM notifications');
  await stage.world.sql('DELETE FROM tickets');
});

interface Shown {
  id: string;
  active: boolean;
  next_on: string | null;
  next_at: string | null;
  sent_count: number;
  end_reason: string | null;
}

const remind = async (fields: object = {}, who?: Person) => {
  const { status, body } = await stage.call(
    'POST',
    `users/${user.id}/reminders`,
    { frequency_days: 7, channels: ['email'], message: 'Relever le courrier', ...fields },
    who,
  );
  expect([status, body]).toEqual([201, expect.anything()]);
  return body as Shown;
};
const show = async ({ id }: { id: string }) => (await stage.call('GET', `reminders/${id}`)).body as Shown;
const change = (id: string, fields: object, who?: Person) =>
  stage.call('PATCH', `reminders/${id}`, fields, who);
const processNow = async () => {
  const { status, body } = await stage.call('POST', 'reminders/process', {});
  expect(status).toBe(200);
  return body as { processed: number; channels: Record<string, number>; remaining: number };
};
const sentMails = async () => (await stage.arrived()).mails;
const addTicket = async (fields: object = {}) => {
  const { body } = await stage.call('POST', 'tickets', {
    title: 'Stationnement',
    due_on: '2026-04-02',
    amount_cents: 13_500,
    responsible_id: user.id,
    ...fields,
  });
  return body as { id: string };
};
/** Notifications with their civil dates. */
const dates = async () => {
  const rows = await stage.world.sql<{ dedupe_key: string }>(
    `SELECT dedupe_key FROM notifications WHERE kind = 'reminder' ORDER BY dedupe_key`,
  );
  return rows.map(({ dedupe_key }) => dedupe_key.slice(-10));
};

describe('N1: a reminder', () => {
  it('is every N days, with channels on and off, for admins and the user themself', async () => {
    const created = await remind({
      channels: [
        { channel: 'email', enabled: true },
        { channel: 'sms', enabled: false },
      ],
    });
    expect(created).toEqual({
      id: expect.any(String) as string,
      user_id: user.id,
      ticket_id: null,
      active: true,
      frequency_days: 7,
      channels: [
        { channel: 'email', enabled: true },
        { channel: 'sms', enabled: false },
      ],
      mode: 'all',
      local_time: '09:00',
      // 09:00 has passed today.
      starts_on: '2026-03-31',
      ends_after: null,
      sent_count: 0,
      message: 'Relever le courrier',
      next_on: '2026-03-31',
      next_at: '2026-03-31T07:00:00.000Z',
      ended_at: null,
      end_reason: null,
      created_at: NOW,
      updated_at: NOW,
    });
    expect(await show(created)).toEqual(created);
    const own = await remind({ local_time: '18:30' }, user);
    expect(own).toMatchObject({ next_on: '2026-03-30', next_at: '2026-03-30T16:30:00.000Z' });
    const first = await stage.call('GET', `users/${user.id}/reminders?limit=1`, undefined, user);
    expect(first.body.data).toEqual([created]);
    const rest = await stage.call('GET', `users/${user.id}/reminders?cursor=${first.body.next_cursor}`);
    expect(rest.body).toEqual({ data: [own], next_cursor: null });
    expect((await stage.call('DELETE', `reminders/${own.id}`, undefined, user)).status).toBe(204);
    expect((await stage.call('GET', `reminders/${own.id}`)).status).toBe(404);
  });

  it('is created once per idempotency key', async () => {
    const create = () =>
      stage.world.http('POST', `/api/v1/users/${user.id}/reminders`, {
        token: user.token,
        body: { frequency_days: 7, channels: ['email'] },
        headers: { 'idempotency-key': 'reminder-once' },
      });
    const [one, two] = [await create(), await create()];
    expect(two.body).toEqual(one.body);
    expect(await stage.world.sql('SELECT FROM reminders')).toHaveLength(1);
  });

  it.each([
    [{ frequency_days: 0 }, '/frequency_days'],
    [{ frequency_days: 367 }, '/frequency_days'],
    [{ frequency_days: 1.5 }, '/frequency_days'],
    [{ frequency_days: null }, '/frequency_days'],
    [{ frequency_days: undefined }, '/frequency_days'],
    [{ channels: undefined }, '/channels'],
    [{ channels: null }, '/channels'],
    [{ channels: [] }, '/channels'],
    [{ channels: 'email' }, '/channels'],
    [{ channels: ['fax'] }, '/channels/0/channel'],
    [{ channels: ['email', { channel: 'fax' }] }, '/channels/1/channel'],
    [{ channels: [{ channel: 'email', enabled: 'yes' }] }, '/channels/0/enabled'],
    [{ channels: [{ channel: 'email', enabled: false }] }, '/channels'],
    [{ channels: ['email', 'email'] }, '/channels'],
    [{ channels: [null] }, '/channels'],
    [{ mode: 'some' }, '/mode'],
    [{ local_time: '9:00' }, '/local_time'],
    [{ local_time: '24:00' }, '/local_time'],
    [{ starts_on: '2026-02-30' }, '/starts_on'],
    [{ starts_on: '9999-01-01' }, '/starts_on'],
    [{ ends_after: 0 }, '/ends_after'],
    [{ message: 'x'.repeat(2_001) }, '/message'],
    [{ message: 'a\u0000b' }, '/message'],
    [{ ticket_id: NOBODY }, '/ticket_id'],
    [{ active: 'yes' }, '/active'],
    [{ time: '09:00' }, '/time'],
  ])('refuses %j at its place', async (fields, pointer) => {
    const answer = await stage.call('POST', `users/${user.id}/reminders`, {
      frequency_days: 7,
      channels: ['email'],
      ...fields,
    });
    expect(answer.status).toBe(400);
    const { errors } = answer.body as { errors: { pointer: string }[] };
    expect(errors.map((fault) => fault.pointer)).toContain(pointer);
    expect(await stage.world.sql('SELECT FROM reminders')).toEqual([]);
  });

  it('refuses the ticket of somebody else, of another tenant, and a settled one, with the same words as an unknown one', async () => {
    const tryTicket = async (ticket_id: string) => {
      const fields = { frequency_days: 7, channels: ['email'], ticket_id };
      const answer = await stage.call('POST', `users/${user.id}/reminders`, fields);
      expect(answer.status).toBe(400);
      return (answer.body as { errors: { pointer: string; detail: string }[] }).errors;
    };
    const unknown = await tryTicket(NOBODY);
    const foreign = await stage.call(
      'POST',
      'tickets',
      { title: 'Amende', due_on: '2026-04-02' },
      stage.cast.outsider,
    );
    expect(await tryTicket((foreign.body as { id: string }).id)).toEqual(unknown);
    expect(await tryTicket((await addTicket({ responsible_id: stage.cast.teammate.id })).id)).toEqual(
      unknown,
    );
    const { id } = await addTicket();
    await stage.call('POST', `tickets/${id}/settle`);
    expect(await tryTicket(id)).toEqual([{ pointer: '/ticket_id', detail: 'is settled' }]);
    const reminder = await remind();
    expect((await change(reminder.id, { ticket_id: NOBODY })).body).toMatchObject({ errors: unknown });
  });

  it('is neither seen nor changed by a colleague or another tenant', async () => {
    const reminder = await remind();
    for (const who of [stage.cast.teammate, stage.cast.outsider]) {
      const answers = [
        await stage.call('GET', `users/${user.id}/reminders`, undefined, who),
        await stage.call(
          'POST',
          `users/${user.id}/reminders`,
          { frequency_days: 1, channels: ['email'] },
          who,
        ),
        await stage.call('GET', `reminders/${reminder.id}`, undefined, who),
        await change(reminder.id, { active: false }, who),
        await stage.call('DELETE', `reminders/${reminder.id}`, undefined, who),
      ];
      expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    }
    expect((await stage.call('POST', 'reminders/process', {}, user)).status).toBe(403);
    expect(await show(reminder)).toEqual(reminder);
  });

  it('a user has at most 100', async () => {
    await stage.world.sql(
      `INSERT INTO reminders (tenant_id, user_id, frequency_days, local_time, starts_on, channels, mode, active,
                              created_at, updated_at)
       SELECT $1, $2, 1, '09:00', '2026-04-01', '[{"channel": "email", "enabled": true}]', 'all', false, now(), now()
       FROM generate_series(1, 100)`,
      [stage.cast.tenant_id, user.id],
    );
    const answer = await stage.call('POST', `users/${user.id}/reminders`, {
      frequency_days: 7,
      channels: ['email'],
    });
    expect(answer).toMatchObject({ status: 409, body: { code: 'conflict' } });
  });

  it('is deleted with its user', async () => {
    const leaver = await addPerson(stage.world, stage.cast.tenant_id, { name: 'Luc' });
    await stage.call('POST', `users/${leaver.id}/reminders`, { frequency_days: 1, channels: ['email'] });
    expect((await stage.call('DELETE', `users/${leaver.id}`)).status).toBe(204);
    expect(await stage.world.sql('SELECT FROM reminders')).toEqual([]);
  });
});

describe('N2: due reminders', () => {
  it('are sent once by the job or on demand, and the next date follows from the calendar', async () => {
    const reminder = await remind();
    expect(await processNow()).toEqual({ processed: 0, channels: {}, remaining: 0 });
    clock.set('2026-03-31T07:00:00Z');
    expect(await runJob(stage.world, stage.cast.tenant_id, 'process-reminders')).toEqual({
      processed: 1,
      email: 1,
    });
    expect(await processNow()).toEqual({ processed: 0, channels: {}, remaining: 0 });
    expect(await sentMails()).toEqual([{ to: [user.email], subject: 'Rappel\u00a0: Relever le courrier' }]);
    expect(stage.lastMail().text).toContain('> Relever le courrier');
    expect(await show(reminder)).toMatchObject({
      sent_count: 1,
      next_on: '2026-04-07',
      next_at: '2026-04-07T07:00:00.000Z',
    });
  });

  it('after a 3-day outage a daily reminder is sent once, and keeps its calendar', async () => {
    const daily = await remind({ frequency_days: 1 });
    const every2 = await remind({ frequency_days: 2 });
    clock.set('2026-03-31T07:00:00Z');
    await processNow();
    // Down from the 1st, up again on the 4th in the afternoon.
    clock.set('2026-04-04T13:20:00Z');
    expect(await processNow()).toMatchObject({ processed: 2, channels: { email: 2 } });
    expect(await show(daily)).toMatchObject({ next_on: '2026-04-05', next_at: '2026-04-05T07:00:00.000Z' });
    expect(await show(every2)).toMatchObject({ next_on: '2026-04-06', next_at: '2026-04-06T07:00:00.000Z' });
    expect(await dates()).toHaveLength(4);
  });

  it('two processes at once send nothing twice', async () => {
    const count = 2 * BATCH_SIZE + 200;
    const tenant = await addTenant(stage.world);
    const admin = await addPerson(stage.world, tenant.id, { name: 'Dora', role: 'admin' });
    await stage.world.sql(
      `WITH people AS (
         INSERT INTO users (tenant_id, email, name, role)
         SELECT $1, 'u' || i || '@example.com', 'U', 'member' FROM generate_series(1, 40) i RETURNING id)
       INSERT INTO reminders (tenant_id, user_id, frequency_days, local_time, starts_on, channels, mode, active, next_on,
                              next_at, time_zone, created_at, updated_at)
       SELECT $1, id, 1, '09:00', '2026-03-30', '[{"channel": "email", "enabled": true}]', 'all', true, '2026-03-30',
              '2026-03-30T07:00:00Z', 'Europe/Paris', now(), now()
       FROM people CROSS JOIN generate_series(1, $2::integer)`,
      [tenant.id, count / 40],
    );
    const other = await createWorld({ join: stage.world, clock });
    try {
      const outcomes = await Promise.all([
        stage.world.app.get(ProcessReminders).process(tenant.id),
        other.app.get(ProcessReminders).process(tenant.id),
        runJob(stage.world, tenant.id, 'process-reminders').then(({ processed = 0 }) => ({ processed })),
        stage.call('POST', 'reminders/process', {}, admin).then(({ body }) => body as { processed: number }),
      ]);
      expect(outcomes.reduce((sum, { processed }) => sum + processed, 0)).toBe(count);
    } finally {
      await other.close();
    }
    const [{ sent, keys, behind }] = (await stage.world.sql(
      `SELECT (SELECT count(*) FROM notifications WHERE tenant_id = $1)::integer AS sent,
              (SELECT count(DISTINCT dedupe_key) FROM notifications WHERE tenant_id = $1)::integer AS keys,
              (SELECT count(*) FROM reminders WHERE tenant_id = $1
                 AND (sent_count <> 1 OR next_on <> '2026-03-31'))::integer AS behind`,
      [tenant.id],
    )) as [{ sent: number; keys: number; behind: number }];
    expect({ sent, keys, behind }).toEqual({ sent: count, keys: count, behind: 0 });
  });

  it('a date that was sent is not sent again, even if the reminder is moved back to it', async () => {
    const reminder = await remind({ local_time: '11:00' });
    clock.set('2026-03-30T09:00:00Z');
    await processNow();
    await change(reminder.id, { local_time: '15:00', starts_on: '2026-03-30' });
    expect(await show(reminder)).toMatchObject({ next_on: '2026-03-30' });
    clock.set('2026-03-30T13:00:00Z');
    await processNow();
    expect(await dates()).toEqual(['2026-03-30']);
  });
});

describe('N1: pausing and ending', () => {
  it('resuming does not send missed dates', async () => {
    const reminder = await remind({ frequency_days: 2 });
    expect((await change(reminder.id, { active: false })).body).toMatchObject({
      active: false,
      next_on: null,
      next_at: null,
      ended_at: null,
    });
    clock.set('2026-04-09T08:00:00Z');
    expect(await processNow()).toMatchObject({ processed: 0 });
    expect((await change(reminder.id, { active: true }, user)).body).toMatchObject({
      active: true,
      next_on: '2026-04-10',
      next_at: '2026-04-10T07:00:00.000Z',
    });
    expect(await processNow()).toMatchObject({ processed: 0 });
    expect(await dates()).toEqual([]);
  });

  it('ends after its count, and may be started again', async () => {
    const reminder = await remind({ frequency_days: 1, ends_after: 2 });
    for (const day of ['2026-03-31', '2026-04-01', '2026-04-02']) {
      clock.set(`${day}T07:00:00Z`);
      await processNow();
    }
    expect(await dates()).toEqual(['2026-03-31', '2026-04-01']);
    expect(await show(reminder)).toMatchObject({
      active: false,
      sent_count: 2,
      end_reason: 'count',
      ended_at: '2026-04-01T07:00:00.000Z',
      next_at: null,
    });
    expect((await change(reminder.id, { active: true })).body).toMatchObject({
      active: true,
      sent_count: 0,
      ended_at: null,
      end_reason: null,
      next_on: '2026-04-03',
    });
  });

  it('N4: ends when its ticket is settled, and what was not sent yet is suppressed', async () => {
    const ticket = await addTicket();
    const reminder = await remind({ ticket_id: ticket.id, channels: ['email', 'push'], message: null });
    const general = await remind();
    clock.set('2026-03-31T07:00:00Z');
    await processNow();
    expect(await stage.call('POST', `tickets/${ticket.id}/settle`)).toMatchObject({ status: 200 });
    expect(await sentMails()).toEqual([{ to: [user.email], subject: 'Rappel\u00a0: Relever le courrier' }]);
    expect(await show(reminder)).toMatchObject({
      active: false,
      end_reason: 'ticket_settled',
      next_at: null,
    });
    expect(await show(general)).toMatchObject({ active: true });
    clock.set('2026-04-07T07:00:00Z');
    expect(await processNow()).toMatchObject({ processed: 1 });
    expect((await change(reminder.id, { active: true })).body).toMatchObject({
      errors: [{ pointer: '/ticket_id', detail: 'is settled' }],
    });
    await stage.call('POST', `tickets/${ticket.id}/reopen`);
    expect((await change(reminder.id, { active: true })).body).toMatchObject({ active: true });
  });

  it('N4: ends when its ticket is settled among many', async () => {
    const [one, other] = [await addTicket(), await addTicket()];
    const reminder = await remind();
    const settled = await remind({ ticket_id: one.id });
    expect((await change(reminder.id, { ticket_id: other.id })).body).toMatchObject({ ticket_id: other.id });
    const answer = await stage.call('POST', 'tickets/settle', { ids: [one.id, other.id] });
    expect(answer).toMatchObject({ status: 200, body: { changed: 2 } });
    for (const each of [reminder, settled]) {
      expect(await show(each)).toMatchObject({ active: false, end_reason: 'ticket_settled', next_at: null });
    }
    clock.set('2026-03-31T07:00:00Z');
    expect(await processNow()).toMatchObject({ processed: 0 });
  });

  it('N4: names its ticket with amount and due date, and the days left or late', async () => {
    const ticket = await addTicket();
    await remind({ ticket_id: ticket.id, frequency_days: 4 });
    const subjects = [];
    for (const day of ['2026-03-31', '2026-04-04']) {
      clock.set(`${day}T07:00:00Z`);
      await processNow();
      subjects.push(...(await sentMails()).map(({ subject }) => subject.replaceAll('\u00a0', ' ')));
    }
    expect(subjects).toEqual([
      'Stationnement (135,00 €), à payer dans 2 jours',
      'Stationnement (135,00 €), en retard de 2 jours',
    ]);
  });

  it('ends when the ticket gets another owner, and is deleted with its ticket', async () => {
    const [moved, deleted] = [await addTicket(), await addTicket()];
    const reminder = await remind({ ticket_id: moved.id });
    const other = await remind({ ticket_id: deleted.id });
    await stage.call('PATCH', `tickets/${moved.id}`, { responsible_id: stage.cast.teammate.id });
    expect((await stage.call('DELETE', `tickets/${deleted.id}`)).status).toBe(204);
    clock.set('2026-03-31T07:00:00Z');
    expect(await processNow()).toEqual({ processed: 0, channels: {}, remaining: 0 });
    expect(await show(reminder)).toMatchObject({ active: false, end_reason: 'ticket_moved' });
    expect((await stage.call('GET', `reminders/${other.id}`)).status).toBe(404);
  });

  it('a change of frequency or hour moves the next date, and only that', async () => {
    const reminder = await remind({ starts_on: '2026-03-01', frequency_days: 10 });
    expect(await show(reminder)).toMatchObject({ next_on: '2026-03-31' });
    expect((await change(reminder.id, { frequency_days: 4, local_time: '07:30' })).body).toMatchObject({
      starts_on: '2026-03-01',
      next_on: '2026-04-02',
      next_at: '2026-04-02T05:30:00.000Z',
    });
    expect((await change(reminder.id, {})).body).toEqual(await show(reminder));
  });

  it('what is due and not sent yet stays due when its words, channels or end change, or it is resumed again', async () => {
    const reminder = await remind();
    clock.set('2026-03-31T07:20:00Z');
    for (const fields of [
      { message: 'Autre' },
      { channels: ['email', 'push'] },
      { active: true },
      { ends_after: 3 },
    ]) {
      expect((await change(reminder.id, fields)).body).toMatchObject({ next_on: '2026-03-31' });
    }
    expect(await processNow()).toMatchObject({ processed: 1 });
    expect(await sentMails()).toEqual([{ to: [user.email], subject: 'Rappel\u00a0: Autre' }]);
  });
});
