import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MailCatcher, startMailCatcher } from '../../src/cli/demo/mail-catcher.js';
import { addPerson, addTenant, createCast, type Person } from '../support/cast.js';
import { type ServerProcess, startProcess, stopProcesses } from '../support/processes.js';
import { until } from '../support/until.js';
import { createWorld, environmentOf, mailEnvironment, type World } from '../support/world.js';

const CALLS = 50;
const PER_USER = 11;
const PER_TENANT = 17;
const SMS_PER_MINUTE = 7;

interface Sent {
  status: number;
  body: { code?: string; detail?: string; notifications?: { id: string }[] };
  headers: Headers;
}

/** E6, E13, V5: 50 parallel callers of two server processes, while one of them dispatches, get exactly the limit. */
describe('limits across processes', () => {
  let world: World;
  let catcher: MailCatcher;
  let folder: string;
  let servers: ServerProcess[];
  let operator: { token: string };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vigie-limits-'));
    catcher = await startMailCatcher();
    world = await createWorld();
    ({ operator } = await createCast(world));
    const environment = {
      ...environmentOf(world),
      ...mailEnvironment(catcher),
      SMS_PROVIDER: 'console',
      SMS_SIMULATION_FILE: join(folder, 'sms.ndjson'),
      API_REQUESTS_PER_MINUTE: '0',
      LIMIT_PER_USER_PER_HOUR: String(PER_USER),
      LIMIT_PER_USER_PER_DAY: '0',
      LIMIT_PER_TENANT_PER_HOUR: '1000',
      LIMIT_SMS_PER_MINUTE: String(SMS_PER_MINUTE),
      SCHEDULER_ENABLED: 'false',
      HOST: '127.0.0.1',
      PORT: '0',
    };
    servers = await Promise.all(
      ['web,worker,scheduler', 'web'].map((roles) => startProcess({ ...environment, VIGIE_ROLES: roles })),
    );
  }, 120_000);
  afterAll(async () => {
    await stopProcesses();
    await catcher.close();
    await world.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function people(count: number, limitPerHour: number | null = null): Promise<Person[]> {
    const tenant = await addTenant(world);
    await world.http('PATCH', `/api/v1/tenants/${tenant.id}`, {
      token: operator.token,
      body: { limit_per_hour: limitPerHour },
    });
    const all: Person[] = [];
    for (let i = 0; i < count; i++) {
      all.push(await addPerson(world, tenant.id, { name: `Admin${i}`, role: 'admin' }));
    }
    return all;
  }

  /** The calls alternate between the servers, and cycle through the callers. */
  async function post(callers: readonly Person[], bodies: readonly object[]): Promise<Sent[]> {
    return Promise.all(
      bodies.map(async (body, at) => {
        const response = await fetch(`${servers[at % 2]!.url}/api/v1/notifications`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${callers[at % callers.length]!.token}`,
            'content-type': 'application/json',
          },
          body: JSON.stringify({ subject: 's', body: 'b', ...body }),
        });
        const { status, headers } = response;
        return { status, headers, body: (await response.json()) as Sent['body'] };
      }),
    );
  }

  const mails = (domain: string, how: object) =>
    Array.from({ length: CALLS }, (_none, i) => ({ channel: 'email', to: `a${i}@${domain}`, ...how }));
  const arrived = (domain: string) =>
    catcher.mails.filter(({ to }) => to.some((address) => address.endsWith(`@${domain}`)));
  const textMessages = async () =>
    (await readFile(join(folder, 'sms.ndjson'), 'utf8')).split('\n').filter((line) => line !== '');
  const count = (answers: readonly Sent[], status: number) =>
    answers.filter((answer) => answer.status === status).length;

  /** Every refusal names the limit, when it has room again (seconds and instant) and what is left. */
  function expectRefusals(answers: readonly Sent[], reason: string, limit: number, withinSeconds: number) {
    for (const { status, body, headers } of answers) {
      if (status !== 429) continue;
      expect(body.code).toBe('limit_reached');
      expect(body.detail).toContain(reason);
      expect(body.detail).toMatch(/there is room at 2\d{3}-\d\d-\d\dT/);
      expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(withinSeconds);
      expect(headers.get('ratelimit-limit')).toBe(String(limit));
      expect(headers.get('ratelimit-remaining')).toBe('0');
      expect(headers.get('ratelimit-reset')).toBe(headers.get('retry-after'));
    }
  }

  it('E6: a user sends exactly the hourly limit of direct mails, then gets 429', async () => {
    const answers = await post(await people(1), mails('user.example', { send_now: true }));
    expect([count(answers, 200), count(answers, 429)]).toEqual([PER_USER, CALLS - PER_USER]);
    expectRefusals(answers, 'limit_per_user_per_hour', PER_USER, 3_600);
    expect(arrived('user.example').length).toBe(PER_USER);
  });

  it('E6: a recipient gets exactly the hourly limit from many callers, and the other mails wait', async () => {
    const callers = await people(10);
    const bodies = Array.from({ length: CALLS }, () => ({
      channel: 'email',
      to: 'one@recipient.example',
      send_now: true,
    }));
    const answers = await post(callers, bodies);
    expect([count(answers, 200), count(answers, 202)]).toEqual([PER_USER, CALLS - PER_USER]);
    expect(arrived('recipient.example').length).toBe(PER_USER);
    expect(
      await world.sql(
        `SELECT defer_reason, count(*)::integer FROM deliveries
         WHERE address = 'one@recipient.example' AND state = 'pending' AND due_at > now() GROUP BY 1`,
      ),
    ).toEqual([{ defer_reason: 'limit_per_user_per_hour', count: CALLS - PER_USER }]);
  });

  it('E6: the users of a tenant send exactly the limit that an operator has set, then get 429', async () => {
    const callers = await people(10, PER_TENANT);
    const answers = await post(callers, mails('tenant.example', { send_now: true }));
    expect([count(answers, 200), count(answers, 429)]).toEqual([PER_TENANT, CALLS - PER_TENANT]);
    expectRefusals(answers, 'limit_per_tenant_per_hour', PER_TENANT, 3_600);
    expect(arrived('tenant.example').length).toBe(PER_TENANT);
  });

  it('E6, V5: direct and automatic mails share the tenant limit; automatic ones wait with the reason', async () => {
    const callers = await people(10, PER_TENANT);
    const bodies = mails('mixed.example', {}).map((body, i) => ({ ...body, send_now: i % 4 < 2 }));
    const answers = await post(callers, bodies);
    const direct = count(answers, 200);
    const automatic = count(answers, 202);
    expect(direct + automatic + count(answers, 429)).toBe(CALLS);
    expectRefusals(answers, 'limit_per_tenant_per_hour', PER_TENANT, 3_600);
    const [critical] = await post(callers, [
      { channel: 'email', to: 'critical@mixed.example', severity: 'critical' },
    ]);
    expect(critical!.status).toBe(202);
    await until('the critical one to pass', () =>
      arrived('mixed.example').some(({ to }) => to.includes('critical@mixed.example')),
    );
    const waiting = await until('the others to be deferred', async () => {
      const rows = await world.sql<{ defer_reason: string | null; count: number }>(
        `SELECT defer_reason, count(*)::integer FROM deliveries
         WHERE address LIKE '%@mixed.example' AND state <> 'sent' GROUP BY 1`,
      );
      return rows.every(({ defer_reason }) => defer_reason !== null) ? rows : null;
    });
    expect(waiting).toMatchObject([
      { defer_reason: 'limit_per_tenant_per_hour', count: direct + automatic - PER_TENANT },
    ]);
    expect(arrived('mixed.example').length).toBe(PER_TENANT + 1);
  });

  it('E6, E13: direct and automatic text messages of all tenants share the limit per minute', async () => {
    const callers = [...(await people(5)), ...(await people(5))];
    const admin = callers[0]!;
    const bodies = Array.from({ length: CALLS }, (_none, i) => ({
      channel: 'sms',
      to: `+336000000${String(i).padStart(2, '0')}`,
      send_now: i % 4 < 2,
    }));
    const answers = await post(callers, bodies);
    expect(count(answers, 200) + count(answers, 202) + count(answers, 429)).toBe(CALLS);
    expectRefusals(answers, 'limit_per_channel_per_minute', SMS_PER_MINUTE, 60);
    await until('a text message to wait for the minute', async () => {
      const rows = await world.sql(
        `SELECT FROM deliveries WHERE channel = 'sms' AND state = 'pending' AND due_at <= now()
           AND defer_reason = 'limit_per_channel_per_minute'`,
      );
      return rows.length > 0;
    });
    await until('the minute to be used', async () => (await textMessages()).length >= SMS_PER_MINUTE);
    expect((await textMessages()).length).toBe(SMS_PER_MINUTE);
    const path = `${servers[1]!.url}/api/v1`;
    const read = async (of: string) =>
      (await (
        await fetch(`${path}/${of}`, { headers: { authorization: `Bearer ${admin.token}` } })
      ).json()) as {
        quota: Record<string, Record<string, { limit: number; used: number; left: number }>>;
      };
    const { quota } = await read('admin/statistics');
    expect(quota.sms).toMatchObject({ minute: { limit: SMS_PER_MINUTE } });
    expect(quota.email).toMatchObject({ tenant_hour: { limit: 1_000, used: 0, left: 1_000 } });
    // V5: a critical one passes.
    const [critical] = await post([admin], [{ channel: 'sms', to: '+33600000099', severity: 'critical' }]);
    expect(critical!.status).toBe(202);
    await until('the critical one to pass', async () =>
      (await textMessages()).some((line) => line.includes('+33600000099')),
    );
  });
});
