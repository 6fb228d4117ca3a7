import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { Random } from '../../../test/faults/random.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import {
  type BackupFolders,
  backupFolders,
  good,
  rest,
  scan,
  sha256,
  stored,
  TestAgent,
} from '../agent.fixture.js';
import type { AgentFolder } from './folders.js';
import { CONTENT, hostileNames } from './hostile-names.fixture.js';

/** B4: whatever file names agents report, the scan only reads and writes below their folders and the store. */
const MORNING = '2026-03-31T06:00:00.000Z';
/** Beyond the time that a file of an unexpected database is awaited. */
const REPORTED = '2026-03-29T20:10:00Z';
const SEED = 20_260_331;

let folders: BackupFolders;
let world: World;
let cast: Cast;
let outside: string;
let before: string[];
let agents = 0;

beforeAll(async () => {
  folders = await backupFolders();
  world = await createWorld({ clock: new FixedClock(MORNING), env: folders.env });
  cast = await createCast(world);
  outside = join(folders.root, 'outside', 'secret.bak');
  for (const folder of [
    'outside',
    'inbox/cabinet-durand/their-agent/database',
    'store/cabinet-durand/Durand',
  ])
    mkdirSync(join(folders.root, folder), { recursive: true });
  writeFileSync(outside, 'nobody’s business');
  writeFileSync(join(folders.root, 'outside', 'linked'), CONTENT);
  writeFileSync(join(folders.root, 'inbox/cabinet-durand/their-agent/database/paie.bak'), 'theirs');
  writeFileSync(join(folders.root, 'store/cabinet-durand/Durand/paie.bak'), 'theirs');
  before = canaries();
});
afterAll(async () => {
  await world.close();
  await folders.remove();
});
/** Check that only files of this tenant were created, changed or removed. */
afterEach(async () => {
  expect(canaries()).toEqual(before);
  await rm(join(folders.env.BACKUP_INBOX_DIR, cast.tenant.slug), { recursive: true });
});

function canaries(): string[] {
  return readdirSync(folders.root, { recursive: true, encoding: 'utf8' })
    .filter((path) => !/^(?:inbox|store)\/cabinet-martin(?:\/|$)/.test(path))
    .map((path) => {
      const full = join(folders.root, path);
      const stats = lstatSync(full);
      const content = stats.isSymbolicLink()
        ? readlinkSync(full)
        : stats.isFile()
          ? sha256(readFileSync(full))
          : '';
      return `${path} ${stats.mode} ${stats.ino} ${content}`;
    })
    .sort();
}

async function newAgent(): Promise<TestAgent> {
  agents += 1;
  return new TestAgent(folders, cast.tenant.slug, `agent-${agents}`).make();
}

const run = () => scan(world, cast.tenant_id);
const entries = (agent: TestAgent) =>
  world.sql(`SELECT * FROM backup_entries WHERE agent_id = $1 ORDER BY database_name`, [agent.id]);
const inStore = (path: string) => readFileSync(join(folders.env.BACKUP_STORE_DIR, path), 'utf8');

