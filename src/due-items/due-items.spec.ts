import { type Cast, createCast } from '../../test/support/cast.js';
import { createWorld, type World } from '../../test/support/world.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';

/** The shared behaviour of deadlines, documents, tasks and tickets, tested over HTTP. */
const ROOMS = [
  {
    path: 'deadlines',
    table: 'deadlines',
    source: 'deadline',
    end: 'complete',
    at: 'completed_at',
    open: 'pending',
    late: 'overdue',
    ended: 'done',
  },
  {
    path: 'documents',
    table: 'document_requests',
    source: 'document',
    end: 'receive',
    at: 'received_at',
    open: 'missing',
    late: 'missing',
    ended: 'received',
  },
  {
    path: 'tasks',
    table: 'tasks',
    source: 'task',
    end: 'complete',
    at: 'completed_at',
    open: 'open',
    late: 'overdue',
    ended: 'done',
  },
  {
    path: 'tickets',
    table: 'tickets',
    source: 'ticket',
    end: 'settle',
    at: 'settled_at',
    open: 'open',
    late: 'open',
    ended: 'settled',
  },
];
/** Monday 30 March 2026, 10:00 in Paris. */
const NOW = '2026-03-30T08:00:00.000Z';
const NOBODY = '01890a5d-ac96-774b-bcce-b302099a8057';

