import { type Cast, createCast } from '../../test/support/cast.js';
import { createWorld, type World } from '../../test/support/world.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import { countsOf, done, ndjson, NDJSON, readFaults, sendFile, type Sent } from './import.fixture.js';

/** Monday 30 March 2026, 10:00 in Paris. */
const NOW = '2026-03-30T08:00:00.000Z';
const NOBODY = '01890a5d-ac96-774b-bcce-b302099a8057';

let world: World;
let cast: Cast;
const clock = new FixedClock(NOW);

beforeAll(async () => {
  world = await createWorld({ clock });
  cast = await createCast(world);
});
afterAll(() => world.close());
beforeEach(async () => {
  clock.set(NOW);
  for (const table of ['deadlines', 'document_requests', 'tasks', 'imports', 'alerts']) {
    await world.sql(`DELETE FROM ${table}`);
  }
});

const send = (room: string, file: string | Buffer, headers: Record<string, string> = {}) =>
  sendFile(world, cast.teammate.token, room, file, headers);
const sendRows = (room: string, ...rows: object[]) => send(room, ndjson(...rows), { 'content-type': NDJSON });
const get = (path: string, token = cast.teammate.token) =>
  world.http('GET', `/api/v1/imports${path}`, { token });

const faultsOf = (sent: Sent) => readFaults(world, cast.teammate.token, sent);

describe.each([
  ['deadlines', 'deadlines', 'pending', 'overdue'],
  ['documents', 'document_requests', 'missing', 'missing'],
  ['tasks', 'tasks', 'open', 'overdue'],
])('a file of %s', (room, table, open, late) => {
  it('is applied as a French spreadsheet writes it, with the status of the tenant’s day', async () => {
    // 30 March, 00:30 in Paris.
    clock.set('2026-03-29T22:30:00Z');
    const file =
      'Titre;Échéance;Client;Responsable;Référence;Description\r\n' +
      `Relevé n° 1;29/03/2026;Cœur & Fils;${cast.owner.email.toUpperCase()};A-1;"Deux pages,\r\n""recto"""\r\n` +
      'Relevé n° 2;30/03/2026;;;;\r\n\r\n;;;;;\r\n';
    const bytes = Buffer.from(file.replace('œ', '\x9c'), 'latin1');
    const sent = await send(room, bytes);
    expect(sent).toMatchObject({
      status: 201,
      body: {
        kind: room,
        state: 'done',
        format: 'csv',
        encoding: 'windows-1252',
        bytes: bytes.length,
        bytes_total: bytes.length,
        lines: 2,
        ...done(2, 0, 0, 0),
        error: null,
        created_by: `user:${cast.teammate.id}`,
        finished_at: clock.now().toISOString(),
      },
    });
    const list = await world.http('GET', `/api/v1/${room}`, { token: cast.teammate.token });
    expect(list.body.data).toMatchObject([
      {
        title: 'Relevé n° 1',
        due_on: '2026-03-29',
        client_name: 'Cœur & Fils',
        description: 'Deux pages,\n"recto"',
        responsible_id: cast.owner.id,
        external_id: 'A-1',
        status: late,
        created_at: clock.now().toISOString(),
      },
      {
        title: 'Relevé n° 2',
        due_on: '2026-03-30',
        client_name: null,
        responsible_id: null,
        external_id: null,
        status: open,
      },
    ]);
    expect(await world.sql('SELECT FROM import_rows')).toHaveLength(0);
  });

  it('is applied without the lines that the JSON endpoint would refuse, and names each', async () => {
    const rows = [
      { title: 'good', due_on: '2026-04-15' },
      { title: 'x'.repeat(301), due_on: '2026-02-30' },
      { due_on: '2026-04-15', colour: 'red' },
      { title: 17, due_on: '2026-04-15', status: null },
      { title: ' also good ', due_on: '2026-04-16', description: 'a\nb' },
    ];
    const sent = await sendRows(room, ...rows);
    expect(sent).toMatchObject({ status: 201, body: { lines: 5, ...done(2, 0, 0, 3) } });
    const faults = await faultsOf(sent);
    expect(faults.map(({ line, field }) => [line, field])).toEqual([
      [2, 'due_on'],
      [2, 'title'],
      [3, 'colour'],
      [3, 'title'],
      [4, 'status'],
      [4, 'title'],
    ]);
    expect(faults[0]!.detail).toContain('must be a day that exists');
    expect(faults[3]!.detail).toBe('title is missing');
    for (const row of rows) {
      const answer = await world.http('POST', `/api/v1/${room}`, { token: cast.teammate.token, body: row });
      expect(answer.status).toBe(String(row.title).includes('good') ? 201 : 400);
    }
    expect(await world.sql(`SELECT DISTINCT title FROM ${table} ORDER BY 1`)).toEqual([
      { title: 'also good' },
      { title: 'good' },
    ]);
  });

  it.each([
    ['with external ids', ';A-1', ';A-2'],
    ['without', ';', ';'],
  ])('creates nothing when it is sent again, %s', async (_what, one, other) => {
    const file = `title;due_on;external_id\na;2026-04-01${one}\nb;2026-04-02${other}\n`;
    const first = await send(room, file);
    const before = await world.sql(`SELECT * FROM ${table} ORDER BY id`);
    clock.advance(60_000);
    const second = await send(room, file);
    expect([countsOf(first), countsOf(second)]).toEqual([done(2, 0, 0, 0), done(0, 0, 2, 0)]);
    expect(second.body.content_sha256).toBe(first.body.content_sha256);
    expect(await world.sql(`SELECT * FROM ${table} ORDER BY id`)).toEqual(before);
  });
});

