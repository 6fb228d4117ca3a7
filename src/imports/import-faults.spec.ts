import { type Cast, createCast } from '../../test/support/cast.js';
import { cpuMs } from '../../test/support/cpu-time.js';
import { createWorld, type World } from '../../test/support/world.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import { countsOf, CSV, done, ndjson, NDJSON, readFaults, sendFile, type Sent } from './import.fixture.js';

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
const get = (path: string, token = cast.teammate.token) =>
  world.http('GET', `/api/v1/imports${path}`, { token });

const faultsOf = (sent: Sent) => readFaults(world, cast.teammate.token, sent);

describe('files of another type', () => {
  const failed = async () => (await get('')).body.data as { state: string; error: string }[];

  it.each<[string, string, string | Buffer, number, string, RegExp]>([
    ['nothing', CSV, '', 400, 'file_refused', /empty/],
    ['nothing', NDJSON, '', 400, 'file_refused', /empty/],
    ['no column for the date', CSV, 'titre\na\n', 400, 'file_refused', /lacks due_on/],
    ['an unknown column', CSV, 'titre;date;ville\na;1/1/2026;b\n', 400, 'file_refused', /"ville"/],
    ['an Excel workbook', CSV, Buffer.from('PK\x03\x04'), 415, 'unsupported_media_type', /save it as CSV/],
    ['an image', CSV, Buffer.from('89504e470d0a1a0a', 'hex'), 415, 'unsupported_media_type', /image/],
    ['an image', NDJSON, Buffer.from('89504e470d0a1a0a', 'hex'), 415, 'unsupported_media_type', /image/],
    ['NDJSON declared as CSV', CSV, '{"title":"a"}\n', 415, 'unsupported_media_type', /x-ndjson/],
    ['CSV declared as NDJSON', NDJSON, 'titre;date\n', 415, 'unsupported_media_type', /text\/csv/],
    [
      'a file with a truncated last cell',
      CSV,
      'titre;date\na;01/04/2026\n"b;02/04',
      400,
      'file_refused',
      /not closed/,
    ],
    ['mixed encodings', CSV, Buffer.from('titre;date\né;\xe9\n', 'latin1'), 201, '', /^$/],
    [
      'invalid bytes',
      CSV,
      Buffer.concat([Buffer.from('titre;date\né;'), Buffer.from([0xff])]),
      400,
      'file_refused',
      /utf-8/,
    ],
  ])('%s as %s', async (_what, type, file, status, code, detail) => {
    const sent = await send('tasks', file, { 'content-type': type });
    expect(sent.status).toBe(status);
    expect(await world.sql('SELECT FROM import_rows')).toHaveLength(0);
    if (status === 201) return;
    expect(sent.body).toMatchObject({ code, detail: expect.stringMatching(detail) as string });
    expect(await failed()).toEqual([
      expect.objectContaining({ state: 'failed', error: expect.stringMatching(detail) as string }),
    ]);
  });

  it('applies none of the good lines before the fault', async () => {
    const lines = Array.from({ length: 3_000 }, (_, n) => `a${n};2026-04-01\n`).join('');
    const sent = await send('tasks', `title;due_on\n${lines}"torn`);
    expect(sent.status).toBe(400);
    expect(await failed()).toMatchObject([{ state: 'failed', lines: 3_000, created: 0 }]);
    expect(await world.sql('SELECT FROM import_rows UNION ALL SELECT FROM tasks')).toHaveLength(0);
  });

  it.each<[string, string, Record<string, string>, RegExp]>([
    ['JSON', 'application/json', {}, /NDJSON/],
    ['text', 'text/plain', {}, /as text\/csv/],
    ['a form', 'multipart/form-data; boundary=x', {}, /file itself as the body, not in a form/],
    ['a form of fields', 'application/x-www-form-urlencoded', {}, /as text\/csv/],
    [
      'a workbook',
      'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
      {},
      /workbook.*save it as "CSV UTF-8"/,
    ],
    ['bytes', 'application/octet-stream', {}, /does not say what the file is.*text\/csv/],
    ['an unknown type', 'x/y', {}, /as text\/csv/],
    ['gzip', CSV, { 'content-encoding': 'gzip' }, /uncompressed/],
    ['EBCDIC', `${CSV}; charset=ebcdic`, {}, /charset "ebcdic" is not supported/],
  ])('D8: %s: 415 with what to do, and no import', async (_what, type, headers, detail) => {
    const sent = await send('tasks', '{}', { 'content-type': type, ...headers });
    expect(sent).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } });
    expect((sent.body as { detail: string }).detail).toMatch(detail);
    expect((await get('?state=done')).body.data).toEqual([]);
    expect(await world.sql('SELECT FROM import_rows UNION ALL SELECT FROM tasks')).toHaveLength(0);
  });

  it('D8: a file without a type: likewise', async () => {
    const answer = await world.app.inject({
      method: 'POST',
      url: '/api/v1/tasks/import',
      headers: { authorization: `Bearer ${cast.teammate.token}` },
      payload: Buffer.from('titre;date\n'),
    });
    expect(answer.statusCode).toBe(415);
    expect(answer.json<{ detail: string }>().detail).toMatch(/as text\/csv/);
  });

  it('a file on any other route: 415', async () => {
    for (const [method, path] of [
      ['POST', 'tasks'],
      ['PATCH', `tasks/${NOBODY}`],
      ['POST', 'auth/login'],
    ] as const) {
      const answer = await world.http(method, `/api/v1/${path}`, {
        token: cast.teammate.token,
        body: 'title;due_on\n',
        headers: { 'content-type': CSV },
      });
      expect([path, answer.status, answer.body.code]).toEqual([path, 415, 'unsupported_media_type']);
    }
  });

  it('a file with a declared size of more than 100 MB: 413 before it is read', async () => {
    const answer = await send('tasks', 'title;due_on\n', { 'content-length': String(100 * 1_048_576 + 1) });
    expect(answer).toMatchObject({ status: 413, body: { code: 'payload_too_large' } });
    expect((await get('')).body.data).toEqual([]);
  });
});

