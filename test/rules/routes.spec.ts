import { randomUUID } from 'node:crypto';
import { type Scope, SCOPES } from '../../src/contracts/scopes.js';
import { type Cast, createCast, type Person } from '../support/cast.js';
import { type Answer, createWorld, type World } from '../support/world.js';
import { nameOf, type Route, routesOf } from './routes.js';
import { CANARY, type Case, CASES, NO_IDS, type Victim } from './victims.js';

/** Public routes, and why. */
const PUBLIC: Readonly<Record<string, string>> = {
  'GET /livez': 'balancers ask it',
  'GET /readyz': 'balancers ask it',
  'GET /metrics': 'Prometheus reads it; METRICS_TOKEN locks it, and it names no tenant',
  'GET /ops/login': 'the page on which operators sign in',
  'POST /ops/login': 'it is how an operator becomes somebody',
  'POST /ops/logout': 'the cookie is the credential',
  'GET /alerts/act/:token': 'the page that a link in a mail opens; the link is the credential',
  'POST /alerts/act/:token': 'the same: its buttons',
  'POST /hooks/:provider/:token': 'what providers call; their signature is the credential',
  'GET /unsubscribe/:token': 'the page that the link in a mail’s footer opens; the link is the credential',
  'POST /unsubscribe/:token': 'the same: its buttons, and one click of a mail program (RFC 8058)',
  'GET /password': 'the page that a one-time link opens',
  'POST /api/v1/auth/login': 'it is how one becomes somebody',
  'POST /api/v1/auth/refresh': 'the refresh token is the credential',
  'POST /api/v1/auth/logout': 'the refresh token is the credential',
  'GET /api/v1/auth/first-run': 'the first page asks it: nobody can sign in yet',
  'POST /api/v1/auth/first-run': 'the token in the log of the start is the credential',
  'POST /api/v1/auth/session': 'it signs a browser in',
  'DELETE /api/v1/auth/session': 'the cookie is the credential',
  'POST /api/v1/auth/password': 'the one-time link is the credential',
  'POST /api/v1/auth/password-reset': 'who asks has forgotten the credential',
};

let world: World;
let cast: Cast;
let routes: Route[];
/** An agent's key has only this scope; any other key may have all others. */
const AGENTS: Scope = 'reports:write';
const OTHERS = SCOPES.filter((scope) => scope !== AGENTS);
/** API keys of the outsider's tenant that together have every scope: an agent's, and another. */
let theirKeys: As[];

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  routes = routesOf(world);
  theirKeys = [await keyOf(cast.other.tenant.id, OTHERS), await keyOf(cast.other.tenant.id, [AGENTS])];
});
afterAll(async () => world.close());

async function keyOf(tenantId: string, scopes: readonly Scope[]): Promise<As> {
  const { status, body } = await world.http('POST', `/api/v1/tenants/${tenantId}/api-keys`, {
    token: cast.operator.token,
    body: { name: 'key', scopes, ...(scopes.includes(AGENTS) ? { agent_id: 'agent' } : {}) },
  });
  expect(status).toBe(201);
  return { headers: { 'x-api-key': (body as { key: string }).key } };
}

type As = { token: string } | { headers: { 'x-api-key': string } } | Record<string, never>;

const as = ({ token }: Pick<Person, 'token'>): As => ({ token });

/** Calls a route with these values for its path parameters. */
async function call(
  route: Route,
  who: As,
  params: Record<string, string> = {},
  body?: unknown,
): Promise<Answer> {
  const path = route.path.replace(/:(\w+)/g, (_whole, name: string) =>
    encodeURIComponent(params[name] ?? (name === 'job' ? 'cleanup' : randomUUID())),
  );
  const sends = ['POST', 'PUT', 'PATCH'].includes(route.method);
  return world.http(route.method, path, { ...who, ...(sends ? { body: body ?? {} } : {}) });
}

/** The query that a route requires. */
function requiredOf({ path }: Pick<Route, 'path'>): string {
  if (path.endsWith('preview')) return 'date=2026-03-02';
  return path.endsWith('privacy/export') ? 'address=client@client.example' : '';
}

/** The body that a route requires before it looks at the tenant. */
function bodyOf({ path }: Pick<Route, 'path'>): object {
  return path.endsWith('dead-letters/discard') ? { channel: 'email', why: 'because' } : {};
}

/** The route with its required query: `why` asks about the caller. */
function asking(route: Route, { id }: Person): Route {
  const query = route.path === '/api/v1/admin/why' ? `user=${id}` : requiredOf(route);
  return query === '' || route.path.endsWith('preview')
    ? route
    : { ...route, path: `${route.path}?${query}` };
}

