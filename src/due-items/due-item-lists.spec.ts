import { type Cast, createCast } from '../../test/support/cast.js';
import { createWorld, type World } from '../../test/support/world.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import { MAX_BULK_IDS } from '../platform/lists/bulk-act.js';

/** Monday 30 March 2026, 10:00 in Paris. */
const NOW = '2026-03-30T08:00:00.000Z';
const NOBODY = '01890a5d-ac96-774b-bcce-b302099a8057';
const ROOMS = [
  {
    path: 'deadlines',
    table: 'deadlines',
    source: 'deadline',
    end: 'complete',
    at: 'completed_at',
    late: 'overdue',
    ended: 'done',
  },
  {
    path: 'documents',
    table: 'document_requests',
    source: 'document',
    end: 'receive',
    at: 'received_at',
    late: 'missing',
    ended: 'received',
  },
  {
    path: 'tickets',
    table: 'tickets',
    source: 'ticket',
    end: 'settle',
    at: 'settled_at',
    late: 'open',
    ended: 'settled',
  },
];

interface Listed {
  data: { id: string; title: string }[];
  next_cursor: string | null;
  count?: number;
}

describe.each(ROOMS)('lists of $path', ({ path, table, source, end, at, late, ended }) => {
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

  async function create(title: string, due_on: string, fields: object = {}): Promise<string> {
    const answer = await call('POST', '', { title, due_on, ...fields });
    expect(answer.status).toBe(201);
    return (answer.body as { id: string }).id;
  }

  async function list(query: string): Promise<Listed> {
    const answer = await call('GET', query);
    expect([query, answer.status]).toEqual([query, 200]);
    return answer.body as Listed;
  }
  const titles = async (query: string) => (await list(query)).data.map(({ title }) => title);
  /** All pages of two, in a row. */
  async function paged(query: string): Promise<string[]> {
    const seen: string[] = [];
    let next: string | null = null;
    do {
      const page: Listed = await list(`?limit=2&${query}${next === null ? '' : `&cursor=${next}`}`);
      seen.push(...page.data.map(({ title }) => title));
      next = page.next_cursor;
    } while (next !== null);
    return seen;
  }
  const statuses = () =>
    world.sql<{ title: string; status: string; ended_at: Date | null }>(
      `SELECT title, status, ${at} AS ended_at FROM ${table} ORDER BY title`,
    );

  it('count all rows of the filter on request, on every page, and also when there are none', async () => {
    for (const n of [1, 2, 3]) await create(`T${n}`, `2026-04-0${n}`, { client_name: 'Garage' });
    await create('autre', '2026-04-04');
    const first = await list('?count=true&limit=2&q=garage');
    expect([first.count, first.data.length]).toEqual([3, 2]);
    const second = await list(`?count=true&limit=2&q=garage&cursor=${first.next_cursor!}`);
    expect([second.count, second.data.length, second.next_cursor]).toEqual([3, 1, null]);
    expect(await list('?count=true&q=personne')).toEqual({ data: [], next_cursor: null, count: 0 });
    expect(await list('?count=false&q=personne')).toEqual({ data: [], next_cursor: null });
    expect(first.data[0]).toEqual((await call('GET', `/${first.data[0]!.id}`)).body);
    const theirs = await call('GET', '?count=true', undefined, cast.outsider.token);
    expect(theirs.body).toEqual({ data: [], next_cursor: null, count: 0 });
  });

  it('search without regard to case and accents, and take wildcards as they are', async () => {
    await create('Relevé 100%', '2026-04-01', { client_name: 'Société ÉVREUX_Nord' });
    await create('C:\\dossier', '2026-04-02', { client_name: 'Où est-ce ?' });
    expect(await titles('?q=RELEVE')).toEqual(['Relevé 100%']);
    expect(await titles('?q=évreux')).toEqual(['Relevé 100%']);
    expect(await titles('?q=ou%20est')).toEqual(['C:\\dossier']);
    expect(await titles('?q=%25')).toEqual(['Relevé 100%']);
    expect(await titles('?q=_')).toEqual(['Relevé 100%']);
    expect(await titles('?q=%5C')).toEqual(['C:\\dossier']);
    expect(await titles('?q=x%25')).toEqual([]);
    expect((await call('GET', `?q=${'x'.repeat(201)}`)).status).toBe(400);
  });

  it('filter by what is open, by client and by responsible', async () => {
    await create('a', '2026-03-01', { client_name: 'Martin' });
    const b = await create('b', '2026-04-02', { client_name: 'Martin & fils' });
    await create('c', '2026-04-03', { client_name: 'martin', responsible_id: cast.owner.id });
    await call('POST', `/${b}/${end}`);
    expect(await titles('?open=true')).toEqual(['a', 'c']);
    expect(await titles('?open=false')).toEqual(['b']);
    expect(await titles('?client_name=Martin')).toEqual(['a']);
    expect(await titles('?unassigned=true')).toEqual(['a', 'b']);
    expect(await titles('?unassigned=false')).toEqual(['c']);
    for (const query of ['?open=1', '?unassigned=', '?client_name='])
      expect([query, (await call('GET', query)).status]).toEqual([query, 400]);
  });

  it('sort by date, client, responsible and title, both ways, in pages', async () => {
    const [owner, mate] = [cast.owner, cast.teammate].map(({ id }) => id);
    await create('B', '2026-04-05', { client_name: 'Évreux', responsible_id: owner });
    await create('é', '2026-04-01', { client_name: 'zèbre', responsible_id: mate });
    await create('F', '2026-04-04', { client_name: 'évreux', responsible_id: owner });
    await create('a', '2026-04-03', { client_name: 'Évreux', responsible_id: mate });
    await create('D', '2026-04-02');
    const byDate = ['é', 'D', 'a', 'F', 'B'];
    expect(await paged('sort=due_on')).toEqual(byDate);
    expect(await paged('sort=-due_on')).toEqual(byDate.toReversed());
    expect(await paged('sort=title')).toEqual(['a', 'B', 'D', 'é', 'F']);
    const byClient = await paged('sort=client_name');
    expect([byClient[0], byClient.at(-1)]).toEqual(['D', 'é']);
    // The same name is one group, soonest first; another spelling is another group beside it.
    expect([['a', 'B', 'F'].join(), ['F', 'a', 'B'].join()]).toContain(byClient.slice(1, 4).join());
    expect(await paged('sort=-client_name')).toEqual(byClient.toReversed());
    const byPerson = await paged('sort=responsible');
    const names = await world.sql<{ id: string }>(
      `SELECT id FROM users WHERE id = ANY ($1::uuid[]) ORDER BY lower(name)`,
      [[owner, mate]],
    );
    expect(byPerson).toEqual(['D', ...names.flatMap(({ id }) => (id === owner ? ['F', 'B'] : ['é', 'a']))]);
    expect((await call('GET', '?sort=colour')).status).toBe(400);
  });

  it('take a cursor only for the order that it is of', async () => {
    for (const n of [1, 2, 3]) await create(`T${n}`, `2026-04-0${n}`);
    const { next_cursor } = await list('?limit=1&sort=due_on');
    for (const sort of ['-due_on', 'client_name', 'title']) {
      const answer = await call('GET', `?limit=1&sort=${sort}&cursor=${next_cursor!}`);
      expect([sort, answer.status, answer.body]).toMatchObject([sort, 400, { code: 'invalid_cursor' }]);
    }
  });

  it('continue after texts of the longest kind', async () => {
    for (const n of [1, 2, 3]) {
      await create(`${'𝄞'.repeat(149)}${n}`, '2026-04-01', { client_name: `${'𝄞'.repeat(99)}${n}` });
    }
    for (const sort of ['title', 'client_name']) expect(await paged(`sort=${sort}`)).toHaveLength(3);
  });

  it('count the items of each day', async () => {
    await create('a', '2026-04-01', { client_name: 'Martin' });
    await create('b', '2026-04-01');
    const c = await create('c', '2026-04-01');
    await create('d', '2026-04-30');
    await create('e', '2026-05-01');
    await call('POST', `/${c}/${end}`);
    expect((await call('GET', '/days?due_after=2026-03-31&due_before=2026-05-01')).body).toEqual({
      data: [
        { due_on: '2026-04-01', open: 2, ended: 1 },
        { due_on: '2026-04-30', open: 1, ended: 0 },
      ],
    });
    expect((await call('GET', '/days?client_name=Martin')).body.data).toHaveLength(1);
    expect((await call('GET', '/days', undefined, cast.outsider.token)).body).toEqual({ data: [] });
    expect((await call('GET', '/days?limit=1')).status).toBe(400);
  });

  describe('acts on many', () => {
    const alertsOf = (id: string) =>
      world.sql(`SELECT FROM alerts WHERE source_id = $1 AND gone_at IS NULL`, [id]);

    it('end and reopen the given ids, once', async () => {
      const a = await create('a', '2026-03-01');
      const b = await create('b', '2026-04-01');
      await create('c', '2026-04-01');
      await world.sql(
        `INSERT INTO alerts (tenant_id, kind, severity, source_type, source_id, dedupe_key, first_seen_at, last_seen_at)
         VALUES ($1, 'event', 'info', $2, $3, $4, now(), now())`,
        [cast.tenant_id, source, a, `${source}:${a}`],
      );
      expect(await call('POST', `/${end}`, { ids: [a, b, b, NOBODY] })).toMatchObject({
        status: 200,
        body: { changed: 2 },
      });
      expect(await statuses()).toMatchObject([
        { status: ended, ended_at: new Date(NOW) },
        { status: ended, ended_at: new Date(NOW) },
        { title: 'c', ended_at: null },
      ]);
      expect(await alertsOf(a)).toHaveLength(0);
      clock.advance(60_000);
      expect((await call('POST', `/${end}`, { ids: [a, b] })).body).toEqual({ changed: 0 });
      expect((await statuses())[0]).toMatchObject({ ended_at: new Date(NOW) });
      expect((await call('POST', '/reopen', { ids: [a, b] })).body).toEqual({ changed: 2 });
      expect(await statuses()).toMatchObject([
        { title: 'a', status: late, ended_at: null },
        { title: 'b', ended_at: null },
        { title: 'c', ended_at: null },
      ]);
    });

    it('end all rows of a filter if their number is as shown', async () => {
      for (const n of [1, 2, 3]) await create(`T${n}`, `2026-04-0${n}`, { client_name: 'Garage' });
      await create('autre', '2026-04-04');
      const filter = { q: 'garage', open: true };
      for (const count of [0, 2, 4]) {
        const answer = await call('POST', `/${end}`, { filter, count });
        expect([count, answer.status, answer.body]).toMatchObject([count, 409, { code: 'count_changed' }]);
      }
      expect((await statuses()).map(({ ended_at }) => ended_at)).toEqual([null, null, null, null]);
      expect((await call('POST', `/${end}`, { filter, count: 3 })).body).toEqual({ changed: 3 });
      expect((await list('?open=true')).data).toHaveLength(1);
      expect((await call('POST', '/reopen', { filter: { q: 'garage' }, count: 3 })).body).toEqual({
        changed: 3,
      });
      // Those that have ended already are in the filter's number, but do not change.
      const [first] = (await list('')).data;
      await call('POST', `/${first!.id}/${end}`);
      expect((await call('POST', `/${end}`, { filter: {}, count: 4 })).body).toEqual({ changed: 3 });
    });

    it('two at once change each row once', async () => {
      for (let n = 0; n < 20; n += 1) await create(`T${n}`, '2026-04-01');
      const body = { filter: {}, count: 20 };
      const answers = await Promise.all([
        call('POST', `/${end}`, body),
        call('POST', `/${end}`, body),
        call('POST', `/${end}`, { ids: (await list('')).data.map(({ id }) => id) }),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(answers.reduce((sum, { body: { changed } }) => sum + Number(changed), 0)).toBe(20);
    });

    it("leave another tenant's rows as they are", async () => {
      const id = await create('a', '2026-04-01');
      const theirs = (body: object) => call('POST', `/${end}`, body, cast.outsider.token);
      expect((await theirs({ ids: [id] })).body).toEqual({ changed: 0 });
      expect((await theirs({ filter: {}, count: 0 })).body).toEqual({ changed: 0 });
      expect((await theirs({ filter: {}, count: 1 })).status).toBe(409);
      expect(await statuses()).toMatchObject([{ ended_at: null }]);
    });

    it.each<[string, object, string]>([
      ['nothing', {}, '/ids'],
      ['both', { ids: [], filter: {}, count: 0 }, '/filter'],
      ['a filter without its count', { filter: {} }, '/count'],
      ['a count without a filter', { ids: [], count: 0 }, '/count'],
      ['an id that is none', { ids: ['x'] }, '/ids'],
      ['too many ids', { ids: Array.from({ length: MAX_BULK_IDS + 1 }, () => NOBODY) }, '/ids'],
      ['a filter that is a list', { filter: [], count: 0 }, '/filter'],
      ['an unknown filter', { filter: { colour: 'red' }, count: 0 }, '/filter/colour'],
      ['a page in a filter', { filter: { limit: 1 }, count: 0 }, '/filter/limit'],
      ['a wrong value in a filter', { filter: { due_before: '2026-02-30' }, count: 0 }, '/filter/due_before'],
      ['a count of another kind', { filter: {}, count: -1 }, '/count'],
      ['a count without bounds', { filter: {}, count: 1_000_000_000 }, '/count'],
    ])('refuse %s', async (_what, body, pointer) => {
      await create('a', '2026-04-01');
      for (const act of [end, 'reopen']) {
        const answer = await call('POST', `/${act}`, body);
        expect([act, answer.status, answer.body]).toMatchObject([act, 400, { errors: [{ pointer }] }]);
      }
      expect(await statuses()).toMatchObject([{ ended_at: null }]);
    });
  });
});
