import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import webPush from 'web-push';
import { createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { startProvider } from '../../delivery/channels/provider.fixture.js';
import { Browser } from '../demo/browser.js';
import { type MailCatcher, startMailCatcher } from '../demo/mail-catcher.js';
import { CATCHER_NETWORK, startWebhookCatcher } from '../demo/webhook-catcher.js';
import { TRIAL_TENANT } from './stage.js';
import { runTry, type TryOptions } from './try.js';

const OPERATOR = { email: 'operator@vigie.example', password: 'a password of the operator' };
const STEPS = [
  'connections',
  'create',
  'send now',
  'text message',
  'push',
  'webhook',
  'trigger',
  'statistics',
  'socket',
];
/** Without a number, a device and an endpoint. */
const MAIL_ONLY = { 'text message': 'skipped', push: 'skipped', webhook: 'skipped' };

let catcher: MailCatcher;
let deadPort: number;
const worlds: World[] = [];

beforeAll(async () => {
  catcher = await startMailCatcher({ port: 0 });
  deadPort = await closedPort();
});
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});
afterAll(() => catcher.close());

/** A port without a listener. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Starts a complete server that mails to this port; with null it sends no mail. */
async function serve(
  smtpPort: number | null,
  env: Record<string, string> = {},
): Promise<{ world: World; url: string }> {
  const world = await createWorld({
    env: {
      VIGIE_ROLES: 'web,worker,scheduler',
      VIGIE_OPERATOR_EMAIL: OPERATOR.email,
      VIGIE_OPERATOR_PASSWORD: OPERATOR.password,
      ...(smtpPort === null
        ? {}
        : {
            SMTP_HOST: '127.0.0.1',
            SMTP_PORT: String(smtpPort),
            SMTP_TLS: 'false',
            SMTP_FROM_EMAIL: 'vigie@vigie.example',
          }),
      ...env,
    },
  });
  worlds.push(world);
  await world.app.listen(0, '127.0.0.1');
  return { world, url: await world.app.getUrl() };
}

interface Trial {
  code: number;
  /** The result of each step, by name: ok, skipped, FAILED or -. */
  steps: Record<string, string>;
  text: string;
}

async function attempt(options: Partial<TryOptions> & { url: string }): Promise<Trial> {
  const lines: string[] = [];
  const code = await runTry(
    { operator: OPERATOR, api_key: null, to: null, phone: null, push: null, webhook: null, ...options },
    (line) => void lines.push(line),
  );
  const steps = lines.flatMap((line) => {
    const [, how, name] = /^ {2}(ok|skipped|FAILED|-) +(\S+(?: \S+)?) {2,}/.exec(line) ?? [];
    return how === undefined ? [] : [[name, how]];
  });
  return { code, steps: Object.fromEntries(steps) as Record<string, string>, text: lines.join('\n') };
}

const every = (how: string) => Object.fromEntries(STEPS.map((name) => [name, how]));

test('C11: a working installation passes every step, twice, and keeps only its record of two mails', async () => {
  const { world, url } = await serve(catcher.port);
  const before = catcher.count;
  for (const round of [1, 2]) {
    const { code, steps, text } = await attempt({ url, to: 'you@vigie.example' });
    expect([text, steps]).toEqual([
      text,
      { health: 'ok', 'sign in': 'ok', ...every('ok'), ...MAIL_ONLY, 'tidy up': 'ok' },
    ]);
    expect(code).toBe(0);
    expect(text).toMatch(/text messages are not configured[^]+pushes are not configured/);
    expect(text).toContain('\nNothing failed.\nNot tried: webhook (--webhook).');
    expect(catcher.count - before).toBe(2 * round);
  }
  expect(catcher.mails.slice(before).map(({ to }) => to)).toEqual(Array(4).fill(['you@vigie.example']));
  expect(await world.sql('SELECT slug, suspended_at IS NOT NULL AS suspended FROM tenants')).toEqual([
    { slug: TRIAL_TENANT, suspended: true },
  ]);
  expect(await world.sql('SELECT id FROM users')).toEqual([]);
  expect(await world.sql('SELECT id FROM api_keys WHERE revoked_at IS NULL')).toEqual([]);
  const { text } = await world.http('GET', '/metrics');
  expect(text).toContain('vigie_sends_total{channel="email",outcome="sent"} 4');
}, 90_000);