describe('names of staged files', () => {
  it('300 of them are refused with a reason, are missing, or stay below the tenant’s own folder', async () => {
    const agent = await newAgent();
    const cases = hostileNames(new Random(SEED), 300, outside);
    expect(cases).toHaveLength(300);
    for (const { make } of cases) make?.(agent.path('database'));
    for (const name of agent.files('database'))
      await rest(agent.path('database', name)).catch(() => undefined);
    const databases = cases.map(({ name }, number) => [
      `db${String(number).padStart(3, '0')}`,
      good(name, CONTENT),
    ]);
    await agent.drop('STATUS.json', agent.report(REPORTED, Object.fromEntries(databases)));
    await run();

    const found = await entries(agent);
    const ended = found.map(({ verdict, reason }) => `${verdict} ${String(reason)}`);
    expect(cases.map(({ name, ends }) => [name, ends])).toEqual(
      cases.map(({ name }, number) => [name, ended[number]]),
    );
    const paths = found.flatMap(({ stored_path }) => stored_path ?? []);
    expect(paths.map(inStore)).toEqual(paths.map(() => CONTENT));
    expect(
      paths.filter((path) => !path.startsWith(`cabinet-martin/Boulangerie Martin/Lyon/${agent.id}/db`)),
    ).toEqual([]);
    expect(new Set(paths).size).toBe(paths.length);
    // Promoted files are removed; refused ones stay.
    const left = cases.filter(({ make, ends }) => make !== undefined && ends !== 'SUCCESS null');
    expect(agent.files('database')).toEqual(left.map(({ name }) => name).sort());
  }, 60_000);

  it('names that differ only in Unicode normalization each match their own file, if the disk has both', async () => {
    const agent = await newAgent();
    await agent.put('database', '\u00e9.bak', 'composed');
    await agent.put('database', 'e\u0301.bak', 'decomposed');
    await agent.drop('1_STATUS.json', agent.report(REPORTED, { one: good('\u00e9.bak', 'composed') }));
    await agent.drop('2_STATUS.json', agent.report(REPORTED, { other: good('e\u0301.bak', 'decomposed') }));
    await run();
    expect((await entries(agent)).map(({ verdict }) => verdict)).toEqual(['SUCCESS', 'SUCCESS']);
  });
});

describe('names of report files', () => {
  it('are moved whatever their names are, including the longest', async () => {
    const agent = await newAgent();
    const end = 'STATUS.json';
    const names = [
      end,
      `-${end}`,
      `a\n${end}`,
      `\u202e${end}`,
      `🙂${end}`,
      ` ${end}`,
      `${'x'.repeat(255 - end.length)}${end}`,
    ];
    for (const [number, name] of names.entries()) {
      await agent.drop(name, agent.report(`2026-03-29T20:0${number}:00Z`, { compta: { status: 'failed' } }));
      await agent.drop(`${name.slice(0, -end.length)}.${end}`.slice(-255), '{');
    }
    expect(await run()).toMatchObject({ reports: names.length, archived: names.length });
    expect(agent.files('log').filter((name) => !name.startsWith('.'))).toEqual([]);
    expect(agent.files('archive')).toHaveLength(names.length);
    const rejected = agent.files('rejected');
    expect(rejected.filter((name) => name.endsWith('.reason'))).toHaveLength(rejected.length / 2);
    expect(rejected.length).toBeGreaterThan(6);
  });

  it('a second file with the same longest name is kept beside the first', async () => {
    const agent = await newAgent();
    const name = `${'é'.repeat(122)}STATUS.json`;
    for (const minute of [1, 2, 3]) {
      await agent.drop(name, agent.report(`2026-03-29T21:0${minute}:00Z`, { compta: { status: 'failed' } }));
      await run();
    }
    expect(agent.files('archive')).toHaveLength(3);
    expect(agent.files('log')).toEqual([]);
  });

  it.each<[string, (path: string) => void]>([
    ['a link to a report', (path) => symlinkSync(outside, path)],
    ['a link to itself', (path) => symlinkSync('STATUS.json', path)],
  ])('%s is rejected, and not followed', async (_what, make) => {
    const agent = await newAgent();
    make(agent.path('log', 'STATUS.json'));
    expect(await run()).toMatchObject({ rejected: 1 });
    expect(agent.read('rejected', 'STATUS.json.reason')).toBe('the file is a symbolic link\n');
    expect(agent.files('log')).toEqual([]);
  });
});

