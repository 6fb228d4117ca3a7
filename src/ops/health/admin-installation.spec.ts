import { createServer, type Server } from 'node:net';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { Database } from '../../platform/database/database.js';
import { Queues } from '../../platform/queues/queues.js';

/** E8: connections and configuration, for operators. */
const PASSWORD = 'canary-of-the-mail-server';

afterEach(() => jest.restoreAllMocks());

async function worldWith(env: Record<string, string>): Promise<{ world: World; cast: Cast }> {
  const world = await createWorld({ env });
  return { world, cast: await createCast(world) };
}
const smtp = (port: number, more: Record<string, string> = {}) => ({
  SMTP_HOST: '127.0.0.1',
  SMTP_PORT: String(port),
  SMTP_TLS: 'false',
  SMTP_FROM_EMAIL: 'vigie@vigie.example',
  ...more,
});
const connections = ({ world, cast }: { world: World; cast: Cast }) =>
  world.http('GET', '/api/v1/admin/connections', { token: cast.operator.token });

const smtpOf = (body: { data: { service: string }[] }) =>
  body.data.find(({ service }) => service === 'smtp') as Record<string, unknown>;

describe('with all services available', () => {
  let catcher: MailCatcher;
  let here: { world: World; cast: Cast };

  beforeAll(async () => {
    catcher = await startMailCatcher({ login: { user: 'vigie', password: PASSWORD } });
    here = await worldWith(smtp(catcher.port, { SMTP_USER: 'vigie', SMTP_PASSWORD: PASSWORD }));
  });
  afterAll(async () => {
    await here.world.close();
    await catcher.close();
  });

  test('each connection is tested, with its latency, and no mail is sent', async () => {
    const { status, body } = await connections(here);
    expect(status).toBe(200);
    expect(body.ok).toBe(true);
    expect(body.data).toEqual(
      ['postgresql_app', 'postgresql_system', 'redis', 'scheduler', 'smtp', 'sms', 'push', 'webhook'].map(
        (service) => {
          const configured = !['scheduler', 'sms', 'push'].includes(service);
          return {
            service,
            configured,
            ok: configured ? true : null,
            latency_ms: configured ? expect.any(Number) : null,
            error: null,
            channel: ['smtp', 'sms', 'push', 'webhook'].includes(service)
              ? { state: 'up', cause: null, detail: null, since: null, next_probe_at: null }
              : null,
          };
        },
      ),
    );
    expect(catcher.count).toBe(0);
  });

  test('a service that does not answer is named, and the others are still shown', async () => {
    jest
      .spyOn(here.world.app.get(Queues), 'probe')
      .mockRejectedValue(new Error('Redis did not answer within 2 s'));
    jest.spyOn(here.world.app.get(Database), 'ping').mockReturnValue(new Promise(() => undefined));
    const began = performance.now();
    const { status, body } = await connections(here);
    expect(performance.now() - began).toBeLessThan(8_000);
    expect(status).toBe(200);
    expect(body.ok).toBe(false);
    expect(body.data).toMatchObject([
      { service: 'postgresql_app', ok: false, error: 'no answer within 5 s' },
      { service: 'postgresql_system', ok: true },
      { service: 'redis', ok: false, error: 'Redis did not answer within 2 s' },
      { service: 'scheduler', ok: null },
      { service: 'smtp', ok: true },
      { service: 'sms', ok: null },
      { service: 'push', ok: null },
      { service: 'webhook', ok: true },
    ]);
  });

  test('the effective configuration is shown without secrets', async () => {
    const { world, cast } = here;
    const { status, body, text } = await world.http('GET', '/api/v1/admin/configuration', {
      token: cast.operator.token,
    });
    expect(status).toBe(200);
    const settings = Object.fromEntries(
      (body.data as { variable: string; value: unknown }[]).map((each) => [each.variable, each]),
    );
    expect(settings.SMTP_PASSWORD).toMatchObject({ value: '***', source: 'environment' });
    expect(settings.MAIL_CONCURRENCY).toMatchObject({ value: 10, source: 'default' });
    expect(settings.DATABASE_URL!.value).toMatch(/^postgres(ql)?:\/\/\w+:\*\*\*@127\.0\.0\.1:\d+\/test_\w+$/);
    for (const url of [world.config.databaseUrl, world.config.databaseAppUrl, world.config.redisUrl]) {
      const { password } = new URL(url!);
      expect(password).not.toBe('');
      expect(text).not.toContain(password);
    }
    expect(text).not.toContain(PASSWORD);
    expect(text).not.toContain(world.config.jwtSecret!);
  });

  test.each(['connections', 'configuration'])('%s is for operators only', async (path) => {
    const { world, cast } = here;
    const url = `/api/v1/admin/${path}`;
    for (const token of [cast.admin.token, cast.teammate.token]) {
      expect((await world.http('GET', url, { token })).status).toBe(403);
    }
    expect((await world.http('GET', url)).status).toBe(401);
  });
});

describe('a mail server', () => {
  test('that refuses the login is reported, without the password', async () => {
    const catcher = await startMailCatcher({ login: { user: 'vigie', password: 'another one' } });
    const here = await worldWith(smtp(catcher.port, { SMTP_USER: 'vigie', SMTP_PASSWORD: PASSWORD }));
    const { body, text } = await connections(here);
    expect(smtpOf(body)).toMatchObject({ service: 'smtp', ok: false });
    expect(smtpOf(body).error).toMatch(/login/i);
    expect(text).not.toContain(PASSWORD);
    await here.world.close();
    await catcher.close();
  });

  test('M10: without the required TLS, or without a greeting, counts as failed', async () => {
    const catcher = await startMailCatcher();
    const plain = await worldWith(smtp(catcher.port, { SMTP_TLS: 'true' }));
    expect(smtpOf((await connections(plain)).body)).toMatchObject({ ok: false });
    await plain.world.close();
    await catcher.close();

    const silent = await new Promise<Server>((resolve) => {
      const server = createServer(() => undefined).listen(0, '127.0.0.1', () => resolve(server));
    });
    const { port } = silent.address() as { port: number };
    // Longer than the other time limits, and as long as the setting says (M10).
    const quiet = await worldWith(smtp(port, { SMTP_GREETING_TIMEOUT_SECONDS: '6' }));
    const { body } = await connections(quiet);
    expect(smtpOf(body)).toMatchObject({ ok: false });
    expect(smtpOf(body).error).toMatch(/^The mail server sent no greeting in time/);
    expect(smtpOf(body).latency_ms).toBeGreaterThan(5_900);
    await quiet.world.close();
    silent.close();
  });

  test('that is not configured is not tested', async () => {
    const here = await worldWith({});
    const { body } = await connections(here);
    expect(body).toMatchObject({ ok: true });
    expect(smtpOf(body)).toMatchObject({
      service: 'smtp',
      configured: false,
      ok: null,
      latency_ms: null,
      error: null,
    });
    await here.world.close();
  });
});