const withIds = () => routes.filter(({ params }) => params.some((param) => !(param in NO_IDS)));
const ofTenants = () => withIds().filter(({ rule }) => rule?.who !== 'operator' && rule?.who !== 'public');

function caseOf(route: Route): Case {
  const found = CASES[route.path.slice(0, route.path.indexOf('/:'))];
  if (found === undefined) throw new Error(`${nameOf(route)} has no case in test/rules/victims.ts`);
  return found;
}

async function stored({ table, id, column = 'id' }: Victim): Promise<unknown> {
  return world.sql(`SELECT to_jsonb(t) AS row FROM ${table} t WHERE ${column} = $1`, [id]);
}

describe('every route', () => {
  it('is found in the controllers', () => {
    expect(routes.length).toBeGreaterThan(40);
    expect(new Set(routes.map(nameOf)).size).toBe(routes.length);
  });

  it('declares its callers', () => {
    expect(routes.filter(({ rule }) => rule === undefined).map(nameOf)).toEqual([]);
  });

  it('is public only if listed here', () => {
    expect(routes.filter(({ rule }) => rule?.who === 'public').map(nameOf)).toEqual(
      Object.keys(PUBLIC).sort((one, other) => one.localeCompare(other)),
    );
  });

  it('refuses API keys if it is about a person or the installation', () => {
    const scoped = routes.filter(
      ({ rule }) => rule?.scope !== undefined && ['self', 'operator', 'public'].includes(rule.who),
    );
    expect(scoped.map(nameOf)).toEqual([]);
  });

  it('answers 401 without a token, or with an invalid one', async () => {
    const answers = new Set<string>();
    for (const route of routes.filter(({ rule }) => rule?.who !== 'public')) {
      for (const who of [{}, { token: 'x' }, { headers: { 'x-api-key': 'x' } }] as As[]) {
        const { status, text } = await call(route, who);
        expect([nameOf(route), status]).toEqual([nameOf(route), 401]);
        answers.add(text);
      }
    }
    expect(answers.size).toBe(1);
  });

  it('answers 403 to an unauthorized caller, before any other check', async () => {
    const refused: Record<string, (route: Route) => As[]> = {
      operator: () => [as(cast.admin), as(cast.teammate), ...theirKeys],
      admin: () => [as(cast.teammate), as(cast.operator)],
      admin_or_operator: () => [as(cast.teammate)],
      member: () => [as(cast.operator)],
      self: () => [as(cast.operator), ...theirKeys],
      person: () => theirKeys,
    };
    const answers = new Set<string>();
    for (const route of routes.filter(({ rule }) => rule?.who !== 'public')) {
      for (const who of refused[route.rule!.who]!(route)) {
        const { status, text } = await call(route, who);
        expect([nameOf(route), who, status]).toEqual([nameOf(route), who, 403]);
        answers.add(text);
      }
    }
    expect(answers.size).toBe(1);
  });

  it('accepts an API key with its scope and no other', async () => {
    const agents = await keyOf(cast.tenant_id, [AGENTS]);
    for (const scope of SCOPES) {
      const others = await keyOf(
        cast.tenant_id,
        OTHERS.filter((other) => other !== scope),
      );
      for (const key of scope === AGENTS ? [others] : [others, agents]) {
        for (const route of routes.filter(({ rule }) => rule?.scope === scope)) {
          expect([nameOf(route), (await call(route, key)).status]).toEqual([nameOf(route), 403]);
        }
      }
    }
  });
});

