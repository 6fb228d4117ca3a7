import { type Cast, createCast, type Person } from '../../../test/support/cast.js';
import { insertRow } from '../../../test/support/rows.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { addEntry, forgetBackups, JOB } from '../board/records.fixture.js';

/** Monday 2 March 2026, 09:00 in Paris. */
const NOW = '2026-03-02T08:00:00.000Z';

describe('expected backups (B1)', () => {
  const clock = new FixedClock(NOW);
  let world: World;
  let cast: Cast;

  beforeAll(async () => {
    world = await createWorld({ clock });
    cast = await createCast(world);
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    clock.set(NOW);
    await forgetBackups(world);
  });

  const call = (method: string, rest: string, body?: unknown, who: Pick<Person, 'token'> = cast.admin) =>
    world.http(method, `/api/v1/backups/jobs${rest}`, { token: who.token, body });

  async function create(fields: Record<string, unknown> = {}): Promise<string> {
    const answer = await call('POST', '', { ...JOB, ...fields });
    expect(answer.status).toBe(201);
    return (answer.body as { id: string }).id;
  }

  async function expectedAfter(id: string): Promise<string> {
    const [row] = await world.sql<{ expected_after: Date }>(
      `SELECT expected_after FROM backup_jobs WHERE id = $1`,
      [id],
    );
    return row!.expected_after.toISOString();
  }

  const listed = async (query: string): Promise<string[]> =>
    ((await call('GET', query)).body as { data: { database_name: string }[] }).data.map(
      ({ database_name }) => database_name,
    );

  it('are daily with two hours of grace and unknown status by default', async () => {
    const created = await call('POST', '', { ...JOB, company_name: ' Boulangerie Martin ' });
    expect(created).toMatchObject({
      status: 201,
      body: {
        ...JOB,
        neighborhood: null,
        days_of_week: [1, 2, 3, 4, 5, 6, 7],
        grace_minutes: 120,
        status: 'unknown',
        status_since: null,
        last_checked_at: null,
        last_success_at: null,
        last_failure_at: null,
        created_at: NOW,
        updated_at: NOW,
      },
    });
    const { id } = created.body as { id: string };
    // Nothing in the past becomes missing.
    expect(await expectedAfter(id)).toBe(NOW);
    const shown = await call('GET', `/${id}`, undefined, cast.teammate);
    expect([shown.status, shown.body]).toEqual([200, created.body]);
  });

  it('are updated with the fields of a patch, and null clears optional ones', async () => {
    const id = await create({ neighborhood: 'Montmartre', days_of_week: [5, 1], grace_minutes: 0 });
    clock.advance(60_000);
    const patched = await call('PATCH', `/${id}`, { city: 'Lyon', neighborhood: null });
    expect(patched).toMatchObject({
      status: 200,
      body: {
        ...JOB,
        city: 'Lyon',
        neighborhood: null,
        days_of_week: [1, 5],
        grace_minutes: 0,
        updated_at: clock.now().toISOString(),
      },
    });
    const reset = await call('PATCH', `/${id}`, { days_of_week: null, grace_minutes: null });
    expect(reset.body).toMatchObject({ days_of_week: [1, 2, 3, 4, 5, 6, 7], grace_minutes: 120 });
    clock.advance(60_000);
    expect((await call('PATCH', `/${id}`, {})).body).toEqual(reset.body);
  });

  it('with new hours are expected from then on; other changes keep the expected time', async () => {
    const id = await create({ days_of_week: [1, 2] });
    clock.advance(60_000);
    for (const same of [
      { expected_time: '02:00' },
      { days_of_week: [2, 1] },
      { grace_minutes: 5, city: 'Lyon' },
    ]) {
      await call('PATCH', `/${id}`, same);
      expect(await expectedAfter(id)).toBe(NOW);
    }
    await call('PATCH', `/${id}`, { expected_time: '03:00' });
    expect(await expectedAfter(id)).toBe(clock.now().toISOString());
    clock.advance(60_000);
    await call('PATCH', `/${id}`, { days_of_week: [1] });
    expect(await expectedAfter(id)).toBe(clock.now().toISOString());
  });

  it.each([
    ['agent_id', ['', '../x', '.hidden', 'a/b', 'a'.repeat(101), 'é', 'a b', 7, null]],
    [
      'database_name',
      ['', ' ', 'a'.repeat(101), 'a\nb', 'a\0b', '__proto__', 'constructor', ' prototype ', 7, null],
    ],
    ['company_name', ['', 'a'.repeat(101), 'a\tb', {}, null]],
    ['city', ['', 'a'.repeat(101), ['Paris'], null]],
    ['neighborhood', ['', 'a'.repeat(101), 7]],
    ['expected_time', ['', '24:00', '2:00', '02:60', '02:00:00', ' 02:00', 200, null]],
    ['days_of_week', [[], [0], [8], [1, 1], ['1'], [1.5], [null], '1', 1, {}, [1, 2, 3, 4, 5, 6, 7, 7]]],
    ['grace_minutes', [-1, 10_081, 1.5, '60', [60]]],
    ['status', ['SUCCESS']],
    ['expected_after', [NOW]],
  ])('refuse what is no %s, and name it', async (field, values) => {
    for (const value of values as unknown[]) {
      const { status, body } = await call('POST', '', { ...JOB, [field]: value });
      expect([value, status]).toEqual([value, 400]);
      const pointers = (body as { errors: { pointer: string }[] }).errors.map(({ pointer }) => pointer);
      expect([value, [...new Set(pointers)]]).toEqual([value, [`/${field}`]]);
    }
    expect(await world.sql(`SELECT FROM backup_jobs`)).toEqual([]);
  });

  it('keep their agent and database: another one is another job', async () => {
    const id = await create();
    for (const patch of [{ agent_id: 'lyon-01' }, { database_name: 'paie' }, { expected_time: null }]) {
      expect((await call('PATCH', `/${id}`, patch)).status).toBe(400);
    }
    expect((await call('GET', `/${id}`)).body).toMatchObject(JOB);
  });

  it('are one per tenant, agent and database', async () => {
    await create();
    expect(await call('POST', '', JOB)).toMatchObject({
      status: 409,
      body: { code: 'conflict', errors: [{ pointer: '/database_name' }] },
    });
    await create({ database_name: 'Comptabilite' });
    await create({ agent_id: 'paris-02' });
    expect((await call('POST', '', JOB, cast.outsider)).status).toBe(201);
  });

  it('are created once per idempotency key', async () => {
    const post = () =>
      world.http('POST', '/api/v1/backups/jobs', {
        token: cast.admin.token,
        body: JOB,
        headers: { 'idempotency-key': 'paris' },
      });
    const [one, other] = [await post(), await post()];
    expect([one.status, other.status, other.body]).toEqual([201, 201, one.body]);
    expect(await world.sql(`SELECT FROM backup_jobs`)).toHaveLength(1);
  });

  it('are read by members and written by admins, whose names are recorded', async () => {
    const id = await create();
    for (const [method, rest, body] of [
      ['POST', '', JOB],
      ['POST', '/import', {}],
      ['PATCH', `/${id}`, { city: 'Lyon' }],
      ['DELETE', `/${id}`, undefined],
    ] as const) {
      expect((await call(method, rest, body, cast.teammate)).status).toBe(403);
    }
    expect((await call('GET', '', undefined, cast.teammate)).status).toBe(200);
    await call('DELETE', `/${id}`);
    expect(
      await world.sql(
        `SELECT FROM audit_log WHERE action = 'DELETE /api/v1/backups/jobs/:id' AND status = 204`,
      ),
    ).toHaveLength(1);
  });

  it('are listed by agent and database, paginated and filtered', async () => {
    await create({ agent_id: 'b', database_name: 'b1', city: 'Lyon' });
    await create({ agent_id: 'a', database_name: 'a2', company_name: 'Petit' });
    await create({ agent_id: 'a', database_name: 'a1' });
    await world.sql(`UPDATE backup_jobs SET status = 'MISSING' WHERE database_name = 'a1'`);
    expect(await listed('')).toEqual(['a1', 'a2', 'b1']);
    const first = (await call('GET', '?limit=2')).body as { data: unknown[]; next_cursor: string };
    expect(first.data).toHaveLength(2);
    expect(await listed(`?limit=2&cursor=${first.next_cursor}`)).toEqual(['b1']);
    expect(await listed('?agent_id=a')).toEqual(['a1', 'a2']);
    expect(await listed('?city=LYON')).toEqual(['b1']);
    expect(await listed('?company_name=petit')).toEqual(['a2']);
    expect(await listed('?status=MISSING')).toEqual(['a1']);
    expect(await listed('?status=unknown&q=MARTIN')).toEqual(['b1']);
    expect(await listed('?q=1')).toEqual(['a1', 'b1']);
    expect(await listed('?q=%25')).toEqual([]);
    for (const bad of [
      'status=ok',
      'limit=201',
      'cursor=x',
      'agent_id=..',
      `city=${'a'.repeat(101)}`,
      'x=1',
    ]) {
      expect([bad, (await call('GET', `?${bad}`)).status]).toEqual([bad, 400]);
    }
  });

  it('are deleted with their alerts, and their entries stay', async () => {
    const [id, other] = [await create(), await create({ database_name: 'paie' })];
    const alert = (source_id: string, verdict: string) =>
      insertRow(world, 'alerts', {
        tenant_id: cast.tenant_id,
        kind: 'backup_alert',
        severity: 'critical',
        source_type: 'backup_job',
        source_id,
        dedupe_key: `backup:${source_id}:${verdict}`,
        first_seen_at: NOW,
        last_seen_at: NOW,
      });
    await alert(id, 'FAILED');
    await alert(id, 'MISSING');
    const standing = await alert(other, 'FAILED');
    const entry = await addEntry(world, cast.tenant_id, { effective_at: NOW, verdict: 'FAILED', job_id: id });

    expect((await call('DELETE', `/${id}`)).status).toBe(204);
    expect((await call('GET', `/${id}`)).status).toBe(404);
    expect((await call('DELETE', `/${id}`)).status).toBe(404);
    expect(await world.sql(`SELECT id FROM alerts WHERE gone_at IS NULL`)).toEqual([{ id: standing }]);
    expect(await world.sql(`SELECT id, job_id FROM backup_entries`)).toEqual([{ id: entry, job_id: null }]);
    // The next job takes it over again.
    expect((await call('POST', '', JOB)).body).toMatchObject({ status: 'FAILED' });
  });
});
