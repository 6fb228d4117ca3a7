import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { addPerson, addTenant, type Cast, createCast, PASSWORD } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { tokenOf } from '../../../test/support/links.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';

const NOW = '2026-03-02T09:00:00Z';
const CANARY = 'canary-of-somebody';
const clock = new FixedClock(NOW);
let world: World;
let cast: Cast;

beforeAll(async () => {
  world = await createWorld({ clock, env: { ACCESS_TOKEN_MINUTES: '1440', AUDIT_RETENTION_DAYS: '100' } });
  cast = await createCast(world);
});
beforeEach(async () => {
  clock.set(NOW);
  await world.sql('DELETE FROM audit_log');
  await world.sql('DELETE FROM installation_audit_log');
});
afterAll(() => world.close());

interface Entry {
  id: string;
  actor: string;
  action: string;
  status: number | null;
  changed: string[] | null;
}

const audit = (query = '', token = cast.admin.token) =>
  world.http('GET', `/api/v1/admin/audit${query}`, { token });
async function entries(query = '', token?: string): Promise<Entry[]> {
  const { status, body, text } = await audit(query, token);
  expect([status, text]).toEqual([200, expect.any(String)]);
  return body.data as Entry[];
}
const act = (method: string, path: string, token: string, body?: object, id = 'test') =>
  world.http(method, `/api/v1/${path}`, { token, body, headers: { 'x-request-id': id } });
const settings = async () =>
  (await world.http('GET', '/api/v1/tenant/settings', { token: cast.admin.token })).body;