test('an unreachable mail server is named, the other steps still run, and the exit code is 1', async () => {
  const { url } = await serve(deadPort);
  const { code, steps, text } = await attempt({ url });
  expect(steps).toMatchObject({ connections: 'FAILED', create: 'FAILED', 'send now': 'FAILED' });
  expect(steps).toMatchObject({
    health: 'ok',
    trigger: 'ok',
    statistics: 'ok',
    socket: 'ok',
    'tidy up': 'ok',
  });
  expect(text).toMatch(/FAILED +connections +smtp: The mail server refused the connection/);
  expect(text).toContain('SMTP_HOST');
  expect(text).toContain('steps failed: connections, create, send now.');
  expect(code).toBe(1);
}, 60_000);

test('an installation without mail does not fail', async () => {
  const { url } = await serve(null);
  const { code, steps, text } = await attempt({ url });
  expect([text, steps]).toMatchObject([
    text,
    { ...every('ok'), ...MAIL_ONLY, create: 'skipped', 'send now': 'skipped' },
  ]);
  expect(code).toBe(0);
}, 60_000);

test('C11: tries the given webhook and phone number', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vigie-try-'));
  const { world, url } = await serve(null, {
    SMS_PROVIDER: 'console',
    SMS_SIMULATION_FILE: join(folder, 'sms.ndjson'),
    WEBHOOK_ALLOW_HTTP: 'true',
    WEBHOOK_ALLOWED_NETWORKS: CATCHER_NETWORK,
  });
  // It refuses the call, because it does not know the trial's secret.
  const endpoint = await startWebhookCatcher();
  const refused = await attempt({ url, phone: '+33612345678', webhook: endpoint.url });
  await endpoint.close();
  const closed = await attempt({ url, webhook: endpoint.url });
  const accepting = createHttpServer((_request, response) => response.writeHead(204).end());
  await new Promise<void>((listening) => accepting.listen(0, '127.0.0.1', listening));
  const { port } = accepting.address() as AddressInfo;
  const called = await attempt({ url, webhook: `http://127.0.0.1:${port}/` });
  await new Promise((ended) => accepting.close(ended));

  expect(refused.steps).toMatchObject({ 'text message': 'ok', webhook: 'FAILED', 'tidy up': 'ok' });
  expect(refused.text).toContain('The endpoint answered 401');
  expect(closed.text).toMatch(/FAILED +webhook +The endpoint refused the connection\n +→ .*WEBHOOK_ALLOWED/);
  expect(closed.code).toBe(1);
  expect(closed.text).toContain('\nNot tried: text message (--phone).');
  expect(called.text).toMatch(/ok +webhook +127\.0\.0\.1:\d+ answered 204 in \d+ ms/);
  expect(await world.sql('SELECT id FROM webhook_endpoints')).toEqual([]);
  await rm(folder, { recursive: true });
}, 60_000);

test('what an interrupted trial left does no harm', async () => {
  const { world, url } = await serve(catcher.port);
  expect((await attempt({ url })).code).toBe(0);
  await world.sql(`UPDATE tenants SET suspended_at = NULL`);
  await world.sql(`UPDATE api_keys SET revoked_at = NULL`);
  await world.sql(
    `INSERT INTO users (tenant_id, email, name, role) SELECT id, $1, 'Vigie', 'member' FROM tenants`,
    [OPERATOR.email],
  );
  expect((await attempt({ url })).code).toBe(0);
  expect(await world.sql('SELECT id FROM users')).toEqual([]);
}, 90_000);

test('a wrong password is reported, and no later step runs', async () => {
  const { world, url } = await serve(null);
  const { code, steps, text } = await attempt({ url, operator: { ...OPERATOR, password: 'not it, not it' } });
  expect(steps).toEqual({ health: 'ok', 'sign in': 'FAILED', ...every('-') });
  expect(text).toContain('VIGIE_OPERATOR_PASSWORD');
  expect(text).not.toContain('not it, not it');
  expect(code).toBe(1);
  expect(await world.sql('SELECT id FROM tenants')).toEqual([]);
});

test('without credentials it says which are needed', async () => {
  const { url } = await serve(null);
  const { code, steps, text } = await attempt({ url, operator: null });
  expect(steps['sign in']).toBe('FAILED');
  expect(text).toContain('--api-key');
  expect(code).toBe(1);
});

