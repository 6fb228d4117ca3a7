import { readdirSync, statSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { Random } from '../../../test/faults/random.js';
import { cpuOf } from '../../../test/support/cpu-time.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { type BackupFolders, backupFolders, rest, scan, sha256, TestAgent } from '../agent.fixture.js';
import { type HostileReport, hostileReports, reportsOf } from './hostile-reports.fixture.js';

/** Bad input for the scanner: each ends as a rejected report with a reason, or as entries, over both ways. */
const MORNING = '2026-03-31T06:00:00.000Z';
const CASES = 300;
const AT_ONCE = 10;
const SEED = 20_260_331;

let folders: BackupFolders;
let world: World;
let cast: Cast;
/** Agents that report by file and over REST. */
let filed: TestAgent;
let key: string;

beforeAll(async () => {
  folders = await backupFolders();
  world = await createWorld({ clock: new FixedClock(MORNING), env: folders.env });
  cast = await createCast(world);
  filed = await new TestAgent(folders, cast.tenant.slug, 'agent-f').make();
  const { body } = await world.http('POST', `/api/v1/tenants/${cast.tenant_id}/api-keys`, {
    token: cast.operator.token,
    body: { name: 'Key', scopes: ['reports:write'], agent_id: 'agent-r' },
  });
  key = body.key;
});
afterAll(async () => {
  await world.close();
  await folders.remove();
});

const entriesOf = async (reportId: string) => {
  const rows = await world.sql(
    `SELECT * FROM backup_entries WHERE report_id = $1 ORDER BY database_name COLLATE "C"`,
    [reportId],
  );
  return rows.map(({ id: _id, report_id: _report, agent_id: _agent, ...row }) => row);
};

/** Posts the bytes unchanged. */
async function post(bytes: Buffer): Promise<{ status: number; id: string | null }> {
  const response = await world.app.inject({
    method: 'POST',
    url: '/api/v1/backups/reports',
    headers: { 'content-type': 'application/json', 'x-api-key': key },
    payload: bytes,
  });
  const created = response.statusCode === 201;
  return { status: response.statusCode, id: created ? response.json<{ id: string }>().id : null };
}

const lying = () =>
  (['log', 'archive', 'rejected'] as const).flatMap((folder) =>
    filed.files(folder).map((name) => ({ folder, name, path: filed.path(folder, name) })),
  );

/** The outcome of a case's file. */
async function ofFile(name: string, bytes: Buffer) {
  const rows = await world.sql<{ id: string; state: string; reason: string | null }>(
    `SELECT id, state, reason FROM backup_reports WHERE agent_id = 'agent-f' AND file_name = $1`,
    [name],
  );
  const files = lying().filter((file) => file.name === name);
  return {
    rows,
    folders: files.map(({ folder }) => folder),
    kept: files.every(({ path }) => statSync(path).size === bytes.length),
    reason: lying().some((file) => file.name === `${name}.reason` && statSync(file.path).size > 1),
  };
}

describe('invalid reports', () => {
  it('has 300 cases', () => {
    expect(hostileReports(new Random(SEED), CASES, reportsOf('agent-f'))).toHaveLength(CASES);
  });

  it('are rejected with a reason or accepted, alike by file and over REST, and affect no others', async () => {
    const files = hostileReports(new Random(SEED), CASES, reportsOf('agent-f'));
    const bodies = hostileReports(new Random(SEED), CASES, reportsOf('agent-r'));
    const empty = await cpuOf(() => scan(world, cast.tenant_id));
    const wrong: string[] = [];
    for (let first = 0; first < CASES; first += AT_ONCE) {
      const batch = files.slice(first, first + AT_ONCE);
      const answers = [];
      for (const [index, { bytes }] of batch.entries()) {
        const name = nameOf(first + index);
        await filed.put('log', name, bytes);
        answers.push(await post(bodies[first + index]!.bytes));
      }
      const other = await new TestAgent(folders, cast.tenant.slug, `good-${first}`).make();
      const reported = await other.stage('paie.bak', 'the wages');
      await other.drop('STATUS.json', other.report('2026-03-30T20:10:00Z', { paie: reported }));
      const ms = await cpuOf(() => scan(world, cast.tenant_id));
      if (ms > empty + 2_000) wrong.push(`cases from ${first} took ${ms} ms`);
      const [entry] = await world.sql(`SELECT verdict FROM backup_entries WHERE agent_id = $1`, [other.id]);
      expect(entry?.verdict).toBe('SUCCESS');
      for (const [index, hostile] of batch.entries()) {
        const fault = await judged(nameOf(first + index), hostile, answers[index]!);
        if (fault !== null) wrong.push(`${first + index} ${hostile.what}: ${fault}`);
      }
    }
    expect(wrong).toEqual([]);
  }, 120_000);

  const nameOf = (number: number) => `${String(number).padStart(3, '0')}_STATUS.json`;

  /** What is wrong with a case's outcome; null if nothing is. */
  async function judged(
    name: string,
    { bytes, valid }: HostileReport,
    answer: { status: number; id: string | null },
  ): Promise<string | null> {
    const { rows, folders, kept, reason } = await ofFile(name, bytes);
    const [report] = rows;
    const outcome = `${rows.length} × ${report?.state ?? ''} (${report?.reason ?? ''}), REST ${answer.status}`;
    if (rows.length !== 1 || report === undefined || !kept) return outcome;
    if (valid !== undefined && valid !== (report.state === 'accepted')) return outcome;
    if (report.state === 'rejected') {
      const isExplained = report.reason !== '' && reason && folders.join() === 'rejected';
      return isExplained && [400, 403, 413, 422].includes(answer.status) ? null : outcome;
    }
    if (answer.id === null) return outcome;
    const [one, other] = [await entriesOf(report.id), await entriesOf(answer.id)];
    const waits = one.some(({ verdict }) => verdict === null);
    if (folders.join() !== (waits ? 'log' : 'archive')) return outcome;
    return one.length > 0 && JSON.stringify(one) === JSON.stringify(other)
      ? null
      : `other entries, ${outcome}`;
  }

  it('a file of 1 GB is rejected without being read', async () => {
    const path = filed.path('log', 'huge_STATUS.json');
    await writeFile(path, '{');
    await truncate(path, 2 ** 30);
    await rest(path);
    const before = process.memoryUsage().rss;
    expect(await cpuOf(() => scan(world, cast.tenant_id))).toBeLessThan(2_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 2 ** 20);
    expect(filed.read('rejected', 'huge_STATUS.json.reason')).toMatch(
      /1073741824 bytes; a report may have at most 1048576/,
    );
    expect(statSync(filed.path('rejected', 'huge_STATUS.json')).size).toBe(2 ** 30);
  });

  it('a report that was rejected because of its time is accepted later', async () => {
    const agent = await new TestAgent(folders, cast.tenant.slug, 'early').make();
    const report = agent.report('2026-03-31T06:20:00Z', { compta: { status: 'failed' } });
    await agent.drop('STATUS.json', report);
    await scan(world, cast.tenant_id);
    expect(agent.read('rejected', 'STATUS.json.reason')).toMatch(/is in the future/);
    expect(readdirSync(agent.path('log'))).toEqual([]);
    const clock = new FixedClock('2026-03-31T06:30:00.000Z');
    const later = await createWorld({ join: world, clock, env: folders.env });
    await agent.drop('STATUS.json', report);
    await scan(later, cast.tenant_id);
    await later.close();
    expect(await world.sql(`SELECT verdict FROM backup_entries WHERE agent_id = 'early'`)).toEqual([
      { verdict: 'FAILED' },
    ]);
    expect(sha256(agent.read('archive', 'STATUS.json'))).toBe(sha256(JSON.stringify(report)));
  });
});
