import { randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  type Act,
  type ScriptedSmtp,
  startScriptedSmtp,
} from '../../src/delivery/channels/email/scripted-smtp.fixture.js';
import { startProcess, stopProcesses } from '../support/processes.js';
import { until } from '../support/until.js';
import { createDatabase, environmentFor, mailEnvironment, type TestDatabase } from '../support/world.js';

interface Answered {
  status: number;
  id: string;
  state: string;
}

/** V6, F2: after a process is stopped while it sends in a request, its messages end by the normal rules. */
describe('a process that is stopped while it sends in a request', () => {
  let database: TestDatabase;
  let client: pg.Client;
  let smtp: ScriptedSmtp;
  let environment: Record<string, string>;
  let key: string | undefined;
  /** The server's reply to a whole message. */
  let onDot: () => Act | Promise<Act>;

  beforeAll(async () => {
    database = await createDatabase();
    client = new pg.Client({ connectionString: database.owner_url });
    await client.connect();
    smtp = await startScriptedSmtp({ script: (step) => (step === 'dot' ? onDot() : 'ok') });
    environment = {
      ...environmentFor(database),
      ...mailEnvironment(smtp),
      VIGIE_OPERATOR_EMAIL: 'operator@example.com',
      VIGIE_OPERATOR_PASSWORD: 'a password for operators',
    };
  });

  afterAll(async () => {
    await stopProcesses();
    await smtp.close();
    await client.end();
    await database.drop();
  });

  const send = async (url: string, idempotencyKey: string): Promise<Answered> => {
    const response = await fetch(`${url}/api/v1/notifications`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-api-key': key ?? '',
        'idempotency-key': idempotencyKey,
      },
      body: JSON.stringify({
        channel: 'email',
        to: `${idempotencyKey}@example.com`,
        subject: 's',
        body: 'b',
        send_now: true,
      }),
    });
    const body = (await response.json()) as {
      notifications: { id: string; deliveries: { state: string }[] }[];
    };
    const { id, deliveries } = body.notifications[0]!;
    return { status: response.status, id, state: deliveries[0]!.state };
  };
  const outcomes = async (id: string) =>
    (
      await client.query('SELECT state, attempts, ambiguities FROM deliveries WHERE notification_id = $1', [
        id,
      ])
    ).rows as unknown[];

  it('kill -9: another process continues within 30 s, and retries send nothing', async () => {
    const other = await startProcess({ ...environment, VIGIE_ROLES: 'web,worker,scheduler' });
    const web = await startProcess({ ...environment, VIGIE_ROLES: 'web' });
    key ??= await apiKey(web.url);
    const received = new Promise<void>((resolve) => {
      // The first message is accepted but never answered: its sender cannot know.
      onDot = () => {
        onDot = () => 'ok';
        resolve();
        return 'silence';
      };
    });
    const idempotencyKey = randomUUID();
    const first = send(web.url, idempotencyKey).catch(() => 'cut off');
    await received;
    web.kill('SIGKILL');
    const killedAt = performance.now();
    expect(await first).toBe('cut off');

    const retries = await Promise.all(Array.from({ length: 10 }, () => send(other.url, idempotencyKey)));
    expect(new Set(retries.map(({ id }) => id)).size).toBe(1);
    const { id } = await until(
      'the mail to be sent',
      async () => {
        const answer = await send(other.url, idempotencyKey);
        return answer.state === 'sent' ? answer : null;
      },
      40_000,
    );
    expect(performance.now() - killedAt).toBeLessThan(30_000);
    expect(await outcomes(id)).toEqual([{ state: 'sent', attempts: 2, ambiguities: 1 }]);
    // Once before the kill, unanswered; once by the normal rules, with the same id.
    expect(smtp.received.length).toBe(2);
    expect(new Set(smtp.received.map(({ message_id }) => message_id)).size).toBe(1);
    await other.stop();
  }, 90_000);

  it('SIGTERM: the request still gets its outcome, and the process exits with 0', async () => {
    const web = await startProcess({ ...environment, VIGIE_ROLES: 'web' });
    key ??= await apiKey(web.url);
    let answer: (act: Act) => void = () => undefined;
    const received = new Promise<void>((resolve) => {
      onDot = () => {
        resolve();
        return new Promise<Act>((act) => (answer = act));
      };
    });
    const sending = send(web.url, randomUUID());
    await received;
    web.kill('SIGTERM');
    await until('the process to stop', () => web.lines.some((line) => line.includes('"event":"stopping"')));
    answer('ok');
    const answered = await sending;
    expect(answered).toMatchObject({ status: 200, state: 'sent' });
    expect(await web.ended).toBe(0);
    expect(await outcomes(answered.id)).toEqual([{ state: 'sent', attempts: 1, ambiguities: 0 }]);
  }, 60_000);

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