describe('paths that are not folders', () => {
  const elsewhere = (agent: TestAgent, folder: AgentFolder) => agent.path(folder).replace(/\/$/, '');
  const ways: [string, (path: string) => void][] = [
    ['a link outside', (path) => symlinkSync(join(folders.root, 'outside'), path)],
    ['a link to another of its folders', (path) => symlinkSync('log', path)],
    ['a link to itself', (path) => symlinkSync('itself', path)],
    ['a file', (path) => writeFileSync(path, CONTENT)],
  ];
  /** Replaces the folder. */
  function replace(agent: TestAgent, folder: AgentFolder, make: (path: string) => void): void {
    const path = elsewhere(agent, folder);
    if (agent.files(folder).length > 0 || folder === 'database' || folder === 'log')
      renameSync(path, `${path}.aside`);
    make(path);
  }

  it.each(ways)('database/ is %s: FAILED, and nothing there is read', async (_what, make) => {
    const agent = await newAgent();
    replace(agent, 'database', make);
    await agent.drop('STATUS.json', agent.report(REPORTED, { compta: good('linked', CONTENT) }));
    await run();
    const [entry] = await entries(agent);
    expect(entry).toMatchObject({ verdict: 'FAILED', detail: 'database is not a folder', stored_path: null });
    expect(entry?.reason).toBe(_what === 'a file' ? 'unreadable' : 'symbolic_link');
  });

  it.each(ways)('log/ is %s: expected backups are MISSING, with the reason', async (_what, make) => {
    const agent = await newAgent();
    await expectJob(agent);
    replace(agent, 'log', make);
    expect(await run()).toMatchObject({ unreadable: 1 });
    expect(await entries(agent)).toMatchObject([
      { verdict: 'MISSING', reason: 'no_report', detail: 'log is not a folder' },
    ]);
  });

  it.each(ways)('archive/ is %s: the report is evaluated, and stays', async (_what, make) => {
    const agent = await newAgent();
    replace(agent, 'archive', make);
    await agent.drop(
      'STATUS.json',
      agent.report(REPORTED, { compta: await agent.stage('compta.bak', CONTENT) }),
    );
    expect(await run()).toMatchObject({ success: 1 });
    expect(await run()).toMatchObject({ reports_known: 1 });
    expect(agent.files('log')).toEqual(['STATUS.json']);
  });

  it.each(ways)('rejected/ is %s: the reason is recorded once, and the file stays', async (_what, make) => {
    const agent = await newAgent();
    replace(agent, 'rejected', make);
    await agent.drop('STATUS.json', '{');
    await run();
    await run();
    const rows = await world.sql(`SELECT reason FROM backup_reports WHERE agent_id = $1`, [agent.id]);
    expect(rows).toEqual([{ reason: expect.stringContaining('not JSON') as string }]);
    expect(agent.files('log')).toEqual(['STATUS.json']);
  });

  it.each(ways)('quarantine/ is %s: the file stays until it can be moved', async (_what, make) => {
    const agent = await newAgent();
    replace(agent, 'quarantine', make);
    await agent.drop('STATUS.json', agent.report(REPORTED, { compta: good('compta.bak', 'the lodger') }));
    await agent.put('database', 'compta.bak', CONTENT);
    expect(await run()).toMatchObject({ hash_mismatch: 1 });
    expect(agent.files('database')).toEqual(['compta.bak']);
    expect((await entries(agent))[0]).toMatchObject({
      verdict: 'HASH_MISMATCH',
      staged_action: 'quarantine',
    });
    renameSync(elsewhere(agent, 'quarantine'), `${elsewhere(agent, 'quarantine')}.aside`);
    await run();
    expect([agent.files('database'), agent.files('quarantine')]).toEqual([[], ['compta.bak']]);
  });

  it('the agent’s own folder is a link: refused, expected backups are MISSING with the reason', async () => {
    const agent = await newAgent();
    await expectJob(agent);
    const folder = agent.path('log', '..');
    renameSync(folder, `${folder}.aside`);
    symlinkSync(join(folders.root, 'inbox/cabinet-durand/their-agent'), folder);
    await world.http('POST', '/api/v1/backups/reports', {
      token: cast.admin.token,
      body: agent.report(REPORTED, { paie: good('paie.bak', 'theirs') }),
    });
    expect(await run()).toMatchObject({ unreadable: 1 });
    expect(await entries(agent)).toMatchObject([
      { database_name: 'compta', verdict: 'MISSING', detail: `${agent.id} is not a folder` },
      {
        database_name: 'paie',
        verdict: 'FAILED',
        reason: 'symbolic_link',
        detail: `${agent.id} is not a folder`,
      },
    ]);
  });

  it('the tenant’s folder is a link: refused, all expected backups are MISSING with the reason', async () => {
    const agent = await newAgent();
    await expectJob(agent);
    const folder = join(folders.env.BACKUP_INBOX_DIR, cast.tenant.slug);
    const aside = join(folders.env.BACKUP_INBOX_DIR, 'cabinet-martin', '..', 'cabinet-martin.aside');
    renameSync(folder, aside);
    symlinkSync(join(folders.env.BACKUP_INBOX_DIR, 'cabinet-durand'), folder);
    expect(await run()).toMatchObject({ unreadable: 1 });
    expect(await entries(agent)).toMatchObject([
      { verdict: 'MISSING', detail: 'cabinet-martin is not a folder' },
    ]);
    renameSync(folder, `${aside}/link`);
    renameSync(aside, folder);
  });

  async function expectJob(agent: TestAgent): Promise<void> {
    await world.sql(
      `INSERT INTO backup_jobs (tenant_id, agent_id, database_name, company_name, city, expected_time, days_of_week,
                                grace_minutes, expected_after, created_at, updated_at)
       VALUES ($1, $2, 'compta', 'Boulangerie Martin', 'Lyon', '22:00', '{1,2,3,4,5,6,7}', 0, $3, $3, $3)`,
      [cast.tenant_id, agent.id, '2026-03-30T10:00:00Z'],
    );
  }
});