test('an API key tests what it may in its own tenant, and skips the operators’ steps', async () => {
  const { world, url } = await serve(catcher.port);
  const cast = await createCast(world);
  const { body } = await world.http('POST', `/api/v1/tenants/${cast.tenant.id}/api-keys`, {
    token: cast.operator.token,
    body: { name: 'monitor', scopes: ['notifications:read', 'notifications:write', 'admin'] },
  });
  const { key } = body as { key: string };
  const { code, steps, text } = await attempt({ url, api_key: key, to: 'you@vigie.example' });
  expect([text, steps]).toEqual([
    text,
    {
      health: 'ok',
      'sign in': 'ok',
      ...every('ok'),
      ...MAIL_ONLY,
      connections: 'skipped',
      socket: 'skipped',
    },
  ]);
  expect(text).toContain('update-statuses ran');
  expect(code).toBe(0);
  const unaddressed = await attempt({ url, api_key: key });
  expect([unaddressed.code, unaddressed.steps['sign in']]).toEqual([1, 'FAILED']);
}, 60_000);

test('C11: a push reaches a device of the named user of the key’s tenant', async () => {
  const refusing = new Set<string>();
  const service = await startProvider(({ path }) => ({ status: refusing.has(path) ? 413 : 201 }));
  const vapid = webPush.generateVAPIDKeys();
  const { world, url } = await serve(null, {
    VAPID_PUBLIC_KEY: vapid.publicKey,
    VAPID_PRIVATE_KEY: vapid.privateKey,
    VAPID_SUBJECT: 'mailto:admin@vigie.example',
    WEB_PUSH_SERVICES: service.url,
  });
  const cast = await createCast(world);
  const { body } = await world.http('POST', `/api/v1/tenants/${cast.tenant.id}/api-keys`, {
    token: cast.operator.token,
    body: {
      name: 'monitor',
      scopes: ['users:read', 'notifications:read', 'notifications:write', 'admin'],
    },
  });
  const { key } = body as { key: string };
  const browser = new Browser(`${service.url}/push/1`);
  for (const { subscription } of [browser, new Browser(`${service.url}/push/2`)])
    await world.http('POST', '/api/v1/me/devices', {
      token: cast.teammate.token,
      body: { platform: 'web_push', subscription },
    });
  const withKey = { url, api_key: key, to: 'you@vigie.example' };
  const sent = await attempt({ ...withKey, push: cast.teammate.email.toUpperCase() });
  const toBoth = service.received.splice(0);
  refusing.add('/push/1');
  const toOne = await attempt({ ...withKey, push: cast.teammate.email });
  refusing.add('/push/2');
  const toNone = await attempt({ ...withKey, push: cast.teammate.email });
  const withoutDevice = await attempt({ ...withKey, push: cast.admin.email });
  const unknown = await attempt({ ...withKey, push: 'nobody@vigie.example' });
  const unnamed = await attempt({ url });
  await service.close();

  expect([sent.text, sent.code]).toEqual([sent.text, 0]);
  expect(sent.steps).toMatchObject({ push: 'ok' });
  expect(sent.text).toMatch(/ok +push +sent to 2 of 2 devices of \S+@\S+ in/);
  expect(
    toBoth.filter(({ path }) => path === '/push/1').map(({ bytes }) => browser.read(bytes)),
  ).toMatchObject([{ title: 'Vigie: a push' }]);
  expect([toOne.text, toOne.code]).toEqual([
    expect.stringMatching(/ok +push +sent to 1 of 2 devices of \S+@\S+ in/),
    0,
  ]);
  expect([toNone.text, toNone.code]).toEqual([
    expect.stringMatching(/FAILED +push +the push was not accepted: .*413/),
    1,
  ]);
  expect(withoutDevice.text).toMatch(/FAILED +push +\S+@\S+ has no device\n +→ .*docs\/pushes\.md/);
  expect(unknown.text).toMatch(/FAILED +push +nobody@vigie\.example is no user of the key's tenant/);
  expect(unnamed.text).toContain('\nNothing failed.\nNot tried: push (--push), webhook (--webhook).');
}, 90_000);

test('a push without an API key is a usage error, before anything is sent', () => {
  const command = [resolve('dist/cli/vigie.js'), 'try', '--push', 'you@vigie.example', '--url'];
  const refused = spawnSync(process.execPath, [...command, `http://127.0.0.1:${deadPort}`], {
    env: { PATH: process.env.PATH },
    encoding: 'utf8',
  });
  expect(refused).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringMatching(/^--push needs --api-key/),
  });
});

test('an unreachable server is reported by the command, with exit code 1', async () => {
  const command = [resolve('dist/cli/vigie.js'), 'try', '--url', `http://127.0.0.1:${deadPort}`];
  const failed = await promisify(execFile)(process.execPath, command, {
    env: { PATH: process.env.PATH },
  }).then(
    () => null,
    (error: unknown) => error,
  );
  expect(failed).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/FAILED +health +no answer from .*ECONNREFUSED/),
  });
  expect(failed).toMatchObject({ stdout: expect.stringContaining('steps failed: health.') });
});
