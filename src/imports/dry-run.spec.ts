import { type Cast, createCast } from '../../test/support/cast.js';
import { createWorld, type World } from '../../test/support/world.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import { countsOf, CSV, done, ndjson, NDJSON, readFaults, type Sent } from './import.fixture.js';

/** Monday 30 March 2026, 10:00 in Paris. */
const NOW = '2026-03-30T08:00:00.000Z';

let world: World;
let cast: Cast;
const clock = new FixedClock(NOW);

beforeAll(async () => {
  world = await createWorld({ clock });
  cast = await createCast(world);
});
afterAll(() => world.close());
beforeEach(async () => {
  for (const table of ['deadlines', 'imports', 'alerts']) await world.sql(`DELETE FROM ${table}`);
});

async function send(
  file: string | Buffer,
  query = '?dry_run=true',
  { path = 'deadlines/import', headers = {}, token = cast.teammate.token } = {},
): Promise<Sent> {
  const answer = await world.app.inject({
    method: 'POST',
    url: `/api/v1/${path}${query}`,
    headers: { authorization: `Bearer ${token}`, 'content-type': CSV, ...headers },
    payload: file,
  });
  return { status: answer.statusCode, body: answer.json<unknown>() };
}
const sendRows = (...rows: object[]) =>
  send(ndjson(...rows), '?dry_run=true', { headers: { 'content-type': NDJSON } });
const call = (method: string, path: string, body?: unknown, token = cast.teammate.token) =>
  world.http(method, `/api/v1/${path}`, { token, body });
const idOf = ({ body }: Sent) => (body as { id: string }).id;
const titles = async () =>
  (await world.sql<{ title: string }>('SELECT title FROM deadlines ORDER BY title')).map(
    ({ title }) => title,
  );
const changesOf = async (sent: Sent, query = '') =>
  (await call('GET', `imports/${idOf(sent)}/changes${query}`)).body as { data: object[]; count?: number };
const create = async (fields: object): Promise<string> => {
  const { status, body } = await call('POST', 'deadlines', { due_on: '2026-04-15', ...fields });
  expect(status).toBe(201);
  return (body as { id: string }).id;
};