describe('an id of another tenant or user', () => {
  it('is tested on every route that takes one', () => {
    for (const route of ofTenants()) {
      expect(route.params).toEqual(['id']);
      expect(caseOf(route)).toBeDefined();
    }
    const prefixes = ofTenants().map(({ path }) => path.slice(0, path.indexOf('/:')));
    expect(Object.keys(CASES).filter((prefix) => !prefixes.includes(prefix))).toEqual([]);
  });

  it('gets the 404 of an unknown id, byte for byte, and changes nothing', async () => {
    const answers = new Set<string>();
    for (const route of ofTenants()) {
      const { create, bodies = {}, personal = false } = caseOf(route);
      const victim = await create(world, cast);
      const before = await stored(victim);
      const outsiders: As[] = [
        as(cast.outsider),
        ...(personal ? [as(cast.teammate)] : []),
        ...(route.rule?.scope === undefined ? [] : [theirKeys[route.rule.scope === AGENTS ? 1 : 0]!]),
      ];
      for (const who of outsiders) {
        for (const body of [{}, bodies[route.method] ?? {}]) {
          for (const id of [victim.id, victim.id.toUpperCase(), randomUUID(), 'x']) {
            const { status, text } = await call(route, who, { id }, body);
            expect([nameOf(route), id, status, text]).toEqual([nameOf(route), id, 404, expect.any(String)]);
            answers.add(text);
          }
        }
      }
      expect([nameOf(route), await stored(victim)]).toEqual([nameOf(route), before]);
      // The same call by an authorized caller: otherwise the above would prove nothing.
      const { status } = await call(route, as(cast.admin), { id: victim.id }, bodies[route.method] ?? {});
      expect([nameOf(route), Math.floor(status / 100)]).toEqual([nameOf(route), 2]);
    }
    expect(answers.size).toBe(1);
    // Thousands of requests.
  }, 120_000);

  it('is not found through another tenant, even by an operator', async () => {
    const { id } = (
      await world.http('POST', `/api/v1/tenants/${cast.tenant_id}/api-keys`, {
        token: cast.operator.token,
        body: { name: CANARY, scopes: ['admin'] },
      })
    ).body as { id: string };
    const crossed = withIds().filter(({ params }) => params.length > 1);
    expect(crossed.length).toBeGreaterThan(0);
    for (const route of crossed) {
      expect(route.params).toEqual(['tenant_id', 'id']);
      const tried = await call(route, as(cast.operator), { tenant_id: cast.other.tenant.id, id });
      const unknown = await call(route, as(cast.operator), {
        tenant_id: cast.other.tenant.id,
        id: randomUUID(),
      });
      expect([nameOf(route), tried.status, tried.text]).toEqual([nameOf(route), 404, unknown.text]);
    }
  });

  it('is refused in a body or a query as well', async () => {
    const victim = await CASES['/api/v1/users']!.create(world, cast);
    for (const prefix of ['/api/v1/deadlines', '/api/v1/documents', '/api/v1/tasks', '/api/v1/tickets']) {
      const create = (responsible_id: string) =>
        world.http('POST', prefix, {
          ...as(cast.outsider),
          body: { title: 'mine', due_on: '2026-03-31', responsible_id },
        });
      const tried = await create(victim.id);
      const unknown = await create(randomUUID());
      expect([prefix, tried.status, tried.text]).toEqual([prefix, 400, unknown.text]);
      const filter = await world.http('GET', `${prefix}?responsible_id=${victim.id}`, as(cast.outsider));
      expect(filter.body).toEqual({ data: [], next_cursor: null });
    }
  });

  it('a slug of another tenant is refused for an admin', async () => {
    const ofOperators = routes.filter(({ rule }) => rule?.who === 'admin_or_operator');
    expect(ofOperators.length).toBeGreaterThan(0);
    for (const route of ofOperators) {
      const ask = (slug: string) =>
        call(
          {
            ...route,
            path: `${route.path}?tenant=${slug}&${requiredOf(route)}`,
          },
          as(cast.outsider),
          {},
          bodyOf(route),
        );
      const tried = await ask(cast.tenant.slug);
      const unknown = await ask('nobody-at-all');
      expect([nameOf(route), tried.status, tried.text]).toEqual([nameOf(route), 404, unknown.text]);
    }
  });
});

describe('a list', () => {
  it('shows nothing of another tenant', async () => {
    const owned: string[] = [];
    for (const { create } of Object.values(CASES)) await create(world, cast);
    const lists = routes.filter(
      ({ method, params, rule }) =>
        method === 'GET' && params.length === 0 && rule?.who !== 'public' && rule?.who !== 'operator',
    );
    for (const route of lists) {
      const { status, text } = await call(asking(route, cast.outsider), as(cast.outsider));
      expect([nameOf(route), status]).toEqual([nameOf(route), 200]);
      expect([nameOf(route), text.includes(CANARY)]).toEqual([nameOf(route), false]);
      const own = await call(asking(route, cast.admin), as(cast.admin));
      if (own.text.includes(CANARY)) owned.push(route.path);
    }
    // Authorized callers see them: the canary exists. Reminders are listed under their users, notes under their jobs.
    const elsewhere = ['/api/v1/reminders', '/api/v1/backups/notes'];
    const listed = Object.keys(CASES).filter((prefix) => !elsewhere.includes(prefix));
    expect(owned).toEqual(expect.arrayContaining(listed));
  });
});