describe('an admin’s act', () => {
  it('is in the tenant’s log: actor, action, targets, time, address and outcome', async () => {
    const body = { email: `${CANARY}@example.com`, name: CANARY };
    const { id } = (await act('POST', 'users', cast.admin.token, body, 'made-1')).body as { id: string };
    clock.advance(1_000);
    await act('PATCH', `users/${id}`, cast.admin.token, { name: `${CANARY} too`, phone: '+33612345678' });
    clock.advance(1_000);
    await act('DELETE', `users/${id}`, cast.admin.token);
    const answer = await audit();
    const row = {
      id: expect.any(String),
      actor: `user:${cast.admin.id}`,
      actor_kind: 'user',
      targets: { id },
      changed: null,
      request_id: 'test',
      ip: '127.0.0.1',
    };
    expect(answer.body).toEqual({
      data: [
        { ...row, action: 'DELETE /api/v1/users/:id', status: 204, at: '2026-03-02T09:00:02.000Z' },
        {
          ...row,
          action: 'PATCH /api/v1/users/:id',
          status: 200,
          at: '2026-03-02T09:00:01.000Z',
          changed: ['name', 'phone'],
        },
        {
          ...row,
          action: 'POST /api/v1/users',
          status: 201,
          at: '2026-03-02T09:00:00.000Z',
          targets: {},
          request_id: 'made-1',
        },
      ],
      next_cursor: null,
    });
    expect(answer.text).not.toContain(CANARY);
  });

  it('names the changed settings, without their values', async () => {
    const before = await settings();
    const after = { ...before, name: CANARY, schedule: { ...before.schedule, cleanup: '03:00' } };
    expect((await act('PUT', 'tenant/settings', cast.admin.token, after)).status).toBe(200);
    expect((await act('PUT', 'tenant/settings', cast.admin.token, after)).status).toBe(200);
    const answer = await audit();
    expect(answer.body.data.map(({ changed }: Entry) => changed)).toEqual([[], ['name', 'schedule.cleanup']]);
    expect(answer.text).not.toContain(CANARY);
    await act('PUT', 'tenant/settings', cast.admin.token, before);
  });

  it('is logged even if it failed, without the request’s contents', async () => {
    const tries: [string, string, object?][] = [
      ['POST', 'users', { email: CANARY }],
      ['PATCH', `users/${randomUUID()}`, { name: CANARY }],
      ['PATCH', `users/${CANARY}@example.com`, { [CANARY]: CANARY }],
      ['DELETE', `users/${cast.admin.id}`],
    ];
    for (const [method, path, body] of tries) await act(method, path, cast.admin.token, body);
    const answer = await audit();
    expect(answer.body.data.map(({ status, changed }: Entry) => [status, changed])).toEqual([
      [409, null],
      [404, null],
      [404, null],
      [400, null],
    ]);
    expect(JSON.stringify(await world.sql('SELECT * FROM audit_log'))).not.toContain(CANARY);
  });

  it('with a key is logged as the key’s', async () => {
    const { body } = await act('POST', `tenants/${cast.tenant_id}/api-keys`, cast.operator.token, {
      name: 'Key',
      scopes: ['admin'],
    });
    const { id, key } = body as { id: string; key: string };
    await world.http('PUT', '/api/v1/tenant/settings', { headers: { 'x-api-key': key }, body: {} });
    const [row] = await entries(`?actor=key:${id}`);
    expect(row).toMatchObject({ actor_kind: 'api_key', action: 'PUT /api/v1/tenant/settings', status: 400 });
  });

  it('is refused if its audit row cannot be written', async () => {
    await world.sql('ALTER TABLE audit_log RENAME TO audit_log_elsewhere');
    try {
      const body = { email: 'unseen@example.com', name: 'Unseen' };
      const refused = await act('POST', 'users', cast.admin.token, body);
      expect([refused.status, refused.body.code]).toEqual([503, 'unavailable']);
      expect(await world.sql(`SELECT 1 FROM users WHERE email = 'unseen@example.com'`)).toEqual([]);
      // Requests that need no audit row still work.
      expect((await act('GET', 'users', cast.admin.token)).status).toBe(200);
      const due = { title: 'TVA', due_on: '2026-03-31' };
      expect((await act('POST', 'deadlines', cast.teammate.token, due)).status).toBe(201);
    } finally {
      await world.sql('ALTER TABLE audit_log_elsewhere RENAME TO audit_log');
    }
  });

  it('is recorded before it begins, so that a crash leaves a trace', async () => {
    // The row is locked: the handler waits for it in the middle of the request.
    const { id } = await addPerson(world, cast.tenant_id, { name: 'Held' });
    let answered = false;
    await world.sql(`CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END'`);
    await world.sql('CREATE TRIGGER wait BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION wait()');
    const holder = await hold(42);
    const acting = act('PATCH', `users/${id}`, cast.admin.token, { name: 'Late' }).then((answer) => {
      answered = true;
      return answer;
    });
    const [row] = await until('the intent', async () => {
      const found = await entries('?action=PATCH%20/api/v1/users/:id');
      return found.length > 0 ? found : null;
    });
    expect([row!.status, answered]).toEqual([null, false]);
    await holder.release();
    expect((await acting).status).toBe(200);
    expect((await entries('?action=PATCH%20/api/v1/users/:id'))[0]!.status).toBe(200);
    await world.sql('DROP TRIGGER wait ON users');
  });
});

/** Holds an advisory lock until it is released. */
async function hold(lock: number): Promise<{ release(): Promise<void> }> {
  const client = new pg.Client({ connectionString: world.config.databaseUrl! });
  await client.connect();
  await client.query('SELECT pg_advisory_lock($1)', [lock]);
  return { release: () => client.end() };
}