describe('a dry run', () => {
  it('changes nothing, and answers what would be new, changed, unchanged, missing and wrong', async () => {
    const moved = await create({ title: 'TVA', external_id: 'A-1', client_name: 'Martin', category: 'tva' });
    await create({ title: 'IS', external_id: 'A-2' });
    const gone = await create({ title: 'CFE', external_id: 'A-3', client_name: 'Petit' });
    const ended = await create({ title: 'Ancien', external_id: 'A-4' });
    await call('POST', `deadlines/${ended}/complete`);
    await create({ title: 'Sans référence' });
    const before = await world.sql('SELECT * FROM deadlines ORDER BY id');

    const sent = await sendRows(
      {
        external_id: 'A-1',
        title: 'TVA',
        due_on: '2026-04-24',
        client_name: 'Martin & fils',
        category: null,
      },
      { external_id: 'A-2', title: 'IS', due_on: '2026-04-15' },
      { external_id: 'B-1', title: 'Nouveau', due_on: '2026-05-05', responsible_email: cast.owner.email },
      { external_id: 'B-2', title: 'Faux', due_on: '2026-02-30' },
      { external_id: 'B-3', title: 'À qui ?', due_on: '2026-05-05', responsible_email: 'nobody@example.com' },
      { external_id: 'B-1', title: 'Autre', due_on: '2026-05-05' },
    );
    expect(sent).toMatchObject({
      status: 201,
      body: { state: 'staged', lines: 6, ...done(1, 1, 1, 3), missing: 1, finished_at: null, error: null },
    });
    expect(await world.sql('SELECT * FROM deadlines ORDER BY id')).toEqual(before);
    expect(await changesOf(sent, '?count=true')).toEqual({
      data: [
        {
          outcome: 'updated',
          line: 1,
          item_id: moved,
          title: 'TVA',
          before: { due_on: '2026-04-15', client_name: 'Martin', category: 'tva' },
          after: { due_on: '2026-04-24', client_name: 'Martin & fils', category: null },
        },
        {
          outcome: 'created',
          line: 3,
          item_id: null,
          title: 'Nouveau',
          before: {},
          after: { title: 'Nouveau', due_on: '2026-05-05', responsible_id: cast.owner.id },
        },
        {
          outcome: 'missing',
          line: null,
          item_id: gone,
          title: 'CFE',
          before: { due_on: '2026-04-15', client_name: 'Petit' },
          after: {},
        },
      ],
      next_cursor: null,
      count: 3,
    });
    expect((await changesOf(sent, '?outcome=missing&count=true')).count).toBe(1);
    expect((await readFaults(world, cast.teammate.token, sent)).map(({ line }) => line)).toEqual([4, 5, 6]);

    const applied = await call('POST', `imports/${idOf(sent)}/apply`);
    expect(applied).toMatchObject({
      status: 200,
      body: { state: 'done', lines: 6, ...done(1, 1, 1, 3), missing: 1, finished_at: NOW },
    });
    expect(await titles()).toEqual(['Ancien', 'CFE', 'IS', 'Nouveau', 'Sans référence', 'TVA']);
    expect(await world.sql('SELECT due_on::text, client_name FROM deadlines WHERE id = $1', [moved])).toEqual(
      [{ due_on: '2026-04-24', client_name: 'Martin & fils' }],
    );
    expect(await world.sql('SELECT FROM import_rows')).toHaveLength(0);
    // A second click.
    expect((await call('POST', `imports/${idOf(sent)}/apply`)).body).toEqual(applied.body);
    expect(await titles()).toHaveLength(6);
  });

  it('is applied once by two clicks at once', async () => {
    const sent = await send('titre;échéance\nTVA;15/04/2026\nIS;16/04/2026\n');
    const answers = await Promise.all([1, 2, 3].map(() => call('POST', `imports/${idOf(sent)}/apply`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await titles()).toEqual(['IS', 'TVA']);
  });

  it('applies nothing if the items have changed since, and shows the new changes', async () => {
    const sent = await send('titre;échéance;réf\nTVA;15/04/2026;A-1\nIS;16/04/2026;A-2\n');
    expect(countsOf(sent)).toEqual(done(2, 0, 0, 0));
    await create({ title: 'TVA saisie', external_id: 'A-1' });
    const refused = await call('POST', `imports/${idOf(sent)}/apply`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'count_changed' } });
    expect(await titles()).toEqual(['TVA saisie']);
    expect((await call('GET', `imports/${idOf(sent)}`)).body).toMatchObject({
      state: 'staged',
      ...done(1, 1, 0, 0),
    });
    expect((await changesOf(sent)).data).toMatchObject([
      { outcome: 'updated', before: { title: 'TVA saisie' } },
      { outcome: 'created' },
    ]);
    expect((await call('POST', `imports/${idOf(sent)}/apply`)).body).toMatchObject(done(1, 1, 0, 0));
    expect(await titles()).toEqual(['IS', 'TVA']);
  });

  it('applies nothing if another line is new now, or another value is overwritten, in the same number', async () => {
    await create({ title: 'IS', external_id: 'A-2', due_on: '2026-05-02' });
    const sent = await send('titre;échéance;réf\nTVA;15/04/2026;A-1\nIS;16/04/2026;A-2\n');
    expect(countsOf(sent)).toEqual(done(1, 1, 0, 0));
    await world.sql(`DELETE FROM deadlines`);
    await create({ title: 'TVA saisie', external_id: 'A-1' });
    const apply = () => call('POST', `imports/${idOf(sent)}/apply`);
    expect(await apply()).toMatchObject({ status: 409, body: { code: 'count_changed' } });
    expect(await titles()).toEqual(['TVA saisie']);
    await world.sql(`UPDATE deadlines SET title = 'TVA corrigée'`);
    expect((await apply()).status).toBe(409);
    expect((await changesOf(sent)).data).toMatchObject([
      { outcome: 'updated', before: { title: 'TVA corrigée' } },
      { outcome: 'created' },
    ]);
    expect((await apply()).body).toMatchObject({ state: 'done', ...done(1, 1, 0, 0) });
    expect(await titles()).toEqual(['IS', 'TVA']);
  });

  it('is discarded with its lines', async () => {
    const sent = await send('titre;échéance\nTVA;15/04/2026\n');
    expect((await call('DELETE', `imports/${idOf(sent)}`)).status).toBe(204);
    for (const table of ['imports', 'import_rows', 'import_changes'])
      expect([table, await world.sql(`SELECT FROM ${table}`)]).toEqual([table, []]);
    expect((await call('POST', `imports/${idOf(sent)}/apply`)).status).toBe(404);
    const whole = await send('titre;échéance\nTVA;15/04/2026\n', '');
    expect(await call('DELETE', `imports/${idOf(whole)}`)).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    });
    const failed = await send('titre\nTVA\n');
    expect(failed.status).toBe(400);
    const [row] = (await call('GET', 'imports?state=failed')).body.data as { id: string }[];
    expect((await call('POST', `imports/${row!.id}/apply`)).status).toBe(409);
  });

  it('is hidden from other tenants', async () => {
    const sent = await send('titre;échéance\nTVA;15/04/2026\n');
    for (const [method, path] of [
      ['GET', '/changes'],
      ['POST', '/apply'],
      ['DELETE', ''],
    ] as const) {
      const answer = await call(method, `imports/${idOf(sent)}${path}`, undefined, cast.outsider.token);
      expect([path, answer.status]).toEqual([path, 404]);
    }
    expect((await call('GET', `imports/${idOf(sent)}`)).body).toMatchObject({ state: 'staged' });
  });
});