describe('a line with an external id', () => {
  const task = async () => (await world.sql('SELECT * FROM tasks'))[0]!;

  it('changes only the fields it contains, and null clears', async () => {
    await sendRows('tasks', {
      external_id: 'A',
      title: 'a',
      due_on: '2026-04-01',
      client_name: 'Martin',
      description: 'kept',
      responsible_id: cast.owner.id,
    });
    clock.advance(60_000);
    const sent = await sendRows('tasks', {
      external_id: 'A',
      title: 'b',
      due_on: '2026-04-01',
      client_name: null,
    });
    expect(countsOf(sent)).toEqual(done(0, 1, 0, 0));
    expect(await task()).toMatchObject({
      title: 'b',
      client_name: null,
      description: 'kept',
      responsible_id: cast.owner.id,
      created_at: new Date(NOW),
      updated_at: clock.now(),
    });
  });

  it('that moves the date suppresses waiting deliveries, and updates the status', async () => {
    await sendRows(
      'tasks',
      { external_id: 'moved', title: 'a', due_on: '2026-04-01' },
      { external_id: 'renamed', title: 'a', due_on: '2026-04-02' },
      { external_id: 'over', title: 'a', due_on: '2026-04-03' },
    );
    const ids = await world.sql<{ id: string; external_id: string }>('SELECT id, external_id FROM tasks');
    const idOf = (name: string) => ids.find(({ external_id }) => external_id === name)!.id;
    await world.http('POST', `/api/v1/tasks/${idOf('over')}/complete`, { token: cast.teammate.token });
    for (const { id } of ids) {
      await world.sql(
        `INSERT INTO alerts (tenant_id, kind, severity, source_type, source_id, dedupe_key, first_seen_at, last_seen_at)
         VALUES ($1, 'event', 'info', 'task', $2::uuid, $2::text, now(), now())`,
        [cast.tenant_id, id],
      );
    }
    const sent = await sendRows(
      'tasks',
      { external_id: 'moved', title: 'a', due_on: '2026-03-01' },
      { external_id: 'renamed', title: 'b', due_on: '2026-04-02' },
      { external_id: 'over', title: 'a', due_on: '2026-03-01' },
    );
    expect(countsOf(sent)).toEqual(done(0, 3, 0, 0));
    const standing = await world.sql<{ source_id: string }>(
      'SELECT source_id FROM alerts WHERE gone_at IS NULL',
    );
    expect(standing).toEqual([{ source_id: idOf('renamed') }]);
    const statuses = await world.sql('SELECT external_id, status FROM tasks ORDER BY external_id');
    expect(statuses).toEqual([
      { external_id: 'moved', status: 'overdue' },
      { external_id: 'over', status: 'done' },
      { external_id: 'renamed', status: 'open' },
    ]);
  });

  it('may be repeated in the file with the same content, but not with another', async () => {
    const sent = await sendRows(
      'tasks',
      { external_id: 'A', title: 'a', due_on: '2026-04-01' },
      { external_id: 'A', title: 'a', due_on: '2026-04-01', client_name: null },
      { external_id: 'A', title: 'b', due_on: '2026-04-01' },
    );
    expect(countsOf(sent)).toEqual(done(1, 0, 1, 1));
    expect(await faultsOf(sent)).toEqual([
      { line: 3, field: 'external_id', detail: 'line 1 has it too, and says something else' },
    ]);
  });

  it('belongs to one tenant and one kind', async () => {
    const row = ndjson({ external_id: 'A', title: 'a', due_on: '2026-04-01' });
    const headers = { 'content-type': NDJSON };
    const sent = [
      await send('tasks', row, headers),
      await send('deadlines', row, headers),
      await sendFile(world, cast.outsider.token, 'tasks', row, headers),
    ];
    expect(sent.map(countsOf)).toEqual([done(1, 0, 0, 0), done(1, 0, 0, 0), done(1, 0, 0, 0)]);
  });
});