describe('a member’s act', () => {
  it('is not in the log, unless it is for admins only', async () => {
    const { token } = cast.teammate;
    await act('POST', 'deadlines', token, { title: 'TVA', due_on: '2026-03-31' });
    await act('PATCH', 'me', token, { name: 'Bob' });
    await act('POST', 'users', token, { email: 'x@example.com', name: 'X' });
    await act('GET', 'admin/audit', token);
    expect((await entries()).map(({ actor, action, status }) => [actor, action, status])).toEqual([
      [`user:${cast.teammate.id}`, 'GET /api/v1/admin/audit', 403],
      [`user:${cast.teammate.id}`, 'POST /api/v1/users', 403],
    ]);
  });

  it('does not fill the log, however often it is refused', async () => {
    const pushy = await addPerson(world, cast.tenant_id, { name: 'Pushy' });
    for (let n = 0; n < 70; n += 1) await act('GET', 'users', pushy.token);
    const rows = await world.sql(`SELECT 1 FROM audit_log WHERE actor = $1`, [`user:${pushy.id}`]);
    expect(rows).toHaveLength(60);
  });
});

describe('an operator’s act', () => {
  it('on a tenant is in the tenant’s log, and any other in the installation’s', async () => {
    const { token, id } = cast.operator;
    const actor = `operator:${id}`;
    const { body: made } = await act('POST', 'tenants', token, {
      slug: 'short-lived',
      name: CANARY,
      kind: 'cabinet',
    });
    const tenant = made as { id: string };
    await act('POST', `tenants/${tenant.id}/api-keys`, token, { name: CANARY, scopes: ['admin'] });
    await act('POST', `admin/scheduler/cleanup/trigger?tenant=${cast.tenant.slug}`, token);
    await act('POST', `tenants/${randomUUID()}/api-keys`, token, { name: CANARY, scopes: ['admin'] });
    const theirs = await entries('?tenant=short-lived', token);
    expect(theirs).toEqual([
      expect.objectContaining({
        actor,
        actor_kind: 'operator',
        action: 'POST /api/v1/tenants/:tenant_id/api-keys',
        targets: { tenant_id: tenant.id },
        status: 201,
      }),
    ]);
    expect(await entries()).toEqual([
      expect.objectContaining({ actor, targets: { job: 'cleanup' }, status: 202 }),
    ]);
    await act('PATCH', `tenants/${tenant.id}`, token, { suspended: true });
    await act('DELETE', `tenants/${tenant.id}`, token);
    const own = await audit('', token);
    expect(own.body.data.map(({ action, status, changed }: Entry) => [action, status, changed])).toEqual([
      ['DELETE /api/v1/tenants/:id', 204, null],
      ['PATCH /api/v1/tenants/:id', 200, ['suspended']],
      ['POST /api/v1/tenants/:tenant_id/api-keys', 404, null],
      ['POST /api/v1/tenants', 201, null],
    ]);
    expect(own.text).not.toContain(CANARY);
    expect(own.text).not.toContain('vk_');
  });
});

describe('a login', () => {
  const login = (body: object) => world.http('POST', '/api/v1/auth/login', { body });

  it('S9: is recorded for admins and operators, with its outcome, and for everybody if it is refused', async () => {
    const { slug } = cast.tenant;
    const [admin, member, operator] = [cast.admin, cast.teammate, cast.operator];
    for (const { email } of [admin, member]) {
      await login({ email, password: PASSWORD, tenant: slug });
      await login({ email, password: CANARY, tenant: slug });
    }
    await login({ email: 'nobody@example.com', password: CANARY, tenant: slug });
    await login({ email: operator.email, password: PASSWORD });
    await login({ email: operator.email, password: CANARY });
    const action = 'POST /api/v1/auth/login';
    const rows = await until('the rows', async () => {
      const found = [await entries(), await entries('', operator.token)];
      return found[0]!.length === 4 && found[1]!.length === 2 ? found : null;
    });
    expect(rows.map((log) => log.map((row) => [row.actor, row.action, row.status]).sort())).toEqual([
      [
        [`user:${admin.id}`, action, 200],
        [`user:${admin.id}`, action, 401],
        [`user:${member.id}`, action, 401],
        ['anonymous', action, 401],
      ].sort(),
      [
        [`operator:${operator.id}`, action, 200],
        [`operator:${operator.id}`, action, 401],
      ],
    ]);
    const stored = await world.sql('SELECT * FROM audit_log');
    expect(JSON.stringify(stored)).not.toMatch(new RegExp(`${CANARY}|@|${PASSWORD}`));
  });

  it('of an admin is refused if its audit row cannot be written', async () => {
    const body = { email: cast.admin.email, password: PASSWORD, tenant: cast.tenant.slug };
    await world.sql('ALTER TABLE audit_log RENAME TO audit_log_elsewhere');
    const answer = await login(body);
    await world.sql('ALTER TABLE audit_log_elsewhere RENAME TO audit_log');
    expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
    expect((await login(body)).status).toBe(200);
  });
});