describe('the columns of a file', () => {
  const propose = (file: string | Buffer, token = cast.teammate.token) =>
    send(file, '', { path: 'deadlines/import/columns', token });

  it('are proposed with their first values, also those without a known name', async () => {
    const file =
      'Échéancier du cabinet\r\n\r\n' +
      'Obligation;À rendre le;Dossier;Chargé(e);N°\r\n' +
      'TVA CA3;24/04/2026;Cœur & Fils;;A-1\r\n"IS; solde";15/05/2026;;;A-2\r\n';
    const bytes = Buffer.from(file.replace('œ', '\x9c'), 'latin1');
    expect(await propose(bytes)).toEqual({
      status: 200,
      body: {
        encoding: 'windows-1252',
        separator: 'semicolon',
        header_line: 3,
        columns: [
          { name: 'Obligation', field: 'title', samples: ['TVA CA3', 'IS; solde'] },
          { name: 'À rendre le', field: null, samples: ['24/04/2026', '15/05/2026'] },
          { name: 'Dossier', field: 'client_name', samples: ['Cœur & Fils'] },
          { name: 'Chargé(e)', field: null, samples: [] },
          { name: 'N°', field: 'external_id', samples: ['A-1', 'A-2'] },
        ],
        fields: expect.arrayContaining(['title', 'due_on', 'client_name', 'responsible_email', 'category']),
        required: ['title', 'due_on'],
      },
    });
    const mapped = await send(
      bytes,
      '?dry_run=true&columns=title,due_on,client_name,-,external_id&header_line=3&separator=semicolon',
    );
    expect(mapped).toMatchObject({ status: 201, body: done(2, 0, 0, 0) });
    expect((await changesOf(mapped)).data).toMatchObject([
      { line: 4, after: { title: 'TVA CA3', due_on: '2026-04-24', client_name: 'Cœur & Fils' } },
      { line: 5, after: { title: 'IS; solde' } },
    ]);
  });

  it.each([
    ['names that nobody knows', 'a,b\n1,2\n', 'comma', 1, ['a', 'b']],
    ['tabs', 'quoi\tquand\nTVA\t15/04/2026\n', 'tab', 1, ['quoi', 'quand']],
    ['a declared separator', 'sep=,\nx;y,z\n1,2\n', 'comma', 2, ['x;y', 'z']],
    ['a title above it', 'Mon fichier\nquoi;quand\nTVA;15/04/2026\n', 'semicolon', 2, ['quoi', 'quand']],
    [
      'line breaks in a name',
      '"quoi\nencore";quand\nTVA;15/04/2026\n',
      'semicolon',
      1,
      ['quoi\nencore', 'quand'],
    ],
    ['one line', 'titre', 'semicolon', 1, ['titre']],
  ])('are found with %s', async (_what, file, separator, header_line, names) => {
    const { status, body } = await propose(file);
    expect(status).toBe(200);
    const proposal = body as { separator: string; header_line: number; columns: { name: string }[] };
    expect([proposal.separator, proposal.header_line]).toEqual([separator, header_line]);
    expect(proposal.columns.map(({ name }) => name)).toEqual(names);
  });

  it.each<[string, string | Buffer, number]>([
    ['an empty file', '', 400],
    ['blank lines', '\n\n;;\n', 400],
    ['a workbook', Buffer.from('PK\x03\x04aaaa'), 415],
    ['more than a beginning', `a;b\n${'1;2\n'.repeat(100_000)}`, 413],
  ])('are not those of %s', async (_what, file, status) => {
    expect((await propose(file)).status).toBe(status);
  });

  it.each([
    ['an unknown field', 'columns=title,due_on,colour', 'file_refused'],
    ['a field twice', 'columns=title,due_on,title', 'file_refused'],
    ['a required field missing', 'columns=title,-,-', 'file_refused'],
    ['fewer than the header has', 'columns=title,due_on', 'file_refused'],
    ['a line after the end', 'columns=title,due_on,-&header_line=9', 'file_refused'],
    ['something else', 'columns=title;due_on', 'validation_failed'],
    ['a header line alone', 'header_line=2', 'validation_failed'],
    ['an unknown separator', 'columns=title,due_on,-&separator=x', 'validation_failed'],
  ])('are refused with %s', async (_what, query, code) => {
    const answer = await send('a;b;c\nTVA;15/04/2026;x\n', `?${query}`);
    expect([answer.status, answer.body]).toMatchObject([400, { code }]);
    expect(await titles()).toEqual([]);
  });

  it('of other formats cannot be named', async () => {
    const answer = await send(ndjson({ title: 'TVA', due_on: '2026-04-15' }), '?columns=title,due_on', {
      headers: { 'content-type': NDJSON },
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
  });
});