describe('a hostile line', () => {
  const deep = `{"title":"a","due_on":"2026-04-01","description":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  it.each([
    ['a day that does not exist', '{"title":"a","due_on":"2026-02-31"}', 'due_on', /day that exists/],
    ['a NUL', '{"title":"a\\u0000b","due_on":"2026-04-01"}', 'title', /control/],
    ['a lone surrogate', '{"title":"a\\ud800","due_on":"2026-04-01"}', 'title', /lone surrogate/],
    [
      'a field whose name is one',
      '{"title":"a","due_on":"2026-04-01","\\u0000\\ud800":1}',
      null,
      /has a name that is not well-formed/,
    ],
    ['a prototype', '{"title":"a","due_on":"2026-04-01","__proto__":{"x":1}}', null, /__proto__/],
    ['a field named NUL', '{"title":"a","due_on":"2026-04-01","\\u0000":1}', '\ufffd', /not exist/],
    ['a constructor', '{"title":"a","due_on":"2026-04-01","constructor":"x"}', null, /name constructor/],
    ['100,000 levels', deep, 'description', /must not be nested more than 8 levels/],
    [
      'an object',
      '{"title":"a","due_on":"2026-04-01","description":{}}',
      'description',
      /must not be a list/,
    ],
    [
      'F3: a name that appears twice',
      '{"title":"a","due_on":"2026-04-01","due_on":"2026-05-01"}',
      'due_on',
      /^due_on appears twice$/,
    ],
    [
      'F3: a name that appears twice, once escaped',
      '{"title":"a","due_on":"2026-04-01","\\u0074itle":"b"}',
      'title',
      /^title appears twice$/,
    ],
    [
      'S6: a lone surrogate in an e-mail',
      '{"title":"a","due_on":"2026-04-01","responsible_email":"a\\ud800@example.com"}',
      'responsible_email',
      /lone surrogate/,
    ],
    [
      'S6: a lone surrogate in an external id',
      '{"title":"a","due_on":"2026-04-01","external_id":"\\udfff"}',
      'external_id',
      /lone surrogate/,
    ],
    [
      'more than 256 KB',
      `{"title":"${'a'.repeat(262_144)}","due_on":"2026-04-01"}`,
      null,
      /longer than 256 KB/,
    ],
    [
      'a title of 200,000 characters',
      `{"title":"${'a'.repeat(200_000)}","due_on":"2026-04-01"}`,
      'title',
      /^title is too long$/,
    ],
    [
      'a thousand fields',
      `{${Array.from({ length: 1_000 }, (_, n) => `"f${n}":1`).join(',')}}`,
      null,
      /at most 200 names/,
    ],
    ['the tenant', `{"title":"a","due_on":"2026-04-01","tenant_id":"${NOBODY}"}`, 'tenant_id', /not exist/],
  ])('with %s is reported, and the others are applied', async (_what, line, field, detail) => {
    const good = (title: string) => ndjson({ title, due_on: '2026-04-01' });
    const began = cpuMs();
    const sent = await send('tasks', `${good('x')}${line}\n${good('y')}`, { 'content-type': NDJSON });
    expect(cpuMs() - began).toBeLessThan(2_000);
    expect(countsOf(sent)).toEqual(done(2, 0, 0, 1));
    expect(await faultsOf(sent)).toEqual([
      { line: 2, field, detail: expect.stringMatching(detail) as string },
    ]);
  });

  it('of a spreadsheet is reported with its line: 31/02/2026, a NUL, a cell too many', async () => {
    const pad = 'ok;01/04/2026;x\n'.repeat(40);
    const sent = await send(
      'tasks',
      `titre;date;client\n${pad}a;31/02/2026;x\na\0b;01/04/2026;x\na;01/04/2026;;;x\n`,
    );
    expect(countsOf(sent)).toEqual(done(1, 0, 39, 3));
    expect((await faultsOf(sent)).map(({ line, field }) => [line, field])).toEqual([
      [42, 'due_on'],
      [43, 'title'],
      [44, null],
    ]);
  });
});

describe('D8: a fault says what to write', () => {
  const faultOf = async (room: string, file: string, type = CSV) => {
    const [fault, ...more] = await faultsOf(await send(room, file, { 'content-type': type }));
    expect(more).toEqual([]);
    return fault!.detail;
  };

  it.each(['31/02/2026', '3/1/27', '03/11/2026 09:30', '15 avril', '01/01/0026', '2026-13-01'])(
    'F9: a date %s: shows the accepted forms, and the cell',
    async (cell) => {
      expect(await faultOf('tasks', `titre;date\na;${cell}\n`)).toBe(
        'due_on must be a day that exists, from 1900 to 2199, written DD/MM/YYYY (also with . or -) or YYYY-MM-DD, ' +
          `without a time; the cell has "${cell}"`,
      );
    },
  );

  it('any other cell is shown truncated, and a wrong type takes one sentence', async () => {
    const long = 'x'.repeat(350);
    expect(await faultOf('tasks', `titre;date\n${long};01/04/2026\n`)).toBe(
      `title must be shorter than or equal to 300 characters; the cell has "${'x'.repeat(40)}…"`,
    );
    expect(await faultOf('tasks', 'titre;date;responsable\na;01/04/2026;Marie\n')).toMatch(
      /^responsible_email must be [^;]*e-mail address[^;]*; the cell has "Marie"$/,
    );
    expect(await faultOf('tasks', '{"title":17,"due_on":"2026-04-01"}\n', NDJSON)).toBe(
      'title must be a string',
    );
  });

  it('F6: a row may omit blank last cells, but not required ones', async () => {
    const sent = await send('tasks', 'titre;date;client;description\na;01/04/2026\nb;01/04/2026;c\nd\n');
    expect(countsOf(sent)).toEqual(done(2, 0, 0, 1));
    expect(await faultsOf(sent)).toEqual([{ line: 4, field: 'due_on', detail: 'due_on is missing' }]);
  });

  it('F5: a file is read in its declared charset', async () => {
    const file = Buffer.from('titre;date\nSoci\x82t\x82;01/04/2026\n', 'latin1');
    const refused = await send('tasks', file);
    expect(refused).toMatchObject({ status: 400, body: { code: 'file_refused' } });
    expect((refused.body as { detail: string }).detail).toMatch(/"Société".*charset=ibm850/);
    const sent = await send('tasks', file, { 'content-type': 'text/csv; charset="CP850"' });
    expect(sent).toMatchObject({ status: 201, body: { created: 1, encoding: 'ibm850' } });
    expect(await world.sql('SELECT title FROM tasks')).toEqual([{ title: 'Société' }]);
  });
});

describe('the report', () => {
  it('keeps the first 10,000 faults, counts all, and is read page by page', async () => {
    const sent = await send('tasks', `titre;date\n${'a;31/02/2026\n'.repeat(10_050)}b;01/04/2026\n`);
    expect(sent.body).toMatchObject({ lines: 10_051, ...done(1, 0, 0, 10_050) });
    const { id } = sent.body as { id: string };
    expect(await world.sql('SELECT FROM import_faults WHERE import_id = $1', [id])).toHaveLength(10_000);
    const first = (await get(`/${id}/faults?limit=2`)).body;
    const second = (await get(`/${id}/faults?limit=2&cursor=${String(first.next_cursor)}`)).body;
    expect([...first.data, ...second.data].map(({ line }: { line: number }) => line)).toEqual([2, 3, 4, 5]);
    expect((await get(`/${id}/faults?cursor=x`)).body.code).toBe('invalid_cursor');
  });

  it('is listed newest first, by kind and state', async () => {
    await send('tasks', 'title;due_on\n');
    await send('deadlines', 'title;due_on\n');
    await send('tasks', 'x\n');
    const kinds = async (query: string) =>
      ((await get(query)).body.data as { kind: string; state: string }[]).map(
        ({ kind, state }) => `${kind} ${state}`,
      );
    expect(await kinds('')).toEqual(['tasks failed', 'deadlines done', 'tasks done']);
    expect(await kinds('?kind=tasks&state=done')).toEqual(['tasks done']);
    const { data, next_cursor } = (await get('?limit=2')).body as { data: unknown[]; next_cursor: string };
    expect(data).toHaveLength(2);
    expect(await kinds(`?limit=2&cursor=${next_cursor}`)).toEqual(['tasks done']);
    expect((await get('?kind=users')).status).toBe(400);
  });
});

describe('permission', () => {
  it('to import is given to members and keys with watched:write, but not in a suspended tenant', async () => {
    const file = 'title;due_on\na;2026-04-01\n';
    const keyWith = async (scope: string) => {
      const key = await world.http('POST', `/api/v1/tenants/${cast.tenant_id}/api-keys`, {
        token: cast.operator.token,
        body: { name: 'import', scopes: [scope] },
      });
      const answer = await world.app.inject({
        method: 'POST',
        url: '/api/v1/tasks/import',
        headers: { 'x-api-key': (key.body as { key: string }).key, 'content-type': CSV },
        payload: file,
      });
      return answer.statusCode;
    };
    expect(await keyWith('watched:write')).toBe(201);
    expect(await keyWith('watched:read')).toBe(403);
    expect((await sendFile(world, 'no token', 'tasks', file)).status).toBe(401);
    await world.sql('UPDATE tenants SET suspended_at = now() WHERE id = $1', [cast.tenant_id]);
    const suspended = await send('tasks', file);
    await world.sql('UPDATE tenants SET suspended_at = NULL');
    expect(suspended).toMatchObject({ status: 403, body: { code: 'tenant_suspended' } });
    expect(await world.sql('SELECT FROM imports')).toHaveLength(1);
  });
});
