import { type Cast, createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { countsOf, ndjson, NDJSON, sendFile, type Sent } from '../../imports/import.fixture.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { EVERY_DAY } from './backup-jobs.dto.js';
import { dayCell, numberCell, timeCell } from './csv-cells.js';
import { addEntry, forgetBackups, JOB } from '../board/records.fixture.js';

/** Monday 2 March 2026, 09:00 in Paris. */
const NOW = '2026-03-02T08:00:00.000Z';

describe('a file of expected backups (B1)', () => {
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
    await world.sql('DELETE FROM imports');
  });

  const send = (file: string | Buffer, headers: Record<string, string> = {}) =>
    sendFile(world, cast.admin.token, 'backups/jobs', file, headers);
  const sendRows = (...rows: object[]) => send(ndjson(...rows), { 'content-type': NDJSON });
  const done = (created: number, updated: number, unchanged: number, rejected: number) => ({
    created,
    updated,
    unchanged,
    rejected,
  });
  const jobs = () => world.sql(`SELECT * FROM backup_jobs ORDER BY agent_id, database_name`);

  async function faultsOf({ body }: Sent): Promise<{ line: number; field: string | null; detail: string }[]> {
    const path = `/api/v1/imports/${(body as { id: string }).id}/faults`;
    return (await world.http('GET', path, { token: cast.admin.token })).body.data as never;
  }

  it('is imported as a French spreadsheet writes it', async () => {
    const file =
      'Agent;Base de données;Société;Ville;Quartier;Heure prévue;Jours;Délai (minutes)\r\n' +
      'paris-01;comptabilite;Cœur & Fils;Paris;Montmartre;2:30;lun-ven;45\r\n' +
      'paris-01;paie;Cœur & Fils;Paris;;22h;1,3;\r\n' +
      'lyon-01;comptabilite;Petit;Lyon;;02:00:00;;\r\n';
    expect(await send(Buffer.from(file.replaceAll('œ', '\x9c'), 'latin1'))).toMatchObject({
      status: 201,
      body: { kind: 'backup_jobs', state: 'done', encoding: 'windows-1252', lines: 3, ...done(3, 0, 0, 0) },
    });
    expect(await jobs()).toMatchObject([
      {
        agent_id: 'lyon-01',
        city: 'Lyon',
        expected_time: '02:00',
        days_of_week: EVERY_DAY,
        grace_minutes: 120,
      },
      {
        agent_id: 'paris-01',
        database_name: 'comptabilite',
        company_name: 'Cœur & Fils',
        neighborhood: 'Montmartre',
        expected_time: '02:30',
        days_of_week: [1, 2, 3, 4, 5],
        grace_minutes: 45,
        status: 'unknown',
        expected_after: new Date(NOW),
        created_at: new Date(NOW),
      },
      {
        database_name: 'paie',
        neighborhood: null,
        expected_time: '22:00',
        days_of_week: [1, 3],
        grace_minutes: 120,
      },
    ]);
  });

  it('may use other column names', async () => {
    for (const header of [
      'agent;base;entreprise;ville;heure',
      'agent_id,database_name,company_name,city,expected_time',
      'ID agent\tdatabase\tcompany\tcity\theure attendue',
    ]) {
      const separator = /[;,\t]/.exec(header)![0];
      const line = ['paris-01', 'comptabilite', 'Boulangerie Martin', 'Paris', '02:00'].join(separator);
      expect((await send(`${header}\n${line}\n`)).status).toBe(201);
    }
    expect(await jobs()).toMatchObject([JOB]);
    for (const [header, detail] of [
      ['agent;base;ville;heure', 'the header lacks company_name'],
      ['agent;base;societe;ville;heure;titre', 'unknown columns: "titre"'],
      ['agent;base;societe;entreprise;ville;heure', 'duplicate columns: "company_name"'],
    ] as const) {
      const refused = await send(`${header}\n`);
      expect(refused).toMatchObject({ status: 400, body: { code: 'file_refused' } });
      expect((refused.body as { detail: string }).detail).toContain(detail);
    }
  });

  it('imports the valid lines, and names each line that the JSON endpoint would refuse', async () => {
    const rows = [
      JOB,
      { ...JOB, agent_id: '../x' },
      { ...JOB, database_name: 'constructor', expected_time: '25:00' },
      { ...JOB, days_of_week: [1, 8] },
      { ...JOB, days_of_week: [[1]] },
      { ...JOB, city: undefined, grace_minutes: '60' },
      { ...JOB, status: 'SUCCESS' },
      { ...JOB, city: { name: 'Paris' } },
    ];
    const sent = await sendRows(...rows);
    expect(countsOf(sent)).toEqual(done(1, 0, 0, 7));
    const faults = await faultsOf(sent);
    expect(faults.map(({ line, field }) => [line, field])).toEqual([
      [2, 'agent_id'],
      [3, 'database_name'],
      [3, 'expected_time'],
      [4, 'days_of_week'],
      [5, 'days_of_week'],
      [6, 'city'],
      [6, 'grace_minutes'],
      [7, 'status'],
      [8, 'city'],
    ]);
    expect(faults[5]!.detail).toBe('city is missing');
    const csv = await send('agent;base;societe;ville;heure;jours;delai\na;b;c;d;e;f;g\n');
    expect((await faultsOf(csv)).map(({ field }) => field)).toEqual([
      'days_of_week',
      'expected_time',
      'grace_minutes',
    ]);
    for (const body of rows.slice(1)) {
      const answer = await world.http('POST', '/api/v1/backups/jobs', { token: cast.admin.token, body });
      expect(answer.status).toBe(400);
    }
  });

  it('updates the job of its agent and database if a line differs, and changes nothing if imported again', async () => {
    await sendRows({ ...JOB, neighborhood: 'Montmartre', days_of_week: [2, 1], grace_minutes: 45 });
    const before = await jobs();
    clock.advance(60_000);
    expect(countsOf(await sendRows({ ...JOB, days_of_week: [1, 2] }))).toEqual(done(0, 0, 1, 0));
    expect(await jobs()).toEqual(before);
    const { city, ...rest } = JOB;
    expect(countsOf(await sendRows({ ...rest, city: 'Lyon', neighborhood: null }))).toEqual(done(0, 1, 0, 0));
    expect(await jobs()).toEqual([
      { ...before[0], city: 'Lyon', neighborhood: null, updated_at: clock.now() },
    ]);
    // Fewer days is a change, and null resets to the default.
    expect(countsOf(await sendRows({ ...JOB, days_of_week: [1], grace_minutes: null }))).toEqual(
      done(0, 1, 0, 0),
    );
    expect(await jobs()).toMatchObject([{ city, days_of_week: [1], grace_minutes: 120 }]);
  });

  it('resets the expected time only if the hours change', async () => {
    await sendRows(JOB);
    clock.advance(60_000);
    await sendRows({ ...JOB, city: 'Lyon', grace_minutes: 5 });
    expect(await jobs()).toMatchObject([{ city: 'Lyon', expected_after: new Date(NOW) }]);
    await sendRows({ ...JOB, expected_time: '03:00' });
    expect(await jobs()).toMatchObject([{ expected_time: '03:00', expected_after: clock.now() }]);
    clock.advance(60_000);
    await sendRows({ ...JOB, expected_time: '03:00', days_of_week: [1] });
    expect(await jobs()).toMatchObject([{ days_of_week: [1], expected_after: clock.now() }]);
  });

  it('may repeat a job with the same values, but not with different ones', async () => {
    const sent = await sendRows(JOB, { ...JOB, neighborhood: null }, { ...JOB, city: 'Lyon' });
    expect(countsOf(sent)).toEqual(done(1, 0, 1, 1));
    expect(await faultsOf(sent)).toEqual([
      {
        line: 3,
        field: 'database_name',
        detail: 'line 1 has this agent and database too, and says something else',
      },
    ]);
  });

  it('takes over earlier entries', async () => {
    await addEntry(world, cast.tenant_id, { effective_at: '2026-03-01T01:00:00Z', verdict: 'MISSING' });
    await addEntry(world, cast.tenant_id, {
      effective_at: '2026-03-01T01:00:00Z',
      verdict: 'SUCCESS',
      database_name: 'paie',
    });
    await sendRows(JOB, { ...JOB, database_name: 'paie' }, { ...JOB, database_name: 'stock' });
    const statuses = (await jobs()).map(({ database_name, status }) => [database_name, status]);
    expect(statuses).toEqual([
      ['comptabilite', 'MISSING'],
      ['paie', 'SUCCESS'],
      ['stock', 'unknown'],
    ]);
    expect(
      await world.sql(`SELECT FROM backup_entries WHERE job_id IS NULL OR announced_at IS NULL`),
    ).toEqual([]);
  });

  it('is applied once, for concurrent uploads and for a repeated key', async () => {
    const lines = Array.from({ length: 1_500 }, (_, n) => `paris-01;base-${n};Martin;Paris;02:00\n`).join('');
    const file = `agent;base;societe;ville;heure\n${lines}`;
    const sent = await Promise.all([send(file), send(file)]);
    expect(sent.map((one) => countsOf(one).created!).sort()).toEqual([0, 1_500]);
    expect(await jobs()).toHaveLength(1_500);
    const headers = { 'idempotency-key': 'paris' };
    const [one, other] = [await send(file, headers), await send(file, headers)];
    expect(other).toEqual(one);
  });

  it('V27: a dry run changes nothing, reports new, changed, missing and faulty rows, and is applied once', async () => {
    const [OLD, OTHER] = [
      { ...JOB, grace_minutes: 30 },
      { ...JOB, database_name: 'paie' },
    ];
    await sendRows(OLD, OTHER, { ...JOB, database_name: 'stock' });
    const before = await jobs();
    const file =
      'agent;base;société;ville;heure;jours\n' +
      'paris-01;comptabilite;Boulangerie Martin;Paris;03:00;lun-ven\n' +
      'paris-01;ged;Petit;Lyon;22:00;\nparis-01;ged;Petit;Lille;22:00;\n' +
      `paris-01;paie;${JOB.company_name};Paris;02:00;\n` +
      'paris-01;achats;Petit;Lyon;25:00;\n';
    const call = (method: string, path: string, token = cast.admin.token) =>
      world.http(method, `/api/v1/${path}`, { token });
    const propose = (token: string) => sendFile(world, token, 'backups/jobs', file, {}, '/columns');
    expect((await propose(cast.teammate.token)).status).toBe(403);
    expect(await propose(cast.admin.token)).toMatchObject({
      status: 200,
      body: {
        separator: 'semicolon',
        required: ['agent_id', 'database_name', 'company_name', 'city', 'expected_time'],
        columns: [
          { field: 'agent_id', samples: ['paris-01', 'paris-01', 'paris-01'] },
          { field: 'database_name' },
          {},
          {},
          {},
          {},
        ],
      },
    });
    const sent = await sendFile(world, cast.admin.token, 'backups/jobs', file, {}, '?dry_run=true');
    expect(sent).toMatchObject({ status: 201, body: { state: 'staged', missing: 1, ...done(1, 1, 1, 2) } });
    expect(await jobs()).toEqual(before);
    const path = `imports/${(sent.body as { id: string }).id}`;
    const changes = (await call('GET', `${path}/changes`)).body.data;
    expect(changes).toEqual([
      {
        outcome: 'updated',
        line: 2,
        item_id: before[0]!.id,
        title: 'paris-01 / comptabilite',
        before: { expected_time: '02:00', days_of_week: '[1, 2, 3, 4, 5, 6, 7]' },
        after: { expected_time: '03:00', days_of_week: '[1, 2, 3, 4, 5]' },
      },
      {
        outcome: 'created',
        line: 3,
        item_id: null,
        title: 'paris-01 / ged',
        before: {},
        after: {
          company_name: 'Petit',
          city: 'Lyon',
          expected_time: '22:00',
          days_of_week: '[1, 2, 3, 4, 5, 6, 7]',
          grace_minutes: '120',
        },
      },
      {
        outcome: 'missing',
        line: null,
        item_id: before.find(({ database_name }) => database_name === 'stock')!.id,
        title: 'paris-01 / stock',
        before: { company_name: JOB.company_name, city: 'Paris' },
        after: {},
      },
    ]);
    expect((await faultsOf(sent)).map(({ line, field }) => [line, field])).toEqual([
      [4, 'database_name'],
      [6, 'expected_time'],
    ]);
    // Members import deadlines, but not these.
    expect((await call('POST', `${path}/apply`, cast.teammate.token)).status).toBe(403);
    expect((await call('DELETE', path, cast.teammate.token)).status).toBe(403);
    const applied = await call('POST', `${path}/apply`);
    expect(applied).toMatchObject({ status: 200, body: { state: 'done', ...done(1, 1, 1, 2) } });
    expect(await call('POST', `${path}/apply`)).toEqual(applied);
    expect(await jobs()).toMatchObject([
      { database_name: 'comptabilite', expected_time: '03:00', grace_minutes: 30 },
      { database_name: 'ged', city: 'Lyon' },
      { database_name: 'paie' },
      { database_name: 'stock' },
    ]);
  });

  it('V27: an API key that may import applies its dry run', async () => {
    const created = await world.http('POST', '/api/v1/tenant/api-keys', {
      token: cast.admin.token,
      body: { name: 'GED', scopes: ['watched:write'] },
    });
    const headers = { 'x-api-key': (created.body as { key: string }).key };
    const file = `agent;base;société;ville;heure\nparis-01;ged;Petit;Lyon;22:00\n`;
    const sent = await sendFile(world, null, 'backups/jobs', file, headers, '?dry_run=true');
    const { id } = sent.body as { id: string };
    const apply = await world.http('POST', `/api/v1/imports/${id}/apply`, { headers });
    expect(apply).toMatchObject({ status: 200, body: { created: 1 } });
  });

  it('only affects its tenant, and is for admins', async () => {
    await sendRows(JOB);
    const headers = { 'content-type': NDJSON };
    const theirs = await sendFile(world, cast.outsider.token, 'backups/jobs', ndjson(JOB), headers);
    expect(countsOf(theirs)).toEqual(done(1, 0, 0, 0));
    expect(await jobs()).toHaveLength(2);
    const member = await sendFile(world, cast.teammate.token, 'backups/jobs', ndjson(JOB), headers);
    expect(member.status).toBe(403);
  });
});

