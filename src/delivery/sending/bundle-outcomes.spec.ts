import { Logger } from '@nestjs/common';
import { addPerson, addTenant, createCast, type Person } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import {
  type Act,
  type ScriptedSmtp,
  startScriptedSmtp,
  type Step,
} from '../channels/email/scripted-smtp.fixture.js';
import { type ChannelSender, SendError, SENDERS } from '../channels/sender.js';
import { StepwiseDelivery } from '../dispatch/bundling.fixture.js';
import { Leases } from './leases.js';

/** Monday 30 March 2026, 09:00 in Paris. */
const MORNING = '2026-03-30T07:00:00Z';
const HOUR = 3_600_000;

/** M3, H3: the state of a bundle after an attempt. */
describe('the outcome of a bundle', () => {
  const clock = new FixedClock(MORNING);
  let world: World;
  let way: StepwiseDelivery;
  let smtp: ScriptedSmtp;
  let script: (step: Step) => Act;
  let admin: Person;
  let before: number;

  beforeAll(async () => {
    smtp = await startScriptedSmtp({ script: (step) => script(step) });
    world = await createWorld({
      clock,
      env: mailEnvironment(smtp),
    });
    await createCast(world);
    way = new StepwiseDelivery(world);
  });
  afterAll(async () => {
    await world.close();
    await smtp.close();
  });
  beforeEach(async () => {
    script = () => 'ok';
    clock.set(new Date(MORNING));
    await world.sql('DELETE FROM deliveries');
    await world.sql('DELETE FROM workers');
    await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'email', 5, now() + interval '1 day')`);
    const tenant = await addTenant(world);
    admin = await addPerson(world, tenant.id, { name: 'Alice', role: 'admin' });
    before = smtp.received.length;
  });
  afterEach(() => jest.restoreAllMocks());

  const tasks = async (count: number): Promise<string[]> => {
    const rows = await world.sql<{ id: string }>(
      `INSERT INTO tasks (tenant_id, title, due_on, responsible_id)
       SELECT $1, 'Item ' || i, '2026-03-29', $2 FROM generate_series(1, $3::integer) i RETURNING id`,
      [admin.tenant_id, admin.id, count],
    );
    await runJob(world, admin.tenant_id, 'check-notifications');
    return rows.map(({ id }) => id);
  };
  const received = () => smtp.received.slice(before).map(({ message_id }) => message_id);
  const rows = () =>
    world.sql(
      `SELECT state, attempts, ambiguities, count(*), count(DISTINCT bundle_id) AS bundles FROM deliveries
       GROUP BY 1, 2, 3 ORDER BY 1`,
    );
  const events = () =>
    world.sql(
      `SELECT event, reason, attempt, error, count(*) FROM delivery_events GROUP BY 1, 2, 3, 4 ORDER BY 1, 3`,
    );

  it('a retry sends the same bundle: the same Message-ID, without items that were added or ended meanwhile', async () => {
    script = (step) => (step === 'rcpt' ? { reply: '451 4.3.0 Try <later@mx.example> again' } : 'ok');
    const [done] = await tasks(3);
    expect(await way.leave()).toEqual([3]);
    expect(await rows()).toEqual([{ state: 'pending', attempts: 1, ambiguities: 0, count: 3, bundles: 1 }]);
    const [bundle] = await world.sql<{ bundle_id: string }>('SELECT bundle_id FROM deliveries LIMIT 1');

    script = () => 'ok';
    await world.http('POST', `/api/v1/tasks/${done}/complete`, { token: admin.token });
    await tasks(2);
    clock.advance(HOUR);
    expect((await way.leave()).sort()).toEqual([2, 2]);
    expect(received()).toHaveLength(2);
    expect(received()).toContain(`<${bundle!.bundle_id}@vigie.example>`);
    // The reason for the retry is stored, without addresses.
    expect(await events()).toEqual([
      { event: 'retried', reason: 'retry', attempt: 1, error: expect.not.stringContaining('@'), count: 3 },
      { event: 'suppressed', reason: 'fact_gone', attempt: 1, error: null, count: 1 },
    ]);
  });

  it('a permanent refusal fails all of it, and an operator’s retry may bundle it again', async () => {
    script = (step) => (step === 'rcpt' ? { reply: '550 5.1.1 No such user' } : 'ok');
    await tasks(3);
    await way.leave();
    expect(await rows()).toEqual([{ state: 'failed', attempts: 1, ambiguities: 0, count: 3, bundles: 1 }]);
  });

  it('a bundle whose connection breaks after the dot is one ambiguous send, repeated once with the same Message-ID', async () => {
    script = (step) => (step === 'dot' ? 'reset' : 'ok');
    await tasks(4);
    expect(await way.leave()).toEqual([4]);
    expect(await rows()).toEqual([{ state: 'pending', attempts: 1, ambiguities: 1, count: 4, bundles: 1 }]);
    clock.advance(HOUR);
    expect(await way.leave()).toEqual([4]);
    expect(await rows()).toEqual([{ state: 'unknown', attempts: 2, ambiguities: 2, count: 4, bundles: 1 }]);
    expect(new Set(received()).size).toBe(1);
  });

  it('after a process is killed while it sends a bundle, all of it is repeated as one', async () => {
    await tasks(4);
    await way.admit();
    const [job] = await way.queued();
    await world.app.get(Leases).claim(job!);
    await world.sql(`UPDATE deliveries SET lease_until = now() - interval '1 second'`);
    expect(await world.app.get(Leases).reap()).toEqual({ requeued: 0, ambiguous: 1 });
    expect(await rows()).toEqual([{ state: 'pending', attempts: 1, ambiguities: 1, count: 4, bundles: 1 }]);
    expect(await way.leave()).toEqual([4]);
    expect(received()).toEqual([`<${job!.bundle_id}@vigie.example>`]);
  });

  it('a bundle whose sending never began may leave with more items', async () => {
    await tasks(2);
    expect(await way.admit()).toEqual([2]);
    await world.sql(`UPDATE deliveries SET lease_until = now() - interval '1 second'`);
    expect(await world.app.get(Leases).reap()).toEqual({ requeued: 1, ambiguous: 0 });
    await tasks(1);
    expect(await way.leave()).toEqual([3]);
  });

  const sender = (): ChannelSender => world.app.get<Map<string, ChannelSender>>(SENDERS).get('email')!;

  it('H3: an error other than SendError is retried, and logged with its stack', async () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    jest.spyOn(sender(), 'send').mockRejectedValueOnce(new TypeError('no such column'));
    await tasks(2);
    await way.leave();
    expect(await rows()).toEqual([{ state: 'pending', attempts: 1, ambiguities: 0, count: 2, bundles: 1 }]);
    expect(error).toHaveBeenCalledWith(
      expect.objectContaining({
        event: 'sender_failed',
        err: expect.objectContaining({ stack: expect.any(String) }),
      }),
    );
    clock.advance(HOUR);
    expect(await way.leave()).toEqual([2]);
  });

  it('M2: a fault of the channel does not count as an attempt, keeps the place, and lets others join', async () => {
    const send = jest.spyOn(sender(), 'send');
    send.mockRejectedValueOnce(new SendError('channel', 'Login refused (535)', undefined, 'login'));
    await tasks(2);
    await way.admit();
    const [due] = await world.sql('SELECT DISTINCT due_at FROM deliveries');
    await way.send();
    expect(await rows()).toEqual([{ state: 'pending', attempts: 0, ambiguities: 0, count: 2, bundles: 0 }]);
    expect(await world.sql('SELECT DISTINCT due_at FROM deliveries')).toEqual([due]);
    expect(await events()).toEqual([
      { event: 'returned', reason: 'channel_down', attempt: 0, error: 'Login refused (535)', count: 2 },
    ]);
    await tasks(1);
    // The probe is the next message, with all waiting items for the same person.
    await world.sql(`UPDATE channels SET next_probe_at = now() WHERE channel = 'email'`);
    expect(await way.leave()).toEqual([3]);
  });

  it('H26: recording an outcome is retried if PostgreSQL fails, and logged once', async () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    jest
      .spyOn(Leases.prototype, 'record')
      .mockRejectedValueOnce(new Error('connection lost'))
      .mockRejectedValueOnce(new Error('connection lost'));
    await tasks(2);
    expect(await way.leave()).toEqual([2]);
    expect(error.mock.calls.filter(([line]) => line.event === 'outcome_not_recorded')).toHaveLength(1);
    expect(await rows()).toEqual([{ state: 'sent', attempts: 1, ambiguities: 0, count: 2, bundles: 1 }]);
  });

  it('stores no one-time link', async () => {
    const password = await world.http('POST', '/api/v1/users', {
      token: admin.token,
      body: { email: 'new@example.com', name: 'New', role: 'member' },
    });
    expect(password.status).toBe(201);
    await way.leave();
    const [kept] = await world.sql<{ sent_text: string }>(
      `SELECT sent_text FROM deliveries WHERE state = 'sent'`,
    );
    expect(kept?.sent_text).toContain('…');
    expect(kept?.sent_text).not.toContain('token=');
  });
});
