import { gzipSync } from 'node:zlib';
import { addPerson } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { wordedNotifications } from '../../../test/support/worded.js';
import type { TestAgent } from '../agent.fixture.js';
import { ScannedWorld } from './scan.fixture.js';

const DAY_MS = 86_400_000;
/** The night of 31 March 2026, by the report's time: 22:10 in Paris. */
const FIRST = Date.parse('2026-03-30T20:10:00Z');

describe('F1: a backup with the right hash that is not a backup', () => {
  let scans: ScannedWorld;
  let agent: TestAgent;
  let job: string;
  let night: number;

  beforeAll(async () => {
    scans = await ScannedWorld.create();
  });
  afterAll(() => scans.close());
  beforeEach(async () => {
    agent = await scans.beginAnew();
    job = await scans.expectJob('paie');
    night = 0;
    await keep(null);
  });

  const keep = (retention: object | null) =>
    scans.world.sql(`UPDATE tenants SET settings = $2 WHERE id = $1`, [
      scans.cast.tenant_id,
      JSON.stringify({ backups: { retention } }),
    ]);

  /** The next night's backup, and the scan of the morning after it. */
  async function backUp(content: Buffer | string, file = `paie-${night}.sql.gz`) {
    const at = new Date(FIRST + night * DAY_MS);
    const reported = await agent.stage(file, content);
    await agent.drop(`${night}_STATUS.json`, agent.report(at.toISOString(), { paie: reported }));
    scans.clock.set(new Date(at.getTime() + DAY_MS / 3));
    night += 1;
    await runJob(scans.world, scans.cast.tenant_id, 'check-backups');
    return (await scans.entries()).at(-1)!;
  }

  const real = (bytes = 200_000) => Buffer.alloc(bytes, `dump of night ${night}`);
  /** The answer to a user who logs in now. */
  async function as(method: 'GET' | 'POST', path: string) {
    const { id, token } = await addPerson(scans.world, scans.cast.tenant_id, { name: 'Ada', role: 'admin' });
    const answer = await scans.world.http(method, path, { token });
    await scans.world.sql(`DELETE FROM users WHERE id = $1`, [id]);
    expect(answer.status).toBe(200);
    return answer;
  }
  const titles = async () =>
    (await wordedNotifications(scans.world, scans.cast.tenant_id)).map(({ title }) => title);

  it('F1: an empty file is announced, and keep_last: 1 does not remove the last real backup', async () => {
    await keep({ keep_last: 1, keep_weekly: 0, keep_monthly: 0 });
    const first = await backUp(real());
    expect(await backUp(gzipSync(''))).toMatchObject({
      verdict: 'SUCCESS',
      warnings: ['empty_file'],
      stored_state: 'stored',
    });
    expect(await titles()).toEqual(['ALERTE SAUVEGARDE - paie - FICHIER VIDE']);
    expect(scans.stored()).toContain(first.stored_path);
    expect(await scans.job(job)).toMatchObject({
      status: 'SUCCESS',
      warnings: ['empty_file'],
      last_success_at: new Date(FIRST),
      status_since: new Date(FIRST + DAY_MS),
    });
    // Two nights later the second empty one arrives, and the last real one is still there.
    await backUp('');
    expect(scans.stored()).toContain(first.stored_path);
    // A newer good backup replaces both.
    const last = await backUp(real());
    expect(scans.stored()).toEqual([last.stored_path]);
    expect((await titles()).at(-1)).toBe('SAUVEGARDE RÉTABLIE - paie');
  });

  it('F1: the board shows doubtful backups with their incident', async () => {
    await backUp('');
    const board = await as('GET', '/api/v1/backups/status');
    expect(board.body.data).toMatchObject([
      {
        verdict: 'SUCCESS',
        warnings: ['empty_file'],
        last_success_at: null,
        incidents: [{ verdict: 'SUCCESS', warning: 'empty_file', state: 'open' }],
        results: [{ verdict: 'SUCCESS', warnings: ['empty_file'] }],
      },
    ]);
  });

  it('F1: a file far below the median of the last good ones is shrunk, and later medians ignore it', async () => {
    for (const bytes of [200_000, 210_000, 190_000]) await backUp(real(bytes));
    expect(await backUp(real(20_001))).toMatchObject({ warnings: [] });
    expect(await backUp(real(19_000))).toMatchObject({ verdict: 'SUCCESS', warnings: ['shrunk'] });
    expect(await titles()).toEqual(['ALERTE SAUVEGARDE - paie - FICHIER TRÈS RÉDUIT']);
    expect(await backUp(real(18_000))).toMatchObject({ warnings: ['shrunk'] });
    expect(await backUp(real(205_000))).toMatchObject({ warnings: [] });
    expect(await scans.job(job)).toMatchObject({ warnings: [] });
  });

  it('F1: three tiny backups that one scan decides are all shrunk, and keep_last: 1 keeps the real one', async () => {
    await keep({ keep_last: 1, keep_weekly: 0, keep_monthly: 0 });
    const first = await backUp(real());
    for (; night <= 3; night += 1) {
      const at = new Date(FIRST + night * DAY_MS).toISOString();
      const said = await agent.stage(`paie-${night}.sql.gz`, `tiny ${night}`);
      await agent.drop(`${night}_STATUS.json`, agent.report(at, { paie: said }));
    }
    scans.clock.set(new Date(FIRST + 3 * DAY_MS + DAY_MS / 3));
    await runJob(scans.world, scans.cast.tenant_id, 'check-backups');
    expect((await scans.entries()).map(({ verdict, warnings }) => [verdict, warnings])).toEqual([
      ['SUCCESS', []],
      ...[1, 2, 3].map(() => ['SUCCESS', ['shrunk']]),
    ]);
    expect(scans.stored()).toContain(first.stored_path);
    expect(await titles()).toEqual(['ALERTE SAUVEGARDE - paie - FICHIER TRÈS RÉDUIT']);
  });

  it('F1: who resolves the alert accepts the new size', async () => {
    await backUp(real());
    await backUp(real(1_000));
    const [alert] = await scans.world.sql(`SELECT id FROM alerts WHERE gone_at IS NULL`);
    await as('POST', `/api/v1/alerts/${alert!.id}/resolve`);
    expect(await backUp(real(1_100))).toMatchObject({ warnings: [] });
    expect(await backUp(real(1_050))).toMatchObject({ warnings: [] });
    expect(await backUp(real(50))).toMatchObject({ warnings: ['shrunk'] });
  });

  it('F1: an API key accepts the new size by resolving the alert, as a person does', async () => {
    const made = await scans.world.http('POST', `/api/v1/tenants/${scans.cast.tenant_id}/api-keys`, {
      token: scans.cast.operator.token,
      body: { name: 'monitor', scopes: ['watched:write'] },
    });
    await backUp(real());
    await backUp(real(1_000));
    const [alert] = await scans.world.sql(`SELECT id FROM alerts WHERE gone_at IS NULL`);
    const { status } = await scans.world.http('POST', `/api/v1/alerts/${alert!.id}/resolve`, {
      headers: { 'x-api-key': (made.body as { key: string }).key },
    });
    expect(status).toBe(200);
    expect(await backUp(real(1_100))).toMatchObject({ warnings: [] });
  });

  it('F1: the same bytes on two nights are noted, and nobody is notified', async () => {
    await backUp('the ledger');
    expect(await backUp('the ledger')).toMatchObject({ verdict: 'SUCCESS', warnings: ['unchanged'] });
    expect(await backUp('the ledger, one entry more')).toMatchObject({ warnings: [] });
    expect(await titles()).toEqual([]);
  });

  it('F1: an incident stays open while only doubtful backups come', async () => {
    const at = new Date(FIRST).toISOString();
    await agent.drop('STATUS.json', agent.report(at, { paie: { status: 'failed', error_msg: 'disk full' } }));
    await runJob(scans.world, scans.cast.tenant_id, 'check-backups');
    night = 1;
    await backUp('\n');
    expect(await titles()).toEqual([
      'ALERTE SAUVEGARDE - paie - FAILED',
      'ALERTE SAUVEGARDE - paie - FICHIER VIDE',
    ]);
    await backUp(real());
    const recovered = (await wordedNotifications(scans.world, scans.cast.tenant_id)).at(-1)!;
    expect(recovered).toMatchObject({ kind: 'backup_recovered' });
    expect(recovered.data.failed).toEqual(['FAILED', 'empty_file']);
  });

  it('F1: a database that nobody expects is never shrunk: it has no alert with which to accept the size', async () => {
    await scans.world.sql(`DELETE FROM backup_jobs WHERE id = $1`, [job]);
    await backUp(real());
    expect(await backUp(real(900))).toMatchObject({ job_id: null, warnings: [] });
    expect(await titles()).toEqual([]);
  });
});
