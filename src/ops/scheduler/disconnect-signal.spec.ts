import { request } from 'node:http';
import { insertBacklog } from '../../../test/support/backlog.js';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { JsonLogger } from '../../platform/logging/logger.js';
import { Metrics } from '../../platform/metrics/metrics.js';

/** H6: `?wait=true` stops querying PostgreSQL when the client disconnects. Without workers each wait would last 30 s. */
let world: World;
let cast: Cast;
let url: string;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  await world.app.listen(0, '127.0.0.1');
  url = await world.app.getUrl();
  await insertBacklog(
    { query: async (text: string, values?: unknown[]) => ({ rows: await world.sql(text, values) }) },
    { tenants: 1, deliveries: 1, prefix: 'left' },
  );
});
afterAll(() => world.close());

/** The statements that a wait repeats, at least once a second. */
const REPEATED = [
  '%SELECT r.id AS run_id, r.tenant_id, r.state%',
  'SELECT channel FROM channels WHERE paused',
];

/** Whether one of them ran within the last 2 s. */
async function isWaiting(): Promise<boolean> {
  const sessions = await world.sql(
    `SELECT FROM pg_stat_activity
     WHERE datname = current_database() AND usename = 'vigie_system' AND query LIKE ANY ($1)
       AND query_start > clock_timestamp() - interval '2 s'`,
    [REPEATED],
  );
  return sessions.length > 0;
}

/** Sends a request that waits, and closes its connection then. @returns the statuses of answers: none */
async function leave(path: string, body: string, id = 'left'): Promise<number[]> {
  const leaving = request(`${url}/api/v1/${path}?wait=true`, {
    method: 'POST',
    agent: false,
    headers: {
      authorization: `Bearer ${cast.operator.token}`,
      'x-request-id': id,
      ...(body === '' ? {} : { 'content-type': 'application/json' }),
    },
  });
  const answers: number[] = [];
  leaving.on('response', (response) => void answers.push(response.statusCode ?? 0));
  leaving.on('error', () => undefined).end(body);
  await until('the wait', isWaiting);
  leaving.destroy();
  await until('the end of the wait', async () => !(await isWaiting()));
  return answers;
}

test.each([
  ['admin/scheduler/cleanup/trigger', 'without a body', ''],
  ['admin/scheduler/cleanup/trigger', 'with a body', '{}'],
  ['admin/process', 'with a body', '{}'],
  ['backups/scan', 'with a body', '{}'],
])('H6: %s %s ends its wait when the client leaves', async (path, _how, body) => {
  expect(await leave(path, body)).toEqual([]);
});

test('a request whose client left has one line in the log, and is measured', async () => {
  const lines: string[] = [];
  world.app.useLogger(new JsonLogger('info', { write: (line: string) => void lines.push(line) }));
  const route = '/api/v1/admin/process';
  const sample = `vigie_http_request_duration_seconds_count{method="POST",route="${route}",status_class="4xx"}`;
  const measured = async () => {
    const text = await world.app.get(Metrics).text();
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(sample))
        ?.split(' ')[1] ?? 0,
    );
  };
  const before = await measured();
  await leave('admin/process', '{}', 'left-once');
  await until('the measurement', async () => (await measured()) > before);
  // A later answer: the handler of the left request has ended, too.
  await world.http('POST', '/api/v1/auth/login', { body: {} });
  const requests = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(requests.filter((line) => line.event === 'request' && line.request_id === 'left-once')).toEqual([
    expect.objectContaining({
      level: 'info',
      method: 'POST',
      route,
      status: 499,
      client_left: true,
      principal: `operator:${cast.operator.id}`,
    }),
  ]);
  expect(requests.filter(({ client_left }) => client_left === true)).toHaveLength(1);
  expect(await measured()).toBe(before + 1);
});
