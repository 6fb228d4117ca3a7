import { type Cast, createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { SCOPES } from '../../contracts/scopes.js';
import { Authenticator } from '../authenticator.js';

/** B2: agents report with separate keys. */
let world: World;
let cast: Cast;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
});
afterAll(() => world.close());

const keys = () => `/api/v1/tenants/${cast.tenant_id}/api-keys`;
const make = (body: object) =>
  world.http('POST', keys(), { token: cast.operator.token, body: { name: 'Key', ...body } });
const list = async () => (await world.http('GET', keys(), { token: cast.operator.token })).body.data;
const callerOf = async (key: string) =>
  (await world.app.get(Authenticator, { strict: false }).byApiKey(key)).caller;

describe('B2: an agent’s key', () => {
  it('is shown with its agent in responses and lists, and passes the agent to routes', async () => {
    const { status, body, text } = await make({ scopes: ['reports:write'], agent_id: 'srv-paris.01' });
    expect([status, body.agent_id]).toEqual([201, 'srv-paris.01']);
    expect(text).not.toContain('_hash');
    expect((await list())[0]).toMatchObject({ id: body.id, agent_id: 'srv-paris.01' });
    expect(await callerOf(body.key)).toEqual({
      kind: 'api_key',
      tenant_id: cast.tenant_id,
      principal: `key:${body.id}`,
      user_id: null,
      agent_id: 'srv-paris.01',
      role: 'member',
    });
  });

  it('keeps its agent when rotated, with both secrets', async () => {
    const made = await make({ scopes: ['reports:write'], agent_id: 'srv-lyon' });
    const { id, key } = made.body as { id: string; key: string };
    const rotated = await world.http('POST', `${keys()}/${id}/rotate`, { token: cast.operator.token });
    expect([rotated.status, rotated.body.agent_id]).toEqual([200, 'srv-lyon']);
    for (const secret of [key, String(rotated.body.key)])
      expect(await callerOf(secret)).toMatchObject({ agent_id: 'srv-lyon' });
  });

  it('may be one of several per agent: the next exists before the last is revoked', async () => {
    const fields = { scopes: ['reports:write'], agent_id: 'srv-lyon' };
    expect([(await make(fields)).status, (await make(fields)).status]).toEqual([201, 201]);
  });

  it('may only report', async () => {
    const { body } = await make({ scopes: ['reports:write'], agent_id: 'srv-paris' });
    const headers = { 'x-api-key': String(body.key) };
    for (const path of ['users', 'deadlines', 'notifications', 'tenant/settings', 'admin/runs']) {
      expect((await world.http('GET', `/api/v1/${path}`, { headers })).status).toBe(403);
    }
  });
});

describe('a key', () => {
  it('has no agent unless it is an agent’s', async () => {
    const others = SCOPES.filter((scope) => scope !== 'reports:write');
    for (const agent_id of [undefined, null]) {
      const { status, body } = await make({ scopes: others, agent_id });
      expect([status, body.agent_id]).toEqual([201, null]);
      expect(await callerOf(body.key)).toMatchObject({ agent_id: null });
    }
  });

  it.each([
    [{ scopes: ['reports:write'] }, '/agent_id'],
    [{ scopes: ['reports:write'], agent_id: null }, '/agent_id'],
    [{ scopes: ['reports:write', 'users:read'], agent_id: 'srv-paris' }, '/scopes'],
    [{ scopes: ['users:read', 'reports:write'] }, '/scopes'],
    [{ scopes: ['users:read'], agent_id: 'srv-paris' }, '/agent_id'],
    ...['', '.', '..', '../etc', 'a/b', 'a b', '-a', 'é', 'a\n', 'a'.repeat(101), 7, ['a']].map(
      (agent_id): [object, string] => [{ scopes: ['reports:write'], agent_id }, '/agent_id'],
    ),
  ])('is refused as %j', async (fields, pointer) => {
    const before = await list();
    const { status, body } = await make(fields);
    expect([status, body.code, body.errors?.[0]?.pointer]).toEqual([400, 'validation_failed', pointer]);
    expect(await list()).toEqual(before);
  });

  it('may have an agent with the longest allowed name', async () => {
    const agent_id = `A${'.'.repeat(99)}`;
    const { status, body } = await make({ scopes: ['reports:write'], agent_id });
    expect([status, body.agent_id]).toEqual([201, agent_id]);
  });
});