describe('a cell of such a file (B1)', () => {
  it.each([
    ['1', [1]],
    ['1,2,3', [1, 2, 3]],
    ['lun,mar', [1, 2]],
    ['Lundi ; MARDI', [1, 2]],
    ['lun. mer. ven.', [1, 3, 5]],
    ['1-5', [1, 2, 3, 4, 5]],
    ['lun - ven', [1, 2, 3, 4, 5]],
    ['sam–lun', [6, 7, 1]],
    ['mon-wed, sunday', [1, 2, 3, 7]],
    ['3-3,3', [3]],
    ['1-', '1-'],
    ['1-2-3', '1-2-3'],
    ['0', '0'],
    ['8', '8'],
    ['demain', 'demain'],
    ['lun,demain', 'lun,demain'],
    ['', ''],
  ])('of days: %j', (cell, days) => {
    expect(dayCell(cell)).toEqual(days);
  });

  it.each([
    ['02:00', '02:00'],
    [' 2:05 ', '02:05'],
    ['02:00:00', '02:00'],
    ['2h', '02:00'],
    ['2 H 30', '02:30'],
    ['24:00', '24:00'],
    ['02:00:01', '02:00:01'],
    ['2', '2'],
    ['2:', '2:'],
    ['0,0833', '0,0833'],
  ])('of a time: %j', (cell, time) => {
    expect(timeCell(cell)).toBe(time);
  });

  it('a number', () => {
    expect([' 45 ', '0', '-1', '4,5', 'x'].map(numberCell)).toEqual([45, 0, '-1', '4,5', 'x']);
  });
});