describe('a password chosen by a link', () => {
  it('is recorded for an admin', async () => {
    const chosen = async (role: string) => {
      const body = { email: `${randomUUID()}@example.com`, name: CANARY, role, welcome: false };
      const { id } = (await act('POST', 'users', cast.admin.token, body)).body as { id: string };
      const link = await act('POST', `users/${id}/password-link`, cast.admin.token);
      const token = tokenOf(String(link.body.url));
      const answer = await world.http('POST', '/api/v1/auth/password', {
        body: { token, password: PASSWORD },
      });
      expect(answer.status).toBe(204);
      return id;
    };
    await chosen('member');
    const admin = await chosen('admin');
    const action = 'POST /api/v1/auth/password';
    expect(await entries(`?action=${encodeURIComponent(action)}`)).toMatchObject([
      { actor: `user:${admin}`, action, status: 204 },
    ]);
  });
});

describe('the log', () => {
  /** Acts of three admins, a minute apart, for one tenant. */
  async function arrange(): Promise<void> {
    for (let n = 0; n < 7; n += 1) {
      await act(
        n % 2 === 0 ? 'POST' : 'PATCH',
        n % 2 === 0 ? 'users' : `users/${randomUUID()}`,
        cast.admin.token,
        {},
      );
      clock.advance(60_000);
    }
  }

  it('is read in pages, newest first, and filtered by actor, action and time', async () => {
    await arrange();
    const all = await entries();
    expect(all).toHaveLength(7);
    const paged: Entry[] = [];
    let query = '?limit=3';
    for (;;) {
      const { body } = await audit(query);
      paged.push(...(body.data as Entry[]));
      if (body.next_cursor === null) break;
      query = `?limit=3&cursor=${String(body.next_cursor)}`;
    }
    expect(paged).toEqual(all);
    expect(await entries(`?action=${encodeURIComponent('POST /api/v1/users')}`)).toHaveLength(4);
    expect(await entries(`?actor=user:${cast.admin.id}&action=PATCH%20/api/v1/users/:id`)).toHaveLength(3);
    expect(await entries(`?actor=user:${cast.teammate.id}`)).toEqual([]);
    expect(await entries('?since=2026-03-02T09:02:00Z&until=2026-03-02T09:05:00Z')).toEqual(all.slice(2, 5));
  });

  it.each([
    ['actor', 'somebody'],
    ['action', 'everything'],
    ['since', 'yesterday'],
    ['until', '2026-02-30T00:00:00Z'],
    ['limit', '0'],
    ['tenant', 'A B'],
    ['who', 'me'],
  ])('refuses %s=%s', async (name, value) => {
    const { status, body } = await audit(`?${name}=${encodeURIComponent(value)}`);
    expect([status, body.errors[0].pointer]).toEqual([400, `/${name}`]);
  });

  it('only shows the tenant’s own rows', async () => {
    await arrange();
    expect(await entries('', cast.outsider.token)).toEqual([]);
    expect((await audit(`?tenant=${cast.tenant.slug}`, cast.outsider.token)).status).toBe(404);
    expect(await entries(`?tenant=${cast.tenant.slug}`, cast.operator.token)).toHaveLength(7);
    expect(await entries('', cast.operator.token)).toEqual([]);
  });

  it('reads few rows, however long it is', async () => {
    await world.sql(
      `INSERT INTO audit_log (tenant_id, id, actor, actor_kind, action, targets, at, request_id)
       SELECT $1, new_id(), 'user:' || n % 50, 'user', 'POST /' || n % 20, '{}',
              '2026-03-01T00:00:00Z'::timestamptz + n * interval '1 second', 'x'
       FROM generate_series(1, 20000) n`,
      [cast.tenant_id],
    );
    await world.sql('ANALYZE audit_log');
    for (const [condition, index] of [
      ['', 'audit_log_at'],
      [`AND actor = 'user:7'`, 'audit_log_actor'],
      [`AND action = 'POST /7'`, 'audit_log_action'],
      [`AND at < '2026-03-01T01:00:00Z'`, 'audit_log_at'],
    ]) {
      const plan = await world.sql(
        `EXPLAIN SELECT * FROM audit_log WHERE tenant_id = '${cast.tenant_id}' ${condition!}
         ORDER BY at DESC, id DESC LIMIT 51`,
      );
      const text = JSON.stringify(plan);
      expect([condition, text]).toEqual([condition, expect.stringContaining(`${index!} `)]);
      expect([condition, text]).toEqual([condition, expect.not.stringContaining('Sort')]);
    }
  });

  it('searches the newest rows that match the other filters', async () => {
    await world.sql(
      `INSERT INTO audit_log (tenant_id, id, actor, actor_kind, action, targets, at, request_id)
       SELECT $1, new_id(), 'user:x', 'user', 'POST /' || n % 2, '{}',
              '2026-03-01T00:00:00Z'::timestamptz + n * interval '1 second', CASE n WHEN 1 THEN 'Évreux 1%' ELSE 'x' END
       FROM generate_series(1, 60000) n`,
      [cast.tenant_id],
    );
    const found = async (more: string) =>
      (await entries(`?q=${encodeURIComponent('evreux 1%')}${more}`)).length;
    expect(await found('')).toBe(0);
    expect(await found('&until=2026-03-01T10:00:00Z')).toBe(1);
    expect(await found(`&action=${encodeURIComponent('POST /1')}`)).toBe(1);
  });

  it('is kept for as long as configured, and addresses for 90 days', async () => {
    const tenant = await addTenant(world);
    const rows = async (table: string) =>
      world.sql<{ action: string; ip: string | null }>(`SELECT action, ip FROM ${table} ORDER BY at DESC`);
    for (const days of [0, 89, 91, 99, 101, 400]) {
      const values = [
        `'user:x', 'user', '${days}', '{}', $1::timestamptz - interval '${days} days', 'x', 'ip'`,
      ];
      const columns = 'actor, actor_kind, action, targets, at, request_id, ip';
      await world.sql(
        `INSERT INTO audit_log (tenant_id, id, ${columns}) VALUES ('${tenant.id}', new_id(), ${values[0]!})`,
        [NOW],
      );
      await world.sql(
        `INSERT INTO installation_audit_log (id, ${columns}) VALUES (new_id(), ${values[0]!})`,
        [NOW],
      );
    }
    // More than a batch.
    await world.sql(
      `INSERT INTO audit_log (tenant_id, id, actor, actor_kind, action, targets, at, request_id)
       SELECT $1, new_id(), 'user:x', 'user', 'old', '{}', '2025-01-01', 'x' FROM generate_series(1, 2500)`,
      [tenant.id],
    );
    expect(await runJob(world, tenant.id, 'cleanup')).toMatchObject({ audit_log: 2_502 });
    for (const table of ['audit_log', 'installation_audit_log']) {
      expect(await rows(table)).toEqual([
        { action: '0', ip: 'ip' },
        { action: '89', ip: 'ip' },
        { action: '91', ip: null },
        { action: '99', ip: null },
      ]);
    }
  });
});