describe('a line without an external id', () => {
  it('creates no duplicates of done items or repeated lines', async () => {
    const row = { title: 'a', due_on: '2026-04-01', client_name: 'Martin' };
    expect(countsOf(await sendRows('tasks', row, row, { ...row, client_name: 'Petit' }))).toEqual(
      done(2, 0, 1, 0),
    );
    const list = await world.http('GET', '/api/v1/tasks', { token: cast.teammate.token });
    const { id } = (list.body.data as { id: string; client_name: string }[]).find(
      ({ client_name }) => client_name === 'Martin',
    )!;
    await world.http('POST', `/api/v1/tasks/${id}/complete`, { token: cast.teammate.token });
    await world.http('PATCH', `/api/v1/tasks/${id}`, {
      token: cast.teammate.token,
      body: { description: 'x' },
    });
    expect(countsOf(await sendRows('tasks', row))).toEqual(done(0, 0, 1, 0));
    // A null description differs from an absent one.
    expect(countsOf(await sendRows('tasks', { ...row, description: null }))).toEqual(done(1, 0, 0, 0));
  });
});

describe('F2: text that looks equal is equal', () => {
  const forms = [
    'Trésorerie n° 1',
    'Tre\u0301sorerie n° 1',
    'Trésorerie\u00a0n°\u202f1',
    '\u200bTréso\u200brerie n° 1\ufeff',
  ];

  it.each<[string, (title: string) => { title: string; due_on: string }]>([
    [
      'without an external id',
      (title: string) => ({ title, due_on: '2026-04-01', client_name: `${title} & fils` }),
    ],
    ['by its external id', (title: string) => ({ title, due_on: '2026-04-01', external_id: title })],
  ])(
    'a line %s is the same item in NFC, in NFD, with no-break spaces and with invisible characters',
    async (_what, row) => {
      const rows = forms.map(row);
      expect(countsOf(await sendRows('tasks', ...rows))).toEqual(done(1, 0, 3, 0));
      for (const one of rows) expect(countsOf(await sendRows('tasks', one))).toEqual(done(0, 0, 1, 0));
      expect(await world.sql('SELECT title FROM tasks')).toEqual([{ title: forms[0] }]);
      const other = { ...rows[0]!, title: 'Trésorerie n°1' };
      expect(countsOf(await sendRows('tasks', other))).toEqual(
        'external_id' in other ? done(0, 1, 0, 0) : done(1, 0, 0, 0),
      );
    },
  );

  it('a cell of invisible characters is blank, and those around a date are ignored', async () => {
    const sent = await send(
      'tasks',
      'titre;date;client\na;\u200b01/04/2026\u00a0;\u2060\n\u200b;01/04/2026;\n',
    );
    expect(countsOf(sent)).toEqual(done(1, 0, 0, 1));
    expect(await faultsOf(sent)).toEqual([{ line: 3, field: 'title', detail: 'title is missing' }]);
    expect(await world.sql('SELECT client_name FROM tasks')).toEqual([{ client_name: null }]);
  });
});

