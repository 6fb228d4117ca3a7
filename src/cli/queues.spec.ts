import { type Cast, createCast } from '../../test/support/cast.js';
import { insertBacklog } from '../../test/support/backlog.js';
import { createWorld, environmentOf, type World } from '../../test/support/world.js';
import { actOnQueue, showQueues } from './queues.js';

/** C10: queues from the command line, over the same services as REST. */
let world: World;
let cast: Cast;
let environment: Record<string, string>;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  environment = environmentOf(world);
  for (const prefix of ['one', 'two']) {
    await insertBacklog(
      { query: async (text: string, values?: unknown[]) => ({ rows: await world.sql(text, values) }) },
      { tenants: 1, deliveries: 4, prefix },
    );
  }
});
afterAll(() => world.close());

const pending = async () =>
  (await world.sql<{ count: number }>(`SELECT count(*)::integer FROM deliveries WHERE state = 'pending'`))[0]!
    .count;

test('the queues are a table, or JSON', async () => {
  await world.http('POST', `/api/v1/admin/scheduler/cleanup/trigger?tenant=${cast.tenant.slug}`, {
    token: cast.operator.token,
  });
  const lines = (await showQueues(environment, {})).split('\n');
  expect(lines).toHaveLength(7);
  expect(lines[0]).toMatch(/^queue +state +waiting +delayed +active/);
  expect(lines[1]).toMatch(/^mail +open +8 +0 +0 +0 +0 +\d+ s +0$/);
  expect(lines[6]).toMatch(/^maintenance +open +1 +- +0 +0 +0 +\d+ s +1$/);
  const json = JSON.parse(await showQueues(environment, { json: true })) as { queue: string }[];
  expect(json.map(({ queue }) => queue)).toEqual(['mail', 'sms', 'push', 'webhook', 'checks', 'maintenance']);
});

test('a pause from the command line applies to all processes', async () => {
  expect(JSON.parse(await actOnQueue(environment, 'pause', 'mail', {}))).toMatchObject({ paused: true });
  expect(await world.sql(`SELECT paused FROM channels WHERE channel = 'email'`)).toEqual([{ paused: true }]);
  expect(await showQueues(environment, {})).toMatch(/^mail +paused/m);
  await actOnQueue(environment, 'resume', 'mail', {});
  expect(await world.sql(`SELECT paused FROM channels WHERE channel = 'email'`)).toEqual([{ paused: false }]);
});

test('a purge must be confirmed, and can be limited to one tenant', async () => {
  await expect(actOnQueue(environment, 'purge', 'mail', {})).rejects.toThrow('confirm with --yes');
  const nobody = actOnQueue(environment, 'purge', 'mail', { yes: true, tenant: 'nobody' });
  await expect(nobody).rejects.toThrow('there is no tenant nobody');
  expect(await pending()).toBe(8);
  const one = await actOnQueue(environment, 'purge', 'mail', { yes: true, tenant: 'one-1' });
  expect(JSON.parse(one)).toMatchObject({ cancelled: 4, still_sending: 0 });
  expect(await pending()).toBe(4);
});

test('an unknown name or impossible action is explained in words', async () => {
  await expect(actOnQueue(environment, 'pause', 'letters', {})).rejects.toThrow('there is no queue letters');
  await expect(actOnQueue(environment, 'retry', 'mail', { days: 'many' })).rejects.toThrow('--days');
  await expect(showQueues({ VIGIE_DATA_DIR: '/nowhere/at/all' }, {})).rejects.toThrow('no Vigie');
});
