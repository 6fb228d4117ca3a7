import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { addPerson, type Cast, createCast, type Person } from '../../../../test/support/cast.js';
import { until } from '../../../../test/support/until.js';
import { runJob } from '../../../../test/support/watched.js';
import { environmentOf } from '../../../../test/support/world.js';
import { verifyArchives } from '../../../cli/archives.js';
import { erasePerson } from '../../../cli/person-erasure.js';
import { Database } from '../../../platform/database/database.js';
import { type ArchiveStage, archiveStage } from '../../archives/archives.fixture.js';
import { addCanary, EMAIL, NAME, PHONE } from '../privacy.fixture.js';
import { addNamedEverywhere, archivesOf, nameInEveryColumn, rowsOf, tracesIn } from './erasure.fixture.js';
import type { Erasure } from './erasure.js';
import { Erasures } from './erasures.service.js';
import { OUTCOME_TABLES, TEXT_TABLES } from './text-tables.js';

let stage: ArchiveStage;
let cast: Cast;

beforeAll(async () => {
  stage = await archiveStage({ ACCESS_TOKEN_MINUTES: '1440' });
  cast = await createCast(stage.world);
});
afterAll(() => stage.close());

const post = (body: object, token = cast.admin.token, query = '') =>
  stage.world.http('POST', `/api/v1/admin/privacy/erase${query}`, { token, body });
const read = async (id: string, token = cast.admin.token) =>
  stage.world.http('GET', `/api/v1/admin/privacy/erasures/${id}`, { token });
const finish = (id: string, tenantId = cast.tenant_id): Promise<Erasure> =>
  stage.world.app.get(Erasures, { strict: false }).finish(tenantId, id);
const environment = () => ({ ...environmentOf(stage.world), ...stage.environment });

/** Erases whom the body names, to the end. */
async function erase(body: object): Promise<Erasure> {
  const { status, body: begun } = await post(body);
  expect(status).toBe(202);
  return finish((begun as Erasure).id);
}

