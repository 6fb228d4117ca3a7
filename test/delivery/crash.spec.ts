import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type MailCatcher, startMailCatcher } from '../../src/cli/demo/mail-catcher.js';
import { type Embedded, startEmbedded } from '../../src/platform/embedded/embedded.js';
import { insertBacklog } from '../support/backlog.js';
import { startProcess, stopProcesses } from '../support/processes.js';
import { until } from '../support/until.js';
import { createDatabase, environmentFor, type TestDatabase } from '../support/world.js';

/** V6: kill any process, flush Redis, and every accepted notification still ends in one recorded outcome. */
describe('crashes while mail is being sent', () => {
  const CONCURRENCY = 10;
  const MAILS = 2_000;
  let dataDir: string;
  let redis: Embedded;
  let database: TestDatabase;
  let client: pg.Client;
  let catcher: MailCatcher;
  let environment: Record<string, string>;

  beforeAll(async () => {
    // A Redis of its own: this one is emptied.
    dataDir = await mkdtemp(join(tmpdir(), 'vigie-crash-'));
    redis = await startEmbedded({ data_dir: dataDir, postgres: false, redis: true, log: () => undefined });
  });

  afterAll(async () => {
    await stopProcesses();
    await redis.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  beforeEach(async () => {
    database = await createDatabase();
    client = new pg.Client({ connectionString: database.owner_url });
    await client.connect();
    catcher = await startMailCatcher();
    environment = {
      ...environmentFor(database),
      REDIS_URL: redis.redis_url ?? '',
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(catcher.port),
      SMTP_TLS: 'false',
      SMTP_FROM_EMAIL: 'vigie@vigie.example',
      MAIL_CONCURRENCY: String(CONCURRENCY),
      LIMIT_PER_USER_PER_HOUR: '0',
      LIMIT_PER_USER_PER_DAY: '0',
    };
  });

  afterEach(async () => {
    await stopProcesses();
    await catcher.close();
    await client.end();
    await database.drop();
  });

  const states = async (): Promise<Record<string, number>> => {
    const { rows } = await client.query<{ state: string; count: string }>(
      `SELECT state, count(*) FROM deliveries GROUP BY state`,
    );
    return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]));
  };
  const allSent = async () => (await states()).sent === MAILS;
  const duplicates = () => catcher.count - new Set(catcher.mails.map(({ message_id }) => message_id)).size;

  it('kill -9 of a worker: one outcome each, its own go on within 30 s, duplicates at most its concurrency', async () => {
    await insertBacklog(client, { tenants: 4, deliveries: MAILS / 4, prefix: 'crash' });
    await startProcess({ ...environment, VIGIE_ROLES: 'web,worker,scheduler' });
    const victim = await startProcess({ ...environment, VIGIE_ROLES: 'worker' });
    await until('the victim to send', () => victim.lines.some((line) => line.includes('delivery_sent')));
    victim.kill('SIGKILL');
    const killedAt = performance.now();
    expect(await victim.ended).toBe('SIGKILL');
    await until('every mail to be sent', allSent, 45_000);

    expect(await states()).toEqual({ sent: MAILS });
    expect(new Set(catcher.mails.map(({ message_id }) => message_id)).size).toBe(MAILS);
    expect(duplicates()).toBeLessThanOrEqual(CONCURRENCY);
    expect(performance.now() - killedAt).toBeLessThan(30_000);
  }, 90_000);

  it('FLUSHALL in the middle: nothing lost, nothing sent twice', async () => {
    await insertBacklog(client, { tenants: 4, deliveries: MAILS / 4, prefix: 'flush' });
    await startProcess({ ...environment, VIGIE_ROLES: 'web,worker,scheduler' });
    await catcher.waitFor(300, 30_000);
    const connection = new Redis(redis.redis_url ?? '');
    await connection.flushall();
    connection.disconnect();
    await until('every mail to be sent', allSent, 120_000);

    expect(await states()).toEqual({ sent: MAILS });
    expect(duplicates()).toBe(0);
  }, 150_000);

  it('SIGTERM in the middle: the process drains within 20 s, nothing lost, nothing sent twice', async () => {
    await insertBacklog(client, { tenants: 4, deliveries: MAILS / 4, prefix: 'drain' });
    const first = await startProcess({ ...environment, VIGIE_ROLES: 'web,worker,scheduler' });
    await catcher.waitFor(300, 30_000);
    const askedAt = performance.now();
    first.kill('SIGTERM');
    expect(await first.ended).toBe(0);
    expect(performance.now() - askedAt).toBeLessThan(20_000);
    expect((await states()).sending).toBeUndefined();
    expect((await states()).sent).toBe(catcher.count);

    await startProcess({ ...environment, VIGIE_ROLES: 'web,worker,scheduler' });
    await until('every mail to be sent', allSent, 120_000);
    expect(duplicates()).toBe(0);
  }, 150_000);
});
