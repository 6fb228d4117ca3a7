import { addPerson, type Person } from '../../test/support/cast.js';
import { createWorld } from '../../test/support/world.js';
import type { Channel } from '../contracts/channels.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import { ProcessReminders } from './process-reminders.js';
import { ReminderStage } from './reminders.fixture.js';

/** A Monday, 10:00 in Paris. */
const NOW = '2026-03-30T08:00:00.000Z';
const DUE = '2026-03-30T09:00:00.000Z';
const clock = new FixedClock(NOW);
let stage: ReminderStage;
let user: Person;
let count = 0;

beforeAll(async () => {
  stage = await ReminderStage.open(clock);
});
afterAll(() => stage.close());
beforeEach(async () => {
  clock.set(NOW);
  await stage.world.sql('DELETE FROM reminders');
  await stage.world.sql('DELETE FROM notifications');
  user = await addPerson(stage.world, stage.cast.tenant_id, { name: `Claire${(count += 1)}` });
  await stage.arrived();
});

/** A reminder for 11:00 today. */
const remind = async (channels: unknown[], fields: object = {}) => {
  const body = {
    frequency_days: 1,
    local_time: '11:00',
    message: 'Relever le courrier',
    channels,
    ...fields,
  };
  const answer = await stage.call('POST', `users/${user.id}/reminders`, body);
  expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
  return answer.body as { id: string };
};
const givePhone = (phone = '+33612345678') =>
  stage.world.sql('UPDATE users SET phone = $2 WHERE id = $1', [user.id, phone]);
const process = async () => {
  const { body } = await stage.call('POST', 'reminders/process', {});
  return body as { processed: number; channels: Partial<Record<Channel, number>> };
};
const log = async (who?: Person, query = '') => {
  const { status, body } = await stage.call('GET', `users/${user.id}/notifications${query}`, undefined, who);
  expect(status).toBe(200);
  return (body as { data: Record<string, unknown>[] }).data;
};
const outcomes = async () =>
  (await log()).map(({ channel, state, reason }) => [channel, state, reason]).sort();

describe('N1: several channels', () => {
  it('each enabled channel gets the reminder and has its own outcome, the others nothing', async () => {
    await givePhone();
    await stage.addBrowser(user);
    await remind(['push', 'sms', { channel: 'email', enabled: true }]);
    clock.set(DUE);
    expect(await process()).toMatchObject({ processed: 1, channels: { email: 1, sms: 1, push: 1 } });
    const { mails, texts, pushes } = await stage.arrived();
    expect(mails).toEqual([{ to: [user.email], subject: 'Rappel\u00a0: Relever le courrier' }]);
    expect(texts).toEqual([
      { to: '+33612345678', text: expect.stringContaining('Relever le courrier') as string },
    ]);
    expect(pushes).toBe(1);
    expect(await outcomes()).toEqual([
      ['email', 'sent', null],
      ['push', 'sent', null],
      ['sms', 'sent', null],
    ]);
    // One notification in the feed.
    const feed = await stage.call('GET', 'notifications', undefined, user);
    expect(feed.body).toMatchObject({
      data: [{ kind: 'reminder', title: 'Rappel\u00a0: Relever le courrier' }],
    });

    await stage.world.sql('DELETE FROM reminders');
    await remind(['sms', { channel: 'email', enabled: false }], { local_time: '12:00' });
    clock.set('2026-03-30T10:00:00Z');
    expect(await process()).toMatchObject({ processed: 1, channels: { sms: 1 } });
    expect(await stage.arrived()).toMatchObject({ mails: [], pushes: 0 });
  });

  it('a channel without an address has the outcome no_address, and does not delay others', async () => {
    await remind(['sms', 'email']);
    clock.set(DUE);
    expect(await process()).toMatchObject({ processed: 1, channels: { email: 1 } });
    expect((await stage.arrived()).mails).toHaveLength(1);
    expect(await outcomes()).toEqual([
      ['email', 'sent', null],
      ['sms', 'suppressed', 'no_address'],
    ]);
  });
});