describe('the erasure of a user', () => {
  let person: Person;
  let before: Awaited<ReturnType<typeof rowsOf>>;
  let theirs: Awaited<ReturnType<typeof rowsOf>>;
  let archived: Awaited<ReturnType<typeof archivesOf>>;
  let done: Erasure;

  beforeAll(async () => {
    const { world } = stage;
    person = await addNamedEverywhere(world, cast);
    await addCanary(world, cast.other.tenant, cast.outsider);
    await nameInEveryColumn(world, cast.tenant_id);
    for (const tenantId of [cast.tenant_id, cast.other.tenant.id]) await runJob(world, tenantId, 'cleanup');
    await nameInEveryColumn(world, cast.tenant_id);
    await world.sql(`UPDATE tenants SET settings = $2 WHERE id = $1`, [
      cast.tenant_id,
      { alert_recipients: ['board@example.com', EMAIL] },
    ]);
    await world.sql(`UPDATE audit_log SET ip = '192.0.2.7' WHERE actor = $1`, [`user:${person.id}`]);
    before = await rowsOf(world, cast.tenant_id);
    theirs = await rowsOf(world, cast.other.tenant.id);
    archived = await archivesOf(stage, cast.tenant.slug);
    // Otherwise the tests below would prove nothing.
    expect(await tracesIn(world, cast.tenant_id)).toEqual(
      expect.arrayContaining([...TEXT_TABLES, ...OUTCOME_TABLES].map(({ table }) => table)),
    );
    expect(archived.traces).toBeGreaterThan(4);
    done = await erase({ user_id: person.id });
  }, 60_000);

  it('leaves neither name nor address in any table', async () => {
    expect(await tracesIn(stage.world, cast.tenant_id)).toEqual([]);
    expect(done).toMatchObject({ state: 'succeeded', user_id: person.id, unreadable_archives: [] });
    const [row] = await stage.world.sql(`SELECT subject, position FROM erasures WHERE id = $1`, [done.id]);
    expect(row).toEqual({ subject: null, position: null });
    const ips = await stage.world.sql(`SELECT ip FROM audit_log WHERE actor = $1`, [`user:${person.id}`]);
    expect(ips).toEqual([{ ip: null }]);
  });

  it('leaves neither in archives, which stay whole', async () => {
    const now = await archivesOf(stage, cast.tenant.slug);
    expect(now).toMatchObject({ traces: 0, rows: archived.rows - 4 });
    expect(now.files).toHaveLength(archived.files.length);
    expect(done.counts).toMatchObject({ archives: 1, archived_rows: archived.traces });
    expect(await verifyArchives(environment(), undefined, {})).toMatchObject({ ok: true });
  });

  it('keeps the rows of others, and those that are counted', async () => {
    const after = await rowsOf(stage.world, cast.tenant_id);
    const less = Object.keys(before).flatMap((table) => {
      const gone = before[table]!.rows - after[table]!.rows;
      return gone === 0 ? [] : [[table, gone]];
    });
    expect(Object.fromEntries(less)).toEqual({
      audit_log: -1,
      devices: 1,
      erasures: -1,
      preferences: 1,
      reminders: 1,
      sessions: 1,
      stopped_addresses: 1,
      users: 1,
    });
    const [settings] = await stage.world.sql(`SELECT settings FROM tenants WHERE id = $1`, [cast.tenant_id]);
    expect(settings).toEqual({ settings: { alert_recipients: ['board@example.com'] } });
  });

  it('touches no other tenant, not even the same person there', async () => {
    expect(await rowsOf(stage.world, cast.other.tenant.id)).toEqual(theirs);
    expect((await archivesOf(stage, cast.other.tenant.slug)).traces).toBeGreaterThan(0);
  });

  it('shows its progress and counts, and is audited by ids alone', async () => {
    const { body } = await read(done.id);
    expect(body).toMatchObject({ state: 'succeeded', step: null, waiting_for: null, counts: done.counts });
    // Every row once: two of each are the person's own, the others name them.
    expect(done.counts).toMatchObject({ deliveries: 4, notifications: 4, tenants: 1 });
    const list = await stage.world.http('GET', '/api/v1/admin/privacy/erasures', { token: cast.admin.token });
    expect((list.body as { data: Erasure[] }).data.map(({ id }) => id)).toContain(done.id);
    const acts = await stage.world.sql(
      `SELECT actor, targets, status FROM audit_log WHERE action = 'POST /api/v1/admin/privacy/erase'`,
    );
    expect(acts).toEqual([
      { actor: `user:${cast.admin.id}`, targets: { erasure: done.id, user_id: person.id }, status: 202 },
    ]);
  });

  it('gets the same answer when it is repeated, and finds nothing by address', async () => {
    const again = await post({ user_id: person.id });
    expect([again.status, again.body]).toEqual([202, (await read(done.id)).body]);
    expect(await erase({ address: EMAIL })).toMatchObject({ user_id: null, counts: {} });
    const hash = createHash('sha256').update(EMAIL.toLowerCase()).digest('hex');
    expect(await stage.world.sql(`SELECT targets FROM audit_log WHERE targets ? 'address_sha256'`)).toEqual([
      { targets: { erasure: expect.any(String), address_sha256: hash.slice(0, 16) } },
    ]);
    expect(
      (await stage.world.http('DELETE', `/api/v1/users/${person.id}`, { token: cast.admin.token })).status,
    ).toBe(404);
  });

  it('what is left of their notifications can be listed', async () => {
    const { status, body } = await stage.world.http('GET', '/api/v1/tenant/deliveries?count=true', {
      token: cast.admin.token,
    });
    expect(status).toBe(200);
    expect((body as { data: unknown[] }).data.length).toBeGreaterThan(0);
  });
});

