import { insertBacklog } from '../../../test/support/backlog.js';
import { addPerson, addTenant, createCast, type Cast } from '../../../test/support/cast.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import {
  type Act,
  type ScriptedSmtp,
  startScriptedSmtp,
  type Step,
  type Where,
} from '../channels/email/scripted-smtp.fixture.js';
import { StepwiseDelivery } from '../dispatch/bundling.fixture.js';
import { Dispatcher } from '../dispatch/dispatcher.js';
import { DeliverySending } from '../sending/delivery-sending.js';
import { ChannelHealth } from './channel-health.js';

const NOW = '2026-11-18T09:00:00.000Z';
const HOUR = 3_600_000;
const REFUSED = { reply: '535 5.7.8 Bad credentials' };

/** M2, M7, F8: a fault of the channel loses no message and causes no storm of logins. */
describe('the health of a channel', () => {
  const clock = new FixedClock(NOW);
  let world: World;
  let way: StepwiseDelivery;
  let smtp: ScriptedSmtp;
  let script: (step: Step, where: Where) => Act;
  let cast: Cast;
  let before: number;

  beforeAll(async () => {
    smtp = await startScriptedSmtp({
      extensions: ['AUTH PLAIN'],
      script: (step, where) => script(step, where),
    });
    world = await createWorld({
      clock,
      env: {
        SMTP_HOST: '127.0.0.1',
        SMTP_PORT: String(smtp.port),
        SMTP_TLS: 'false',
        SMTP_USER: 'vigie',
        SMTP_PASSWORD: 'secret',
        SMTP_FROM_EMAIL: 'vigie@vigie.example',
        LIMIT_PER_USER_PER_HOUR: '0',
        LIMIT_PER_USER_PER_DAY: '0',
        DISPATCH_BATCH_SIZE: '200',
      },
    });
    cast = await createCast(world);
    way = new StepwiseDelivery(world);
  });
  afterAll(async () => {
    await world.close();
    await smtp.close();
  });
  beforeEach(async () => {
    clock.set(new Date(NOW));
    script = () => 'ok';
    // Drop connections: a logged-in one would not notice a refused login.
    smtp.dropConnections();
    await world.sql('DELETE FROM deliveries');
    await world.sql('DELETE FROM workers');
    await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'email', 50, now() + interval '1 day')`);
    await world.sql(
      `UPDATE channels SET paused = false, down_since = NULL, down_cause = NULL, down_detail = NULL, up_since = NULL,
              worked_at = NULL, next_probe_at = NULL, probed_at = NULL, probe_interval_ms = NULL, probe_token = NULL WHERE channel = 'email'`,
    );
    before = smtp.commands.length;
  });

  let backlogs = 0;
  async function waiting(deliveries: number): Promise<void> {
    backlogs += 1;
    await insertBacklog(
      { query: async (text: string, values?: unknown[]) => ({ rows: await world.sql(text, values) }) },
      { tenants: 1, deliveries, users: deliveries, prefix: `health${backlogs}` },
    );
    await world.sql(`UPDATE deliveries SET due_at = $1, created_at = $1`, [clock.now()]);
    await world.sql(`UPDATE notifications SET created_at = $1`, [clock.now()]);
  }
  const proven = () => world.sql(`UPDATE channels SET worked_at = now() WHERE channel = 'email'`);
  const logins = () => smtp.commands.slice(before).filter((line) => line.startsWith('AUTH')).length;
  const round = () => world.app.get(Dispatcher).round('email');
  const state = async () => (await world.app.get(ChannelHealth).states(['email'])).get('email');
  const probeIsDue = () =>
    world.sql(`UPDATE channels SET next_probe_at = now() WHERE channel = 'email' AND down_since IS NOT NULL`);
  const interval = async () =>
    (
      await world.sql<{ probe_interval_ms: number }>(
        `SELECT probe_interval_ms FROM channels WHERE channel = 'email'`,
      )
    )[0]?.probe_interval_ms;
  const isUp = () => until('the channel to be up', async () => (await state())?.state === 'up');
  const deliveries = () =>
    world.sql(
      `SELECT state, reason, defer_reason, attempts, due_at = $1 AS in_place, count(*) FROM deliveries
       GROUP BY 1, 2, 3, 4, 5 ORDER BY count(*)`,
      [clock.now()],
    );
  const untried = (count: number, defer_reason: string | null = null) => ({
    ...{ state: 'pending', reason: null, defer_reason, attempts: 0, in_place: true, count },
  });

  it('M2: 100 waiting mails and a refused login cause one login, then one per probe, and no attempt', async () => {
    script = (step) => (step === 'auth' ? REFUSED : 'ok');
    await waiting(100);
    for (let step = 0; step < 3; step += 1) {
      await way.admit();
      await way.send();
    }
    expect(logins()).toBe(1);
    expect(await state()).toMatchObject({
      state: 'down',
      cause: 'login',
      detail: 'SMTP login refused (535)',
    });
    expect(await deliveries()).toEqual([untried(1, 'channel_down'), untried(99)]);
    expect(await interval()).toBe(5_000);
    for (const doubled of [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]) {
      await probeIsDue();
      expect(await way.admit()).toEqual([1]);
      await way.send();
      expect(await interval()).toBe(doubled);
    }
    expect(logins()).toBe(8);
  });

  it('M2: the first success opens it, and everything leaves in order', async () => {
    script = (step) => (step === 'auth' ? REFUSED : 'ok');
    await waiting(20);
    await way.admit();
    await way.send();
    script = () => 'ok';
    await probeIsDue();
    expect(await way.admit()).toEqual([1]);
    expect(await round()).toMatchObject({ admitted: 0 });
    await way.send();
    await isUp();
    expect(await way.leave()).toHaveLength(19);
    expect(await world.sql(`SELECT state, attempts, count(*) FROM deliveries GROUP BY 1, 2`)).toEqual([
      { state: 'sent', attempts: 1, count: 20 },
    ]);
  });

  it('M2: queued deliveries return to pending when it goes down', async () => {
    await proven();
    await waiting(20);
    expect(await way.admit()).toHaveLength(20);
    script = (step) => (step === 'greeting' ? { reply: '421 4.3.2 Closing' } : 'ok');
    const [first] = await way.queued();
    await world.app.get(DeliverySending).deliver(first!);
    expect(await deliveries()).toEqual([untried(20, 'channel_down')]);
    expect(await state()).toMatchObject({ state: 'down', cause: 'unreachable' });
  });

  it.each([
    ['M7', 'mail', '554 5.7.1 <a@b.example>: Access denied', 'policy'],
    ['F8', 'mail', '550 5.4.5 Daily user sending limit exceeded', 'quota'],
    ['M7', 'mail', '553 5.7.1 Sender address rejected: not owned by user', 'policy'],
    ['M2', 'mail', '452 4.3.1 Insufficient system storage', 'unreachable'],
  ] as const)('%s: at %s %j is the channel (%s)', async (_, at, reply, cause) => {
    script = (step) => (step === at ? { reply } : 'ok');
    await waiting(5);
    await way.leave();
    expect(await state()).toMatchObject({ state: 'down', cause });
    expect((await state())?.detail).not.toContain('@');
    script = () => 'ok';
    // A probe that meets a connection which the server is closing fails; the next one finds it well.
    await until('the channel to be up', async () => {
      await probeIsDue();
      await way.leave();
      return (await state())?.state === 'up';
    });
    await way.leave();
    expect(await world.sql(`SELECT DISTINCT state, attempts FROM deliveries`)).toEqual([
      { state: 'sent', attempts: 1 },
    ]);
  });

  it('M2: one mail that breaks its connection does not set the channel down, several in a row do', async () => {
    await proven();
    await waiting(8);
    let cut = 2;
    script = (step) => (step === 'rcpt' && cut-- > 0 ? { reply: '421 4.3.2 Closing' } : 'ok');
    await way.leave();
    expect(await state()).toMatchObject({ state: 'up' });
    // Both retry later, after the others.
    expect(await deliveries()).toMatchObject([
      { state: 'pending', defer_reason: 'retry', attempts: 0, in_place: false, count: 2 },
      { state: 'sent', count: 6 },
    ]);
    clock.advance(HOUR);
    await waiting(8);
    script = (step) => (step === 'rcpt' ? { reply: '421 4.3.2 Closing' } : 'ok');
    await way.leave();
    expect(await state()).toMatchObject({ state: 'down', cause: 'unreachable' });
  });

  it('M2: if a probe is refused because of its own content, the next one follows', async () => {
    script = (step) => (step === 'auth' ? REFUSED : 'ok');
    await waiting(3);
    await way.leave();
    let refusals = 1;
    script = (step) => (step === 'rcpt' && refusals-- > 0 ? { reply: '550 5.1.1 No such user' } : 'ok');
    await probeIsDue();
    await way.leave();
    await isUp();
    await way.leave();
    expect(await world.sql(`SELECT state, count(*) FROM deliveries GROUP BY 1 ORDER BY 1`)).toEqual([
      { state: 'failed', count: 1 },
      { state: 'sent', count: 2 },
    ]);
  });

  it('M2: with nothing due the probe is a connection test', async () => {
    script = (step) => (step === 'auth' ? REFUSED : 'ok');
    await waiting(1);
    await way.leave();
    await world.sql('DELETE FROM deliveries');
    await probeIsDue();
    await round();
    await until('the probe to fail', async () => (await interval()) === 10_000);
    script = () => 'ok';
    await probeIsDue();
    await round();
    await isUp();
    expect(logins()).toBe(3);
    expect(smtp.received.filter(({ to }) => to.includes('health'))).toHaveLength(smtp.received.length);
  });

  it('M2: two concurrent dispatchers make one probe', async () => {
    script = (step) => (step === 'auth' ? REFUSED : 'ok');
    await waiting(5);
    await way.leave();
    await probeIsDue();
    const rounds = await Promise.all([round(), round(), round()]);
    expect(rounds.reduce((sum, { admitted }) => sum + admitted, 0)).toBe(1);
  });

  it('M2: a flapping channel keeps its interval, a channel that stayed up starts again with the shortest', async () => {
    const fails = async () => {
      script = (step) => (step === 'mail' ? { reply: '421 4.3.2 Closing' } : 'ok');
      await waiting(1);
      await way.leave();
    };
    const opens = async () => {
      script = () => 'ok';
      await probeIsDue();
      await way.leave();
      await isUp();
    };
    await fails();
    await opens();
    await fails();
    expect(await interval()).toBe(10_000);
    await opens();
    await world.sql(`UPDATE channels SET up_since = now() - interval '61 seconds' WHERE channel = 'email'`);
    await fails();
    expect(await interval()).toBe(5_000);
  });

  it('M2: a send that began before the channel went down does not open it', async () => {
    script = (step) => (step === 'auth' ? REFUSED : 'ok');
    const before = performance.now();
    await waiting(1);
    await way.leave();
    const health = world.app.get(ChannelHealth);
    health.worked('email', before);
    await health['noting'].get('email');
    expect(await state()).toMatchObject({ state: 'down', cause: 'login' });
    health.worked('email', performance.now());
    await health['noting'].get('email');
    expect(await state()).toMatchObject({ state: 'up' });
  });

  it('M2: the age of a message counts from when it was due, not from its creation', async () => {
    script = (step) => (step === 'rcpt' ? { reply: '421 4.3.2 Closing' } : 'ok');
    await waiting(1);
    const written = new Date(clock.now().getTime() - 240 * HOUR);
    await world.sql(`UPDATE notifications SET created_at = $1`, [written]);
    await world.sql(`UPDATE deliveries SET created_at = $1, due_since = $2`, [written, clock.now()]);
    await way.leave();
    expect(await world.sql(`SELECT state, defer_reason FROM deliveries`)).toEqual([
      { state: 'pending', defer_reason: 'retry' },
    ]);
    await world.sql(`UPDATE deliveries SET due_at = $1, due_since = $2`, [clock.now(), written]);
    await way.leave();
    expect(await world.sql(`SELECT state, reason FROM deliveries`)).toEqual([
      { state: 'failed', reason: 'expired' },
    ]);
  });

  it('M2: expires old messages, with a reason', async () => {
    script = (step) => (step === 'auth' ? REFUSED : 'ok');
    await waiting(2);
    await way.leave();
    clock.advance(119 * HOUR);
    await world.app.get(ChannelHealth).expire('email');
    expect(await world.sql(`SELECT DISTINCT state FROM deliveries`)).toEqual([{ state: 'pending' }]);
    clock.advance(2 * HOUR);
    await world.sql(`UPDATE channels SET down_since = $1 WHERE channel = 'email'`, [new Date(NOW)]);
    // Pretend that a minute has passed since the last check.
    world.app.get(ChannelHealth)['expiredAt'].clear();
    await world.app.get(ChannelHealth).expire('email');
    expect(
      await world.sql(`SELECT state, reason, attempts, error, count(*) FROM deliveries GROUP BY 1, 2, 3, 4`),
    ).toEqual([
      { state: 'failed', reason: 'expired', attempts: 0, error: 'SMTP login refused (535)', count: 2 },
    ]);
    expect(await world.sql(`SELECT event, reason FROM delivery_events WHERE event = 'failed'`)).toEqual(
      Array(2).fill({ event: 'failed', reason: 'expired' }),
    );
  });

  it('M2: a direct send waits without a login, and probe requests are rate-limited', async () => {
    script = (step) => (step === 'auth' ? REFUSED : 'ok');
    await waiting(1);
    await way.leave();
    const tenant = await addTenant(world);
    const admin = await addPerson(world, tenant.id, { name: 'Alice', role: 'admin' });
    const answer = await world.http('POST', '/api/v1/notifications', {
      token: admin.token,
      body: { channel: 'email', to: 'a@example.com', subject: 'Relance', body: 'Bonjour.', send_now: true },
    });
    expect(answer.status).toBeLessThan(300);
    expect(logins()).toBe(1);
    for (let n = 0; n < 5; n += 1) {
      await world.app.get(ChannelHealth).probeNow('email');
      await way.leave();
    }
    expect(logins()).toBe(1);
    await world.sql(
      `UPDATE channels SET probed_at = now() - interval '6 seconds', next_probe_at = now() + interval '1 hour' WHERE channel = 'email'`,
    );
    await world.app.get(ChannelHealth).probeNow('email');
    await way.leave();
    expect(logins()).toBe(2);
  });

  it('M2: operators see the cause, the start and the next probe; the process stays ready', async () => {
    script = (step) => (step === 'auth' ? REFUSED : 'ok');
    await waiting(1);
    await way.leave();
    const { body } = await world.http('GET', '/api/v1/admin/connections', { token: cast.operator.token });
    const channel = {
      state: 'down',
      cause: 'login',
      detail: 'SMTP login refused (535)',
      since: expect.any(String) as string,
      next_probe_at: expect.any(String) as string,
    };
    expect(body.data.find(({ service }: { service: string }) => service === 'smtp')).toMatchObject({
      ok: false,
      error: 'SMTP login refused (535)',
      channel,
    });
    const queues = await world.http('GET', '/api/v1/admin/queues', { token: cast.operator.token });
    expect(queues.body.data.find(({ queue }: { queue: string }) => queue === 'mail')).toMatchObject({
      channel,
    });
    expect((await world.http('GET', '/readyz')).status).toBe(200);
    expect((await world.http('GET', '/metrics')).text).toContain('vigie_channel_up{channel="email"} 0');
  });
});