describe.each(ROOMS)('$path', ({ path, table, source, end, at, open, late, ended }) => {
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
    await world.sql(`DELETE FROM ${table}`);
  });

  const call = (method: string, rest: string, body?: unknown, token = cast.teammate.token) =>
    world.http(method, `/api/v1/${path}${rest}`, { token, body });

  async function create(fields: Record<string, unknown> = {}): Promise<{ id: string; status: string }> {
    const answer = await call('POST', '', { title: 'Relevé de mars', due_on: '2026-04-15', ...fields });
    expect(answer.status).toBe(201);
    return answer.body as { id: string; status: string };
  }

  /** An open alert about the item, as a check would create it. */
  async function addAlert(id: string): Promise<void> {
    await world.sql(
      `INSERT INTO alerts (tenant_id, kind, severity, source_type, source_id, dedupe_key, first_seen_at, last_seen_at)
       VALUES ($1, 'event', 'info', $2, $3, $4, now(), now())`,
      [cast.tenant_id, source, id, `${source}:${id}`],
    );
  }
  const standingAlerts = (id: string) =>
    world.sql(`SELECT FROM alerts WHERE source_id = $1 AND gone_at IS NULL`, [id]);

  it('creates, shows, changes and deletes', async () => {
    const created = await call('POST', '', {
      title: '  Relevé de mars ',
      due_on: '2026-04-15',
      client_name: 'Boulangerie Martin',
      description: 'Deux pages.\nAvec les annexes.',
      responsible_id: cast.owner.id,
      external_id: 'A-17',
    });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      title: 'Relevé de mars',
      due_on: '2026-04-15',
      client_name: 'Boulangerie Martin',
      description: 'Deux pages.\nAvec les annexes.',
      responsible_id: cast.owner.id,
      external_id: 'A-17',
      status: open,
      [at]: null,
      created_at: NOW,
    });
    const { id } = created.body as { id: string };
    expect((await call('GET', `/${id}`)).body).toEqual(created.body);

    clock.advance(60_000);
    const changed = await call('PATCH', `/${id}`, { client_name: null, title: 'Relevé d’avril' });
    expect(changed.status).toBe(200);
    expect(changed.body).toEqual({
      ...created.body,
      client_name: null,
      title: 'Relevé d’avril',
      updated_at: '2026-03-30T08:01:00.000Z',
    });
    expect((await call('GET', `/${id}`)).body).toEqual(changed.body);
    expect((await call('PATCH', `/${id}`, {})).body).toEqual(changed.body);

    expect(await call('DELETE', `/${id}`)).toMatchObject({ status: 204, text: '' });
    expect((await call('GET', `/${id}`)).status).toBe(404);
    expect((await call('DELETE', `/${id}`)).status).toBe(404);
  });

  it('creates once per idempotency key', async () => {
    const post = (title: string) =>
      world.http('POST', `/api/v1/${path}`, {
        token: cast.teammate.token,
        body: { title, due_on: '2026-04-15' },
        headers: { 'idempotency-key': `once-${path}` },
      });
    const [first, second] = await Promise.all([post('one'), post('one')]);
    expect(first.status).toBe(201);
    expect(second.body).toEqual(first.body);
    expect((await post('another')).status).toBe(422);
    expect(await world.sql(`SELECT title FROM ${table}`)).toEqual([{ title: 'one' }]);
  });

  it('is completed on request, and reopened when that is undone', async () => {
    const { id } = await create({ due_on: '2026-03-29' });
    const done = await call('POST', `/${id}/${end}`);
    expect(done).toMatchObject({ status: 200, body: { status: ended, [at]: NOW } });
    clock.advance(60_000);
    expect((await call('POST', `/${id}/${end}`)).body).toEqual(done.body);
    const reopened = await call('POST', `/${id}/reopen`);
    expect(reopened).toMatchObject({ status: 200, body: { status: late, [at]: null } });
    clock.advance(60_000);
    expect((await call('POST', `/${id}/reopen`)).body).toEqual(reopened.body);
  });

  it('gets its status at once, by the tenant’s day', async () => {
    // 30 March, 00:30 in Paris.
    clock.set('2026-03-29T22:30:00Z');
    expect(await create({ due_on: '2026-03-30' })).toMatchObject({ status: open });
    const { id, status } = await create({ due_on: '2026-03-29' });
    expect(status).toBe(late);
    expect((await call('PATCH', `/${id}`, { due_on: '2026-03-30' })).body).toMatchObject({ status: open });
    expect((await call('PATCH', `/${id}`, { due_on: '2026-01-01' })).body).toMatchObject({ status: late });
    await call('POST', `/${id}/${end}`);
    expect((await call('PATCH', `/${id}`, { due_on: '2026-01-02' })).body).toMatchObject({ status: ended });
  });

  it('suppresses its waiting deliveries when it is done, moved or deleted, and only then', async () => {
    const over = await create();
    await addAlert(over.id);
    await call('PATCH', `/${over.id}`, { title: 'Autre titre', due_on: '2026-04-15' });
    expect(await standingAlerts(over.id)).toHaveLength(1);
    await call('POST', `/${over.id}/${end}`);
    expect(await standingAlerts(over.id)).toHaveLength(0);

    const moved = await create();
    await addAlert(moved.id);
    await call('PATCH', `/${moved.id}`, { due_on: '2026-04-16' });
    expect(await standingAlerts(moved.id)).toHaveLength(0);

    const deleted = await create();
    await addAlert(deleted.id);
    await call('DELETE', `/${deleted.id}`);
    expect(await standingAlerts(deleted.id)).toHaveLength(0);
  });

  describe('bad input', () => {
    it.each<[string, Record<string, unknown>, string]>([
      ['an unknown field', { colour: 'red' }, '/colour'],
      ['a status, which is not for callers to say', { status: 'open' }, '/status'],
      ["another tenant's id", { tenant_id: NOBODY }, '/tenant_id'],
      ['no title', { title: null }, '/title'],
      ['an empty title', { title: '   ' }, '/title'],
      ['a title of another type', { title: 17 }, '/title'],
      ['a title that is too long', { title: 'x'.repeat(301) }, '/title'],
      ['a NUL', { title: 'a\u0000b' }, '/title'],
      ['a lone surrogate', { client_name: 'a\ud800b' }, '/client_name'],
      ['a line feed in a name', { client_name: 'a\nb' }, '/client_name'],
      ['a description that is too long', { description: 'x'.repeat(5001) }, '/description'],
      ['a day that does not exist', { due_on: '2026-02-30' }, '/due_on'],
      ['a time', { due_on: '2026-04-15T10:00:00Z' }, '/due_on'],
      ['a list for a date', { due_on: ['2026-04-15'] }, '/due_on'],
      ['no date', { due_on: null }, '/due_on'],
      ['a malformed responsible id', { responsible_id: 'marie' }, '/responsible_id'],
      ['a responsible who does not exist', { responsible_id: NOBODY }, '/responsible_id'],
    ])('%s: 400, naming the place, with nothing written', async (_what, fields, pointer) => {
      const answer = await call('POST', '', { title: 'Relevé', due_on: '2026-04-15', ...fields });
      expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(
        (answer.body as { errors: { pointer: string }[] }).errors.map((fault) => fault.pointer),
      ).toContain(pointer);
      expect(await world.sql(`SELECT FROM ${table}`)).toHaveLength(0);

      const { id } = await create();
      expect((await call('PATCH', `/${id}`, fields)).status).toBe(400);
    });

    it("refuses another tenant's user as responsible, without revealing that the user exists", async () => {
      const body = (responsible_id: string) => ({ title: 'Relevé', due_on: '2026-04-15', responsible_id });
      const theirs = await call('POST', '', body(cast.outsider.id));
      expect(theirs.status).toBe(400);
      expect(theirs.text).toBe((await call('POST', '', body(NOBODY))).text);
    });

    it('keeps external ids apart within a tenant', async () => {
      await create({ external_id: 'A-1' });
      const again = await call('POST', '', { title: 'Relevé', due_on: '2026-04-15', external_id: 'A-1' });
      expect(again).toMatchObject({ status: 409, body: { code: 'conflict' } });
      const { id } = await create({ external_id: 'A-2' });
      expect((await call('PATCH', `/${id}`, { external_id: 'A-1' })).status).toBe(409);
      expect(
        (
          await call(
            'POST',
            '',
            { title: 'Relevé', due_on: '2026-04-15', external_id: 'A-1' },
            cast.outsider.token,
          )
        ).status,
      ).toBe(201);
    });

    it.each([
      ['a list', '[]', 400],
      ['null', 'null', 400],
      ['what is not JSON', '{"title": ', 400],
      ['a prototype', '{"title":"x","due_on":"2026-04-15","__proto__":{"admin":true}}', 400],
      [
        '10 MB',
        JSON.stringify({ title: 'x', due_on: '2026-04-15', description: 'x'.repeat(10_000_000) }),
        413,
      ],
    ])('%s as a body', async (_what, body, status) => {
      const answer = await world.http('POST', `/api/v1/${path}`, {
        token: cast.teammate.token,
        body,
        headers: { 'content-type': 'application/json' },
      });
      expect(answer.status).toBe(status);
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(await world.sql(`SELECT FROM ${table}`)).toHaveLength(0);
    });
  });

  describe('other callers', () => {
    it('an outsider gets the same answer as for an unknown id', async () => {
      const { id } = await create();
      const calls: [string, string, unknown?][] = [
        ['GET', ''],
        ['PATCH', '', { title: 'taken' }],
        ['DELETE', ''],
        ['POST', `/${end}`],
        ['POST', '/reopen'],
      ];
      for (const [method, action, body] of calls) {
        const answer = await call(method, `/${id}${action}`, body, cast.outsider.token);
        expect(answer.status).toBe(404);
        expect(answer.text).toBe((await call(method, `/${NOBODY}${action}`, body, cast.outsider.token)).text);
        expect(answer.text).toBe((await call(method, `/not-an-id${action}`, body, cast.outsider.token)).text);
      }
      expect((await call('GET', '', undefined, cast.outsider.token)).body).toEqual({
        data: [],
        next_cursor: null,
      });
      expect((await call('GET', `/${id}`)).body).toMatchObject({ title: 'Relevé de mars', status: open });
    });

    it('a program may read and write with the scopes for it, and not without', async () => {
      const withKey = async (scope: string, method: string, body?: unknown) => {
        const key = await world.http('POST', `/api/v1/tenants/${cast.tenant_id}/api-keys`, {
          token: cast.operator.token,
          body: { name: 'import', scopes: [scope] },
        });
        expect(key.status).toBe(201);
        const headers = { 'x-api-key': (key.body as { key: string }).key };
        return (await world.http(method, `/api/v1/${path}`, { body, headers })).status;
      };
      const body = { title: 'Relevé', due_on: '2026-04-15' };
      expect(await withKey('watched:read', 'GET')).toBe(200);
      expect(await withKey('watched:read', 'POST', body)).toBe(403);
      expect(await withKey('watched:write', 'POST', body)).toBe(201);
      expect(await withKey('users:read', 'GET')).toBe(403);
    });

    it('a request without credentials is refused', async () => {
      expect((await world.http('GET', `/api/v1/${path}`)).status).toBe(401);
    });
  });

  describe('the list', () => {
    const titles = async (query: string): Promise<string[]> => {
      const answer = await call('GET', query);
      expect(answer.status).toBe(200);
      return (answer.body as { data: { title: string }[] }).data.map(({ title }) => title);
    };

    it('filters', async () => {
      await create({ title: 'past', due_on: '2026-03-01', client_name: 'Garage Petit' });
      await create({
        title: 'April 100%',
        due_on: '2026-04-10',
        responsible_id: cast.owner.id,
        external_id: 'A-1',
      });
      const { id } = await create({ title: 'over', due_on: '2026-04-20' });
      await call('POST', `/${id}/${end}`);

      expect(await titles('')).toEqual(['past', 'April 100%', 'over']);
      expect(await titles(`?status=${ended}`)).toEqual(['over']);
      expect(await titles(`?status=${late}&due_before=2026-03-30`)).toEqual(['past']);
      expect(await titles('?due_after=2026-04-10')).toEqual(['over']);
      expect(await titles('?due_before=2026-04-10')).toEqual(['past']);
      expect(await titles('?due_after=2026-04-09&due_before=2026-04-11')).toEqual(['April 100%']);
      expect(await titles(`?responsible_id=${cast.owner.id}`)).toEqual(['April 100%']);
      expect(await titles('?external_id=A-1')).toEqual(['April 100%']);
      expect(await titles('?q=garage')).toEqual(['past']);
      expect(await titles('?q=APRIL')).toEqual(['April 100%']);
      expect(await titles('?q=%25')).toEqual(['April 100%']);
      expect(await titles('?q=_')).toEqual([]);
    });

    it('continues at its place, whatever is added or removed meanwhile', async () => {
      const titlesAdded = ['a', 'b', 'c', 'd', 'e'];
      for (const [n, title] of titlesAdded.entries()) {
        // Two on the same day: the id decides.
        await create({ title, due_on: `2026-04-1${Math.floor(n / 2)}` });
      }
      const first = (await call('GET', '?limit=2')).body as { data: { id: string }[]; next_cursor: string };
      expect(first.data).toHaveLength(2);
      await create({ title: 'before', due_on: '2026-04-01' });
      await create({ title: 'after', due_on: '2026-05-01' });
      await call('DELETE', `/${first.data[1]!.id}`);

      const second = (await call('GET', `?limit=3&cursor=${first.next_cursor}`)).body as {
        data: { title: string }[];
        next_cursor: string;
      };
      expect(second.data.map(({ title }) => title)).toEqual(['c', 'd', 'e']);
      const last = (await call('GET', `?limit=3&cursor=${second.next_cursor}`)).body as {
        data: { title: string }[];
        next_cursor: null;
      };
      expect(last.data.map(({ title }) => title)).toEqual(['after']);
      expect(last.next_cursor).toBeNull();
    });

    it.each([
      '?cursor=abc',
      `?cursor=${Buffer.from('["2026-02-30","x"]').toString('base64url')}`,
      '?limit=0',
      '?limit=201',
      '?status=lost',
      '?due_before=2026-02-30',
      '?responsible_id=me',
      '?q=%00',
      '?colour=red',
      '?limit=1&limit=2',
    ])('refuses %s', async (query) => {
      expect((await call('GET', query)).status).toBe(400);
    });
  });
});