it('DELETE users/{id} begins the same erasure', async () => {
  const member = await addPerson(stage.world, cast.tenant_id, {
    name: 'Odile Martineau',
    email: 'odile@example.com',
  });
  const colleague = await addPerson(stage.world, cast.tenant_id, {
    name: 'Odile Martineau',
    email: 'diodile@example.com',
  });
  await stage.world.sql(
    `INSERT INTO tasks (tenant_id, title, due_on) VALUES ($1, 'Ask odile@example.com, not diodile@example.com (Odile Martineau)', '2026-07-01')`,
    [cast.tenant_id],
  );
  const { status } = await stage.world.http('DELETE', `/api/v1/users/${member.id}`, {
    token: cast.admin.token,
  });
  expect(status).toBe(204);
  const { body } = await post({ user_id: member.id });
  expect(body).toMatchObject({ requested_by: `user:${cast.admin.id}`, user_id: member.id });
  expect(await finish((body as Erasure).id)).toMatchObject({ state: 'succeeded', counts: { tasks: 1 } });
  // A colleague has the same name: it stays.
  expect(await stage.world.sql(`SELECT title FROM tasks WHERE title LIKE 'Ask %'`)).toEqual([
    { title: 'Ask …, not diodile@example.com (Odile Martineau)' },
  ]);
  await erase({ user_id: colleague.id });
});

describe('an address of no user', () => {
  it('is erased however it is written, and nothing that only looks like it', async () => {
    const texts = [
      'from a_b@client.example',
      'from aXb@client.example',
      '06 12 34 56 78',
      '+33 6.12.34.56.78',
      '0612345679',
    ];
    for (const text of texts)
      await stage.world.sql(
        `INSERT INTO tasks (tenant_id, title, description, due_on) VALUES ($1, 'Note', $2, '2026-07-01')`,
        [cast.tenant_id, text],
      );
    expect(await erase({ address: 'A_B@Client.example' })).toMatchObject({ counts: { tasks: 1 } });
    expect(await erase({ address: '+33 6 12 34 56 78' })).toMatchObject({ counts: { tasks: 2 } });
    const left = await stage.world.sql<{ description: string }>(
      `SELECT description FROM tasks WHERE tenant_id = $1 AND title = 'Note' ORDER BY id`,
      [cast.tenant_id],
    );
    expect(left.map(({ description }) => description)).toEqual(['from …', texts[1], '…', '…', texts[4]]);
  });

  it('is erased once while it runs', async () => {
    const [one, other] = await Promise.all([
      post({ address: 'x@client.example' }),
      post({ address: 'X@client.example' }),
    ]);
    expect((one.body as Erasure).id).toBe((other.body as Erasure).id);
    await finish((one.body as Erasure).id);
  });

  it.each([
    [{}, '/user_id'],
    [{ address: '%@%' }, '/address'],
    [{ address: '0612345678' }, '/address'],
    [{ user_id: crypto.randomUUID(), address: 'x@client.example' }, '/user_id'],
    [{ user_id: 'x' }, '/user_id'],
  ])('%j is refused', async (body, pointer) => {
    const { status, body: problem } = await post(body);
    expect([status, (problem as { errors: { pointer: string }[] }).errors[0]?.pointer]).toEqual([
      400,
      pointer,
    ]);
  });
});

/** The newest entry of an erasure in the audit log. */
const newestEntry = async () =>
  (
    await stage.world.sql(
      `SELECT targets, status FROM audit_log WHERE action = 'POST /api/v1/admin/privacy/erase' ORDER BY id DESC LIMIT 1`,
    )
  )[0];

it('the last admin cannot be erased, another admin can erase themselves', async () => {
  const refused = await post({ address: cast.admin.email });
  expect([refused.status, (refused.body as { code: string }).code]).toEqual([409, 'conflict']);
  expect(await newestEntry()).toEqual({ targets: { user_id: cast.admin.id }, status: 409 });
  const second = await addPerson(stage.world, cast.tenant_id, { name: 'Nina Second', role: 'admin' });
  expect((await post({ user_id: second.id }, second.token)).status).toBe(202);
});

it('a number of several users names none of them', async () => {
  for (const name of ['Otto', 'Paul']) {
    const { id } = await addPerson(stage.world, cast.tenant_id, { name });
    await stage.world.sql(`UPDATE users SET phone = '+33611111111' WHERE id = $1`, [id]);
  }
  expect((await post({ address: '+33611111111' })).status).toBe(409);
  expect(await newestEntry()).toEqual({ targets: { address: 'phone' }, status: 409 });
});