describe('N1: the first channel that works', () => {
  const first = { mode: 'first_that_works' };

  it('uses the first alone if it works', async () => {
    await givePhone();
    await remind(['sms', 'email'], first);
    clock.set(DUE);
    expect(await process()).toMatchObject({ channels: { sms: 1 } });
    expect(await stage.arrived()).toMatchObject({ mails: [], texts: [{ to: '+33612345678' }] });
    await process();
    expect(await stage.arrived()).toEqual({ mails: [], texts: [], pushes: 0 });
    expect(await stage.world.sql('SELECT FROM channel_fallbacks')).toEqual([]);
  });

  it('uses the next one at once if the user has no address, or turned the channel off', async () => {
    await stage.world.sql(`INSERT INTO preferences VALUES ($1, $2, 'reminder', 'push', false)`, [
      stage.cast.tenant_id,
      user.id,
    ]);
    await stage.addBrowser(user);
    await remind(['sms', 'push', 'email'], first);
    clock.set(DUE);
    expect(await process()).toMatchObject({ processed: 1, channels: { email: 1 } });
    expect((await stage.arrived()).mails).toHaveLength(1);
    expect(await outcomes()).toEqual([
      ['email', 'sent', null],
      ['push', 'suppressed', 'preference'],
      ['sms', 'suppressed', 'no_address'],
    ]);
  });

  it('uses the next one in the next round after a permanent failure, in any process, once', async () => {
    await stage.addBrowser(user);
    await remind(['push', 'email', 'sms'], first);
    clock.set(DUE);
    expect(await process()).toMatchObject({ channels: { push: 1 } });
    // Nothing is decided yet.
    expect((await process()).channels).toEqual({});
    stage.pushService.answer({ status: 410 });
    expect(await stage.arrived()).toMatchObject({ mails: [], pushes: 1 });
    expect(await outcomes()).toEqual([['push', 'failed', null]]);
    // The process that sent it is gone; two others continue at the same time.
    const other = await createWorld({ join: stage.world, clock });
    try {
      const rounds = await Promise.all(
        [stage.world, other].map((world) => world.app.get(ProcessReminders).process(stage.cast.tenant_id)),
      );
      expect(rounds.map(({ channels }) => channels.email ?? 0).sort()).toEqual([0, 1]);
    } finally {
      await other.close();
    }
    expect((await stage.arrived()).mails).toHaveLength(1);
    expect((await process()).channels).toEqual({});
    expect(await outcomes()).toEqual([
      ['email', 'sent', null],
      ['push', 'failed', null],
    ]);
    expect(await stage.world.sql('SELECT FROM channel_fallbacks')).toEqual([]);
  });

  it('uses the next one after an unknown outcome, but not after a purge', async () => {
    await givePhone();
    for (const [state, next] of [
      ['unknown', { email: 1 }],
      ['cancelled', {}],
    ] as const) {
      await stage.world.sql('DELETE FROM reminders');
      await stage.world.sql('DELETE FROM notifications');
      await remind(['sms', 'email'], first);
      clock.set(DUE);
      await process();
      await stage.world.sql(`UPDATE deliveries SET state = $1, ended_at = now()`, [state]);
      expect([state, (await process()).channels]).toEqual([state, next]);
      await stage.arrived();
      clock.set(NOW);
    }
  });

  it.each([
    ['before it was sent', 'pending', [['sms', 'suppressed', 'fact_gone']]],
    ['after it failed', 'failed', [['sms', 'failed', null]]],
  ])('ends when its ticket is settled %s', async (_when, state, expected) => {
    const ticket = await stage.call('POST', 'tickets', {
      title: 'Amende',
      due_on: '2026-04-02',
      responsible_id: user.id,
    });
    const { id } = ticket.body as { id: string };
    await givePhone();
    await remind(['sms', 'email'], { ...first, ticket_id: id });
    clock.set(DUE);
    await process();
    if (state === 'failed') await stage.world.sql(`UPDATE deliveries SET state = 'failed', ended_at = now()`);
    await stage.call('POST', `tickets/${id}/settle`);
    expect((await process()).channels).toEqual({});
    expect(await stage.arrived()).toEqual({ mails: [], texts: [], pushes: 0 });
    expect(await outcomes()).toEqual(expected);
    expect(await stage.world.sql('SELECT FROM channel_fallbacks')).toEqual([]);
  });

  it('many that have no address end in one call', async () => {
    await stage.world.sql(
      `INSERT INTO reminders (tenant_id, user_id, frequency_days, local_time, starts_on, channels, mode, active, next_on,
                              next_at, time_zone, created_at, updated_at)
       SELECT $1, $2, 1, '11:00', '2026-03-30',
              '[{"channel": "sms", "enabled": true}, {"channel": "push", "enabled": true}]', 'first_that_works', true,
              '2026-03-30', $3, 'Europe/Paris', now(), now() FROM generate_series(1, 1200)`,
      [stage.cast.tenant_id, user.id, DUE],
    );
    clock.set(DUE);
    expect(await process()).toMatchObject({ processed: 1_200, channels: {} });
    expect(await stage.world.sql('SELECT FROM channel_fallbacks')).toEqual([]);
    const states = await stage.world.sql(
      `SELECT channel, reason, count(*)::integer AS count FROM deliveries WHERE recipient = $1 GROUP BY 1, 2 ORDER BY 1`,
      [`user:${user.id}`],
    );
    expect(states).toEqual([
      { channel: 'push', reason: 'no_address', count: 1_200 },
      { channel: 'sms', reason: 'no_address', count: 1_200 },
    ]);
  });
});

