import { type MailCatcher, startMailCatcher } from '../../src/cli/demo/mail-catcher.js';
import { insertBacklog } from '../support/backlog.js';
import { type Cast, createCast } from '../support/cast.js';
import { until } from '../support/until.js';
import { createWorld, mailEnvironment, type World } from '../support/world.js';

/** C10: purge and pause while mail is being sent. LOST is 0: each delivery ends sent or cancelled, exactly once. */
describe('while mail is being sent', () => {
  const MAILS = 600;
  let catcher: MailCatcher;
  let world: World;
  let cast: Cast;
  /** The tenants of the running test, and the prefix of their slugs. */
  let tenants: string[];
  let prefix: string;
  let round = 0;

  beforeAll(async () => {
    catcher = await startMailCatcher();
    world = await createWorld({
      env: {
        VIGIE_ROLES: 'web,worker,scheduler',
        ...mailEnvironment(catcher),
        MAIL_CONCURRENCY: '8',
        LIMIT_PER_USER_PER_HOUR: '0',
        LIMIT_PER_USER_PER_DAY: '0',
      },
    });
    cast = await createCast(world);
  });
  beforeEach(async () => {
    round += 1;
    prefix = `purge${round}`;
    tenants = await insertBacklog(
      { query: async (text: string, values?: unknown[]) => ({ rows: await world.sql(text, values) }) },
      { tenants: 3, deliveries: MAILS / 3, prefix },
    );
  });
  afterAll(async () => {
    await world.close();
    await catcher.close();
  });

  const post = (path: string, token = cast.operator.token) =>
    world.http('POST', `/api/v1/admin/${path}`, { token });
  const states = async () => {
    const rows = await world.sql<{ state: string; count: number }>(
      'SELECT state, count(*)::integer FROM deliveries WHERE tenant_id = ANY ($1) GROUP BY state',
      [tenants],
    );
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  };
  const sentIds = async () =>
    (
      await world.sql<{ id: string }>(
        `SELECT id FROM deliveries WHERE state = 'sent' AND tenant_id = ANY ($1)`,
        [tenants],
      )
    ).map(({ id }) => id);
  const settled = () =>
    until('everything to have ended', async () => {
      const { pending = 0, queued = 0, sending = 0 } = await states();
      return pending + queued + sending === 0;
    });
  /** The received mails, by the delivery's id from the Message-ID. */
  const arrived = () =>
    catcher.mails
      .filter(({ to }) => to.some((address) => address.includes(`@${prefix}-`)))
      .map(({ message_id }) => /^<([^@]+)@/.exec(message_id)?.[1] ?? '');
  const someSent = (count: number) =>
    until(`${count} mails to arrive`, () => arrived().length >= count, 30_000);

  test('a purge cancels waiting deliveries; those being sent finish, and none is lost or sent twice', async () => {
    await someSent(100);
    const { status, body } = await post('queues/mail/purge');
    expect(status).toBe(200);
    const { cancelled, still_sending, remaining } = body as Record<string, number>;
    expect(cancelled).toBeGreaterThan(0);
    expect(remaining).toBe(0);
    expect(still_sending).toBeLessThanOrEqual(8);
    await settled();

    const { sent = 0, ...rest } = await states();
    expect(rest).toEqual({ cancelled });
    expect(sent + cancelled!).toBe(MAILS);
    expect(arrived().sort()).toEqual((await sentIds()).sort());
  });

  test('concurrent purges by several operators count each delivery once', async () => {
    await someSent(50);
    const answers = await Promise.all(
      ['', '', `?tenant=${prefix}-1`].map((query) => post(`queues/mail/purge${query}`)),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    await settled();
    const { sent = 0, cancelled = 0 } = await states();
    expect(answers.reduce((sum, { body }) => sum + (body as { cancelled: number }).cancelled, 0)).toBe(
      cancelled,
    );
    expect(sent + cancelled).toBe(MAILS);
    expect(arrived().sort()).toEqual((await sentIds()).sort());
  });

  test('a pause stops after running sends; the rest is sent after it, once', async () => {
    await someSent(100);
    expect((await post('queues/mail/pause')).status).toBe(200);
    await until('what had begun to end', async () => (await states()).sending === undefined);
    const before = arrived().length;
    const { pending = 0, ...rest } = await states();
    expect(pending).toBeGreaterThan(0);
    expect(rest).toEqual({ sent: before });
    // Nothing is sent, however often it is requested.
    const asked = await post('process?wait=true');
    expect(asked).toMatchObject({ status: 202, body: { state: 'queued', paused: ['email'] } });
    expect(arrived().length).toBe(before);

    await post('queues/mail/resume');
    await until('the rest to be sent', async () => (await states()).sent === MAILS, 45_000);
    expect(new Set(arrived()).size).toBe(MAILS);
    expect(arrived().length).toBe(MAILS);
  }, 90_000);
});