it('the audit log identifies the person before an erasure begins, and if it is refused', async () => {
  const unknown = crypto.randomUUID();
  expect((await post({ user_id: unknown })).status).toBe(404);
  expect(await newestEntry()).toEqual({ targets: { user_id: unknown }, status: 404 });
  // In any spelling of the address.
  const hash = createHash('sha256').update('ana@xn--mller-kva.example').digest('hex').slice(0, 16);
  // The erasure waits for the lock, but its entry exists.
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  let holding: Promise<void> | undefined;
  await new Promise<void>((locked, failed) => {
    holding = stage.world.app.get(Database).tenant(cast.tenant_id, async (tx) => {
      await tx.lock(`erasure:${tx.tenant_id}`);
      locked();
      await released;
    });
    holding.catch(failed);
  });
  const erasing = post({ address: ' Ana@Müller.example ' });
  try {
    await until('the entry of an erasure that has not begun', async () =>
      isDeepStrictEqual(await newestEntry(), { targets: { address_sha256: hash }, status: null }),
    );
  } finally {
    release();
    await holding;
  }
  const { id } = (await erasing).body as Erasure;
  expect(await newestEntry()).toEqual({ targets: { address_sha256: hash, erasure: id }, status: 202 });
  await finish(id);
});

it('admins of the tenant and operators only; unknown people and other tenants are not found', async () => {
  const { teammate, outsider, operator, admin } = cast;
  const callers = [admin.token, teammate.token, outsider.token, operator.token, undefined];
  const statuses = async (body: object, query = '') =>
    Promise.all(
      callers.map(
        async (token) =>
          (await stage.world.http('POST', `/api/v1/admin/privacy/erase${query}`, { token, body })).status,
      ),
    );
  const ofTenant = `?tenant=${cast.tenant.slug}`;
  expect(await statuses({ user_id: crypto.randomUUID() }, ofTenant)).toEqual([404, 403, 404, 404, 401]);
  expect(await statuses({ user_id: admin.id })).toEqual([409, 403, 404, 400, 401]);
  expect(await statuses({ address: 'nobody@client.example' }, ofTenant)).toEqual([202, 403, 404, 202, 401]);
  const { body } = await post({ address: 'nobody@client.example' });
  const paths = callers.map((token) =>
    stage.world.http('GET', `/api/v1/admin/privacy/erasures/${(body as Erasure).id}${ofTenant}`, { token }),
  );
  expect((await Promise.all(paths)).map(({ status }) => status)).toEqual([200, 403, 404, 200, 401]);
});

it('vigie users erase erases to the end, if it is confirmed', async () => {
  const person = await addPerson(stage.world, cast.tenant_id, { name: NAME, email: EMAIL });
  await stage.world.sql(`UPDATE users SET phone = $2 WHERE id = $1`, [person.id, PHONE]);
  const options = { tenant: cast.tenant.slug };
  await expect(erasePerson(environment(), EMAIL, options)).rejects.toThrow('confirm with --yes');
  await expect(erasePerson(environment(), 'nobody@x.example', { ...options, yes: true })).rejects.toThrow(
    'there is no user',
  );
  const printed = await erasePerson(environment(), EMAIL, { ...options, yes: true, json: true });
  expect(JSON.parse(printed)).toMatchObject({ state: 'succeeded', user_id: person.id, requested_by: 'cli' });
  expect(await tracesIn(stage.world, cast.tenant_id)).toEqual([]);
  expect(await erasePerson(environment(), undefined, { ...options, address: PHONE, yes: true })).toContain(
    'Erased (',
  );
  const acts = await stage.world.sql(
    `SELECT targets, status FROM audit_log WHERE action = 'vigie users erase' ORDER BY at, id`,
  );
  expect(acts).toEqual([
    { targets: { user_id: person.id, erasure: (JSON.parse(printed) as Erasure).id }, status: 200 },
    { targets: { address: 'phone', erasure: expect.any(String) }, status: 200 },
  ]);
});
