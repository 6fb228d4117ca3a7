import { randomUUID } from 'node:crypto';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';

/** B3: a scan on demand. */
let world: World;
let cast: Cast;

const scan = (query = '', token = cast.admin.token, headers: Record<string, string> = {}) =>
  world.http('POST', `/api/v1/backups/scan${query}`, { token, headers });
const runs = () => world.sql('SELECT * FROM job_runs ORDER BY created_at');

describe('without workers', () => {
  beforeAll(async () => {
    world = await createWorld();
    cast = await createCast(world);
  });
  beforeEach(() => world.sql('DELETE FROM job_runs'));
  afterAll(() => world.close());

  test('an admin’s is a run of their own tenant, with the same answer as its trigger', async () => {
    const answer = await scan();
    expect(answer.status).toBe(202);
    const [run, ...others] = await runs();
    expect(others).toEqual([]);
    expect(run).toMatchObject({
      tenant_id: cast.tenant_id,
      job: 'scan-backups',
      slot: null,
      triggered_by: `user:${cast.admin.id}`,
    });
    expect(answer.body).toEqual({
      run_id: run!.id as string,
      tenant_id: cast.tenant_id,
      state: 'queued',
      counts: null,
      error: null,
    });
    const triggered = await world.http('POST', '/api/v1/admin/scheduler/scan-backups/trigger', {
      token: cast.admin.token,
    });
    expect([triggered.status, { ...triggered.body, run_id: run!.id as string }]).toEqual([202, answer.body]);
  });

  test('a retry with the same key is the same run', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const first = await scan('', cast.admin.token, key);
    expect((await scan('', cast.admin.token, key)).body).toEqual(first.body);
    expect(await runs()).toHaveLength(1);
    expect((await scan('?wait=false', cast.admin.token, key)).body.code).toBe('idempotency_mismatch');
  });

  test('an operator’s is for one tenant, or all', async () => {
    const one = await scan(`?tenant=${cast.other.tenant.slug}`, cast.operator.token);
    expect(one).toMatchObject({ status: 202, body: { runs: [{ tenant_id: cast.other.tenant.id }] } });
    const all = await scan('', cast.operator.token);
    expect((all.body.runs as { tenant_id: string }[]).map((run) => run.tenant_id).sort()).toEqual(
      [cast.tenant_id, cast.other.tenant.id].sort(),
    );
    await world.sql('UPDATE tenants SET suspended_at = now() WHERE id = $1', [cast.other.tenant.id]);
    const suspended = await scan(`?tenant=${cast.other.tenant.slug}`, cast.operator.token);
    await world.sql('UPDATE tenants SET suspended_at = NULL');
    expect(suspended).toMatchObject({ status: 403, body: { code: 'tenant_suspended' } });
  });

  test('a program needs the scope admin: agents cannot scan', async () => {
    const key = async (fields: object) =>
      (
        await world.http('POST', `/api/v1/tenants/${cast.tenant_id}/api-keys`, {
          token: cast.operator.token,
          body: { name: 'Key', ...fields },
        })
      ).body.key as string;
    const as = async (fields: object) => {
      const headers = { 'x-api-key': await key(fields) };
      return (await world.http('POST', '/api/v1/backups/scan', { headers })).status;
    };
    expect(await as({ scopes: ['admin'] })).toBe(202);
    expect(await as({ scopes: ['watched:write', 'events:write'] })).toBe(403);
    expect(await as({ scopes: ['reports:write'], agent_id: 'srv-1' })).toBe(403);
    expect(await runs()).toHaveLength(1);
  });

  test('an unauthorized caller is refused, and nobody reaches another tenant', async () => {
    expect((await scan('', cast.teammate.token)).status).toBe(403);
    expect((await world.http('POST', '/api/v1/backups/scan')).status).toBe(401);
    expect((await scan(`?tenant=${cast.other.tenant.slug}`)).status).toBe(404);
    expect((await scan('?tenant=nobody', cast.operator.token)).status).toBe(404);
    expect((await scan('?wait=perhaps')).status).toBe(400);
    expect((await scan('?job=cleanup')).status).toBe(400);
    expect(await runs()).toEqual([]);
  });
});

test('with wait=true it answers when the scan has ended, with its counts', async () => {
  world = await createWorld({ env: { VIGIE_ROLES: 'web,worker' } });
  try {
    cast = await createCast(world);
    const answer = await scan('?wait=true');
    expect(answer).toMatchObject({ status: 200, body: { state: 'succeeded', error: null } });
    expect(answer.body.counts).not.toBeNull();
    const all = await scan('?wait=true', cast.operator.token);
    expect(all).toMatchObject({
      status: 200,
      body: { runs: [{ state: 'succeeded' }, { state: 'succeeded' }] },
    });
    await until('the ledger', async () => (await runs()).every(({ state }) => state === 'succeeded'));
  } finally {
    await world.close();
  }
});