describe('the responsible user', () => {
  const row = (named: object) => ({ title: 'a', due_on: '2026-04-01', ...named });

  it('is a user of the tenant, by id or by e-mail; anything else is a fault of the line', async () => {
    const sent = await sendRows(
      'tasks',
      row({ responsible_id: cast.owner.id.toUpperCase() }),
      row({ responsible_email: cast.teammate.email.toUpperCase() }),
      row({ responsible_id: NOBODY }),
      row({ responsible_email: 'nobody@example.com' }),
      row({ responsible_id: cast.outsider.id }),
      row({ responsible_email: cast.outsider.email }),
      row({ responsible_email: 'Marie' }),
      row({ responsible_id: cast.owner.id, responsible_email: cast.owner.email }),
      row({ responsible_id: null, responsible_email: null }),
    );
    expect(countsOf(sent)).toEqual(done(3, 0, 0, 6));
    expect((await faultsOf(sent)).map(({ line, field, detail }) => [line, field, detail])).toEqual([
      [3, 'responsible_id', 'is not a user of this tenant'],
      [4, 'responsible_email', 'is not a user of this tenant'],
      [5, 'responsible_id', 'is not a user of this tenant'],
      [6, 'responsible_email', 'is not a user of this tenant'],
      [7, 'responsible_email', expect.stringContaining('e-mail address')],
      [8, 'responsible_id', expect.stringContaining('not both')],
    ]);
    const people = await world.sql<{ responsible_id: string | null }>(
      'SELECT responsible_id FROM tasks ORDER BY id',
    );
    expect(people.map(({ responsible_id }) => responsible_id)).toEqual([
      cast.owner.id,
      cast.teammate.id,
      null,
    ]);
  });
});

describe('concurrently', () => {
  it.each([
    ['with external ids', (n: number) => `A-${n}`],
    ['without', () => ''],
  ])('the same file is applied once, %s', async (_what, idOf) => {
    const lines = Array.from({ length: 1_500 }, (_, n) => `task ${n};2026-04-01;${idOf(n)}\n`);
    const file = `title;due_on;external_id\n${lines.join('')}`;
    const sent = await Promise.all([send('tasks', file), send('tasks', file), send('tasks', file)]);
    expect(sent.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(sent.map((one) => countsOf(one).created!).sort()).toEqual([0, 0, 1_500]);
    expect(await world.sql('SELECT FROM tasks')).toHaveLength(1_500);
    expect(await world.sql('SELECT FROM import_rows')).toHaveLength(0);
  });

  it('a file with the same key is applied once, and every caller gets the same import', async () => {
    const headers = { 'idempotency-key': 'april' };
    const file = 'title;due_on\na;2026-04-01\n';
    const sent = await Promise.all([send('tasks', file, headers), send('tasks', file, headers)]);
    expect(sent[1]).toEqual(sent[0]);
    expect(await send('tasks', file, headers)).toEqual(sent[0]);
    expect((await get('')).body.data).toEqual([sent[0].body]);
    const other = await send('tasks', 'title;due_on\nb;2026-04-01\n', headers);
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_mismatch' } });
    expect((await send('deadlines', file, headers)).status).toBe(422);
    expect(await world.sql('SELECT title FROM tasks UNION ALL SELECT title FROM deadlines')).toEqual([
      { title: 'a' },
    ]);
    expect(await world.sql('SELECT FROM import_rows')).toHaveLength(0);
  });

  it('a tenant may send four files; one whose server died does not count', async () => {
    const busy = (until: string) =>
      world.sql(
        `INSERT INTO imports (tenant_id, kind, format, lease_until, created_by, created_at)
         SELECT $1, 'tasks', 'csv', now() + $2::interval, 'user:x', now() FROM generate_series(1, 4)`,
        [cast.tenant_id, until],
      );
    await busy('-1 second');
    expect((await send('tasks', 'title;due_on\n')).status).toBe(201);
    await busy('1 minute');
    expect(await send('tasks', 'title;due_on\n')).toMatchObject({
      status: 429,
      body: { code: 'too_many_attempts' },
    });
  });
});
