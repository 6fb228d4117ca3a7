import { randomUUID } from 'node:crypto';
import { en, fr } from '../../web/words/console/settings-logs.js';
import { addPerson, type Cast, createCast } from '../support/cast.js';
import { createWorld, type World } from '../support/world.js';
import { nameOf, type Route, routesOf } from './routes.js';

/** Every route for admins or operators that changes something must be audited. */
const FOR_ADMINS = ['admin', 'operator', 'admin_or_operator'];

let world: World;
let cast: Cast;
let audited: Route[];
/** Routes that change nothing. */
let looks: Route[];

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  const sent = routesOf(world).filter(
    ({ method, rule }) => method !== 'GET' && rule !== undefined && FOR_ADMINS.includes(rule.who),
  );
  audited = sent.filter(({ rule }) => rule?.changes !== false);
  looks = sent.filter(({ rule }) => rule?.changes === false);
});
afterAll(async () => world.close());

/** Calls the route with unknown ids. @returns its rows in the audit log, of a tenant and of the installation */
async function rowsOf({ method, path }: Route, token: string): Promise<{ rows: object[]; status: number }> {
  const id = `rule-${randomUUID()}`;
  const url = path.replace(/:(\w+)/g, (_whole, name: string) =>
    name.endsWith('id') ? randomUUID() : 'cleanup',
  );
  const { status } = await world.http(method, url, {
    token,
    headers: { 'x-request-id': id },
    ...(['POST', 'PUT', 'PATCH'].includes(method) ? { body: {} } : {}),
  });
  const rows = await world.sql(
    `SELECT actor, action, status FROM audit_log WHERE request_id = $1
     UNION ALL SELECT actor, action, status FROM installation_audit_log WHERE request_id = $1`,
    [id],
  );
  return { rows, status };
}

it('every act of an admin or operator is logged, with its outcome', async () => {
  expect(audited.map(nameOf)).toEqual(
    expect.arrayContaining([
      'POST /api/v1/tenants',
      'PUT /api/v1/tenant/settings',
      'DELETE /api/v1/users/:id',
    ]),
  );
  for (const route of audited) {
    const caller = route.rule!.who === 'operator' ? cast.operator : cast.admin;
    const actor = `${route.rule!.who === 'operator' ? 'operator' : 'user'}:${caller.id}`;
    const { rows, status } = await rowsOf(route, caller.token);
    expect([nameOf(route), rows]).toEqual([nameOf(route), [{ actor, action: nameOf(route), status }]]);
  }
});

it('V20: every act that the log may have has words in both languages', () => {
  const audited = routesOf(world).filter(
    ({ method, rule }) =>
      method !== 'GET' &&
      rule !== undefined &&
      rule.changes !== false &&
      [...FOR_ADMINS, 'person'].includes(rule.who),
  );
  for (const { acts, installation_acts } of [en, fr]) {
    const words = { ...acts, ...installation_acts };
    expect(audited.map(nameOf).filter((name) => words[name] === undefined)).toEqual([]);
  }
});

it('routes that change nothing are not logged, and are listed here', async () => {
  expect(looks.map(nameOf)).toEqual([
    'POST /api/v1/backups/jobs/import/columns',
    'POST /api/v1/tenant/templates/:kind/:locale/preview',
  ]);
  for (const route of looks)
    expect([nameOf(route), (await rowsOf(route, cast.admin.token)).rows]).toEqual([nameOf(route), []]);
});

it('every refused attempt is logged as well', async () => {
  for (const route of audited) {
    // A new caller each time: the log stops recording one caller's refusals after a while.
    const { id, token } = await addPerson(world, cast.tenant_id, { name: `Member${randomUUID()}` });
    const { rows, status } = await rowsOf(route, token);
    const refused = { actor: `user:${id}`, action: nameOf(route), status: 403 };
    expect([nameOf(route), status, rows]).toEqual([nameOf(route), 403, [refused]]);
  }
});

it('acts that members may do are not logged', async () => {
  const open = routesOf(world).filter(
    ({ method, rule }) => method !== 'GET' && (rule?.who === 'member' || rule?.who === 'self'),
  );
  expect(open.length).toBeGreaterThan(0);
  for (const route of open) {
    expect([nameOf(route), (await rowsOf(route, cast.admin.token)).rows]).toEqual([nameOf(route), []]);
  }
});
