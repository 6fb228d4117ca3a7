import pg from 'pg';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { until } from '../../../test/support/until.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { Dispatcher, type Round } from './dispatcher.js';

/** V6: with the smallest pool, waiting rounds leave a connection for direct sends. */

const WAITING = ['sms', 'push', 'webhook'] as const;
let world: World;
let cast: Cast;
let catcher: MailCatcher;
let holder: pg.Client;
let rounds: Promise<Round>[] = [];

beforeAll(async () => {
  catcher = await startMailCatcher();
  world = await createWorld({ env: { ...mailEnvironment(catcher), DATABASE_POOL_SIZE: '2' } });
  cast = await createCast(world);
  holder = new pg.Client({ connectionString: world.config.databaseUrl ?? '' });
  await holder.connect();
});
afterAll(async () => {
  await holder.end();
  await Promise.allSettled(rounds);
  await world.close();
  await catcher.close();
});

it('V6: a direct send succeeds while the rounds of all other channels wait for their locks', async () => {
  await holder.query('BEGIN');
  // As if direct sends of other processes held the locks.
  for (const channel of WAITING)
    await holder.query(`SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))`, [
      `admission:${channel}`,
    ]);
  const dispatcher = world.app.get(Dispatcher);
  rounds = WAITING.map((channel) => dispatcher.round(channel));
  await until('a round that waits for its lock', async () => {
    const [row] = await world.sql<{ waiting: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database d ON d.oid = database
       WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()) AS waiting`,
    );
    return row!.waiting;
  });
  const { status, body } = await world.http('POST', '/api/v1/notifications', {
    token: cast.admin.token,
    body: { channel: 'email', to: 'claire@firm.example', subject: 's', body: 'b', send_now: true },
  });
  expect([status, body.notifications[0].deliveries]).toEqual([
    200,
    [expect.objectContaining({ state: 'sent' })],
  ]);
  expect(catcher.count).toBe(1);
  await holder.query('COMMIT');
  expect(await Promise.all(rounds)).toEqual(WAITING.map(() => expect.objectContaining({ admitted: 0 })));
});
