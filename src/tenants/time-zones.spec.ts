import { type Cast, createCast } from '../../test/support/cast.js';
import { createWorld, type World } from '../../test/support/world.js';
import { isTimeZone } from '../platform/clock/civil-time.js';
import { TimeZones } from './time-zones.js';

let world: World;
let cast: Cast;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
});
afterAll(() => world.close());

/** Names that some versions of Node know and PostgreSQL does not. */
const FOREIGN = ['US/Pacific-New', 'Canada/East-Saskatchewan'];

/** The answers, by route, to requests that set this zone. */
async function answersTo(time_zone: string): Promise<[string, number, string | undefined][]> {
  const { admin, operator, tenant } = cast;
  const settings = (await world.http('GET', '/api/v1/tenant/settings', { token: admin.token }))
    .body as object;
  const requests: [string, string, string, object][] = [
    ['PUT', '/api/v1/tenant/settings', admin.token, { ...settings, time_zone }],
    ['PATCH', `/api/v1/tenants/${tenant.id}`, operator.token, { time_zone }],
    ['PATCH', '/api/v1/me', admin.token, { time_zone }],
    ['PATCH', `/api/v1/users/${cast.teammate.id}`, admin.token, { time_zone }],
    [
      'POST',
      '/api/v1/users',
      admin.token,
      { email: `${Math.random()}@example.com`, name: 'New', welcome: false, time_zone },
    ],
    [
      'POST',
      '/api/v1/tenants',
      operator.token,
      { slug: `t${String(Math.random()).slice(2)}`, name: 'New', kind: 'company', time_zone },
    ],
  ];
  const answers: [string, number, string | undefined][] = [];
  for (const [method, path, token, body] of requests) {
    const { status, body: answer } = await world.http(method, path, { token, body });
    const fault = (answer as { errors?: { pointer: string }[] }).errors?.[0];
    answers.push([`${method} ${path.replace(/[0-9a-f-]{36}/, ':id')}`, status, fault?.pointer]);
  }
  return answers;
}

it.each(FOREIGN)('T8: %s is refused wherever a zone is set', async (zone) => {
  for (const [route, status, pointer] of await answersTo(zone)) {
    expect([route, status, pointer]).toEqual([route, 400, '/time_zone']);
  }
});

it('T8: a zone that both know is accepted, in any case', async () => {
  for (const [route, status] of await answersTo('europe/PARIS')) {
    expect([route, status < 300]).toEqual([route, true]);
  }
});

it('T8: PostgreSQL reads every accepted zone with the same offsets as Node', async () => {
  const zones = world.app.get(TimeZones, { strict: false });
  const names = (await world.sql<{ name: string }>(`SELECT name FROM pg_timezone_names ORDER BY name`)).map(
    ({ name }) => name,
  );
  const taken: string[] = [];
  for (const name of [...new Set([...names, ...Intl.supportedValuesOf('timeZone'), ...FOREIGN])]) {
    if (await zones.isKnown(name)) taken.push(name);
  }
  // Most zones that Node lists are accepted: the check refuses only those that PostgreSQL lacks.
  expect(
    Intl.supportedValuesOf('timeZone').filter((name) => isTimeZone(name) && !taken.includes(name)),
  ).toEqual([]);
  const instants = ['2026-01-15T12:00:00Z', '2026-07-15T12:00:00Z'];
  const read = await world.sql<{ zone: string; instant: Date; shown: string }>(
    `SELECT zone, instant, to_char(instant AT TIME ZONE zone, 'YYYY-MM-DD HH24:MI') AS shown
     FROM unnest($1::text[]) AS zone, unnest($2::timestamptz[]) AS instant`,
    [taken, instants],
  );
  const other = read.filter(({ zone, instant, shown }) => {
    const node = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
    return node.format(instant) !== shown;
  });
  expect(other.map(({ zone, instant, shown }) => `${zone} ${instant.toISOString()} ${shown}`)).toEqual([]);
});