describe('N5: the log of a user', () => {
  it('has every send with its ticket, reminder, channel, message, subject, status, error and times', async () => {
    await stage.addBrowser(user);
    const { body } = await stage.call('POST', 'tickets', {
      title: 'Stationnement',
      due_on: '2026-04-02',
      amount_cents: 13_500,
      responsible_id: user.id,
    });
    const ticket_id = (body as { id: string }).id;
    const { id: reminder_id } = await remind(['push', 'email'], { ticket_id });
    clock.set(DUE);
    await process();
    const subject = 'Stationnement (135,00\u00a0€), à payer dans 3 jours';
    const base = { user_id: user.id, kind: 'reminder', ticket_id, reminder_id, created_at: DUE };
    const byChannel = async () =>
      (await log()).sort((a, b) => String(a.channel).localeCompare(String(b.channel)));
    const pending = await byChannel();
    expect(pending).toMatchObject([
      { ...base, channel: 'email', status: 'pending', subject, sent_at: null, error: null },
      { ...base, channel: 'push', status: 'pending', subject, sent_at: null, error: null },
    ]);
    expect(pending[0]!.message).toContain('Relever le courrier');
    stage.pushService.answer({ status: 410 });
    await stage.arrived();
    const done = await byChannel();
    expect(done).toMatchObject([
      { ...base, channel: 'email', status: 'sent', subject, sent_at: DUE, error: null },
      { ...base, channel: 'push', status: 'failed', state: 'failed', sent_at: null },
    ]);
    expect(done[0]!.message).toContain('Payer avant le');
    expect(done[1]!.error).toEqual(expect.any(String));
    expect(await log(user)).toEqual(await log());
  });

  it('has pages without repetitions or gaps', async () => {
    await givePhone();
    await stage.addBrowser(user);
    await remind(['push', 'email', 'sms']);
    for (const day of ['30', '31']) {
      clock.set(`2026-03-${day}T09:00:00Z`);
      await process();
    }
    const all = await log();
    expect(all).toHaveLength(6);
    const pages: Record<string, unknown>[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '?limit=4' : `?limit=4&cursor=${cursor}`;
      const { body } = await stage.call('GET', `users/${user.id}/notifications${query}`);
      const page = body as { data: Record<string, unknown>[]; next_cursor: string | null };
      pages.push(...page.data);
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(pages).toEqual(all);
  });

  it('is for the user and admins: nobody else learns that the user exists', async () => {
    await remind(['email']);
    clock.set(DUE);
    await process();
    const unknown = await stage.call('GET', 'users/01890a5d-ac96-774b-bcce-b302099a8057/notifications');
    expect(unknown.status).toBe(404);
    for (const who of [stage.cast.teammate, stage.cast.outsider]) {
      const answer = await stage.call('GET', `users/${user.id}/notifications`, undefined, who);
      expect([answer.status, answer.text]).toEqual([404, unknown.text]);
    }
    const key = async (scope: string) => {
      const { body } = await stage.world.http('POST', `/api/v1/tenants/${stage.cast.tenant_id}/api-keys`, {
        token: operatorToken(),
        body: { name: 'log', scopes: [scope] },
      });
      const headers = { 'x-api-key': (body as { key: string }).key };
      return (await stage.world.http('GET', `/api/v1/users/${user.id}/notifications`, { headers })).status;
    };
    clock.set(NOW);
    expect(await key('notifications:read')).toBe(404);
  });
});

describe('N3: a message that is sent manually', () => {
  it('names its ticket, which the log shows', async () => {
    const { body } = await stage.call('POST', 'tickets', { title: 'Amende', due_on: '2026-04-02' });
    const ticket_id = (body as { id: string }).id;
    const message = { user_id: user.id, channel: 'email', subject: 'Votre amende', message: 'Payez-la.' };
    const sent = await stage.call('POST', 'notifications/send', { ...message, ticket_id });
    expect(sent).toMatchObject({
      status: 200,
      body: { notifications: [{ deliveries: [{ status: 'sent' }] }] },
    });
    expect(await log()).toMatchObject([
      {
        kind: 'message',
        ticket_id,
        reminder_id: null,
        channel: 'email',
        subject: 'Votre amende',
        status: 'sent',
      },
    ]);
    const queued = await stage.call('POST', 'notifications', {
      user_ids: [user.id],
      channel: 'email',
      subject: 'Votre amende',
      body: 'Payez-la.',
      ticket_id: ticket_id.toUpperCase(),
    });
    expect(queued.status).toBe(202);
    expect((await log()).map((send) => send.ticket_id)).toEqual([ticket_id, ticket_id]);
  });

  it('refuses an unknown ticket and that of another tenant alike', async () => {
    const { body } = await stage.call(
      'POST',
      'tickets',
      { title: 'Amende', due_on: '2026-04-02' },
      stage.cast.outsider,
    );
    const send = (ticket_id: string) =>
      stage.call('POST', 'notifications/send', {
        user_id: user.id,
        channel: 'email',
        subject: 'S',
        message: 'M',
        ticket_id,
      });
    const foreign = await send((body as { id: string }).id);
    expect(foreign).toMatchObject({ status: 400, body: { errors: [{ pointer: '/ticket_id' }] } });
    const unknown = await send('01890a5d-ac96-774b-bcce-b302099a8057');
    expect(unknown.body.errors).toEqual(foreign.body.errors);
    expect(await log()).toEqual([]);
  });
});

const operatorToken = () => stage.cast.operator.token;
