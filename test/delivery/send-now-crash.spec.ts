import { randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  type ScriptedSmtp,
  startScriptedSmtp,
  type Where,
} from '../../src/delivery/channels/email/scripted-smtp.fixture.js';
import { startProcess, stopProcesses } from '../support/processes.js';
import { until } from '../support/until.js';
import { createDatabase, environmentFor, type TestDatabase } from '../support/world.js';

/** V6, F2: what a request had begun to send when its process was killed ends by the ordinary rules. */
describe('a process killed while it sends in a request', () => {
  let database: TestDatabase;
  let client: pg.Client;
  let smtp: ScriptedSmtp;
  let held: (where: Where) => void;

  beforeAll(async () => {
    database = await createDatabase();
    client = new pg.Client({ connectionString: database.owner_url });
    await client.connect();
    // Takes the first mail and never answers: the sender can't know.
    smtp = await startScriptedSmtp({
      script: (step, where) => {
        if (step !== 'dot' || where.connection > 1) return 'ok';
        held(where);
        return 'silence';
      },
    });
  });

  afterAll(async () => {
    await stopProcesses();
    await smtp.close();
    await client.end();
    await database.drop();
  });

  it('goes on in another within 30 s, and its retries send nothing', async () => {
    const environment = {
      ...environmentFor(database),
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(smtp.port),
      SMTP_TLS: 'false',
      SMTP_FROM_EMAIL: 'vigie@vigie.example',
      VIGIE_OPERATOR_EMAIL: 'operator@example.com',
      VIGIE_OPERATOR_PASSWORD: 'a password for operators',
    };
    const arrived = new Promise<Where>((resolve) => (held = resolve));
    const web = await startProcess({ ...environment, VIGIE_ROLES: 'web' });
    const key = await apiKey(web.url);
    const message = { channel: 'email', to: 'claire@example.com', subject: 's', body: 'b', send_now: true };
    const idempotencyKey = randomUUID();
    const send = async (url: string) => {
      const response = await fetch(`${url}/api/v1/notifications`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': key, 'idempotency-key': idempotencyKey },
        body: JSON.stringify(message),
      });
      const body = (await response.json()) as {
        notifications: { id: string; deliveries: { state: string }[] }[];
      };
      return { status: response.status, ...body.notifications[0]! };
    };

    const first = send(web.url).catch(() => 'cut off');
    await arrived;
    web.kill('SIGKILL');
    const killedAt = performance.now();
    expect(await first).toBe('cut off');

    const other = await startProcess({ ...environment, VIGIE_ROLES: 'web,worker,scheduler' });
    const retries = await Promise.all(Array.from({ length: 10 }, () => send(other.url)));
    expect(new Set(retries.map(({ id }) => id)).size).toBe(1);
    expect(retries.map(({ status, deliveries }) => [status, deliveries[0]!.state])[0]).toEqual([
      202,
      'sending',
    ]);
    await until(
      'the mail to be sent',
      async () => (await send(other.url)).deliveries[0]!.state === 'sent',
      40_000,
    );

    expect(performance.now() - killedAt).toBeLessThan(30_000);
    expect((await send(other.url)).status).toBe(200);
    const { rows } = await client.query('SELECT state, attempts, ambiguities FROM deliveries');
    expect(rows).toEqual([{ state: 'sent', attempts: 2, ambiguities: 1 }]);
    // Once before the kill, unanswered; once by the ordinary rules, under the same id.
    expect(smtp.received.length).toBe(2);
    expect(new Set(smtp.received.map(({ message_id }) => message_id)).size).toBe(1);
  }, 90_000);

  async function apiKey(url: string): Promise<string> {
    const call = async (path: string, body: object, token?: string) => {
      const response = await fetch(`${url}/api/v1/${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body),
      });
      return (await response.json()) as Record<string, string>;
    };
    const { access_token } = await call('auth/login', {
      email: 'operator@example.com',
      password: 'a password for operators',
    });
    const tenant = {
      slug: 'martin',
      name: 'Martin',
      kind: 'cabinet',
      time_zone: 'Europe/Paris',
      locale: 'fr',
    };
    const { id } = await call('tenants', tenant, access_token);
    const scopes = ['notifications:write'];
    return (await call(`tenants/${id!}/api-keys`, { name: 'program', scopes }, access_token)).key!;
  }
});