describe('names that become folders of the store', () => {
  const NAMES = [
    '..',
    '.',
    '../..',
    '../../outside',
    '/',
    '//',
    '/etc',
    '\\',
    '..\\..',
    'C:',
    'CON',
    'nul',
    ' x',
    '~',
  ];
  const MORE = [
    '%2e%2e',
    '%',
    '-rf',
    '.hidden',
    'x.',
    '𝕏'.repeat(100),
    'é'.repeat(100),
    '%'.repeat(100),
    '\u202ex',
    'a:b',
  ];

  it('companies, cities and databases stay below the tenant’s folder, each in a folder of its own', async () => {
    const agent = await newAgent();
    const names = [...NAMES, ...MORE].map((name) => name.trim());
    const report = (minute: number, changes: object, database = 'compta') =>
      agent.report(
        new Date(Date.UTC(2026, 2, 29, 8, minute)).toISOString(),
        { [database]: reported(minute) },
        changes as Record<string, unknown>,
      );
    const reported = (number: number) => good(`${number}.bak`, `${CONTENT} ${number}`);
    let number = 0;
    for (const name of names) {
      for (const dropped of [
        report(number, { company_name: name }),
        report(number + 1, { city: name }),
        report(number + 2, {}, name),
      ]) {
        await agent.put('database', `${number}.bak`, `${CONTENT} ${number}`);
        await agent.drop(`${number}_STATUS.json`, dropped);
        number += 1;
      }
    }
    expect(await run()).toMatchObject({ success: number });
    const paths = (await entries(agent)).map(({ stored_path }) => String(stored_path));
    expect(new Set(paths).size).toBe(number);
    expect(paths.filter((path) => !/^cabinet-martin(?:\/[^./\\ -][^/\\]*){7}$/u.test(path))).toEqual([]);
    expect(stored(folders).filter((path) => path.includes(`/${agent.id}/`))).toEqual([...paths].sort());
  }, 60_000);

  it.each(['a\u0000b', 'a\nb', '\u001b'])('%j is not a valid name for any of them', async (name) => {
    const agent = await newAgent();
    await agent.drop(
      '1_STATUS.json',
      agent.report(REPORTED, { compta: { status: 'failed' } }, { company_name: name }),
    );
    await agent.drop(
      '2_STATUS.json',
      agent.report(REPORTED, { compta: { status: 'failed' } }, { city: name }),
    );
    await agent.drop('3_STATUS.json', agent.report(REPORTED, { [name]: { status: 'failed' } }));
    // A database with an invalid name is FAILED under a generated one: the others of its report are evaluated.
    expect(await run()).toMatchObject({ rejected: 2, failed: 1 });
    expect(await entries(agent)).toMatchObject([
      {
        database_name: expect.stringMatching(/\(not a name\)$/),
        verdict: 'FAILED',
        reason: 'report_invalid',
      },
    ]);
    expect(stored(folders).filter((path) => path.includes(`/${agent.id}/`))).toEqual([]);
  });
});
