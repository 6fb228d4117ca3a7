import { mkdir, rename, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { addTenant } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { type BackupFolders, backupFolders, sha256, stored } from '../agent.fixture.js';
import { addEntry, addReport } from '../board/records.fixture.js';

const DAY_MS = 86_400_000;
/** Tuesday 31 March 2026. */
const NOW = new Date('2026-03-31T07:00:00Z');

describe('retention of stored backups', () => {
  let folders: BackupFolders;
  let world: World;
  let tenant: { id: string; slug: string };

  beforeAll(async () => {
    folders = await backupFolders();
    world = await createWorld({ clock: new FixedClock(NOW), env: folders.env });
  });
  afterAll(async () => {
    await world.close();
    await folders.remove();
  });
  beforeEach(async () => {
    tenant = await addTenant(world);
  });

  /** Stores a backup as of so many days ago at 02:00 UTC. @returns its path */
  async function keep(
    daysAgo: number,
    fields: {
      database_name?: string;
      stored_state?: string;
      stored_path?: string;
      warnings?: string[];
    } = {},
  ): Promise<string> {
    const at = new Date(Date.parse('2026-03-31T02:00:00Z') - daysAgo * DAY_MS);
    const path = `${tenant.slug}/${fields.database_name ?? 'compta'}_${at.toISOString().slice(0, 10)}.bak`;
    await addEntry(world, tenant.id, {
      database_name: 'compta',
      effective_at: at,
      verdict: 'SUCCESS',
      server_hash_sha256: sha256('bytes'),
      announced_at: at,
      stored_path: path,
      stored_state: 'stored',
      ...fields,
    });
    const file = join(folders.env.BACKUP_STORE_DIR, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, 'bytes');
    return path;
  }

  const decide = (retention: object | null) =>
    world.sql(`UPDATE tenants SET settings = $2 WHERE id = $1`, [
      tenant.id,
      JSON.stringify({ backups: { retention } }),
    ]);
  const mine = () => stored(folders).filter((path) => path.startsWith(`${tenant.slug}/`));
  const check = () => runJob(world, tenant.id, 'check-backups');

  it('keeps everything by default', async () => {
    for (let day = 0; day < 5; day += 1) await keep(day * 100);
    expect(await check()).toEqual({});
    expect(mine()).toHaveLength(5);
  });

  it('keeps the last ones, and the newest of each of the last weeks and months', async () => {
    const paths: string[] = [];
    // From 31 March back to 1 January, one backup a night.
    for (let day = 0; day < 90; day += 1) paths.push(await keep(day));
    await decide({ keep_last: 3, keep_weekly: 3, keep_monthly: 3 });
    expect(await check()).toEqual({ removed: 84 });
    expect(mine()).toEqual(
      [
        // The last three; the third of them is also the newest of the week before, which ended on Sunday 29 March.
        '2026-03-31',
        '2026-03-30',
        '2026-03-29',
        // The newest of the week before that.
        '2026-03-22',
        // The newest of each of the months before this one.
        '2026-02-28',
        '2026-01-31',
      ]
        .map((date) => `${tenant.slug}/compta_${date}.bak`)
        .sort(),
    );
    const states = await world.sql(
      `SELECT stored_state, count(*)::int FROM backup_entries WHERE tenant_id = $1 GROUP BY 1 ORDER BY 1`,
      [tenant.id],
    );
    expect(states).toEqual([
      { stored_state: 'removed', count: 84 },
      { stored_state: 'stored', count: 6 },
    ]);
    expect(await check()).toEqual({});
    expect(paths).toHaveLength(90);
  });

  it('counts each database separately, and never removes the last good backup, however old', async () => {
    const old = await keep(300);
    await keep(1, { stored_state: 'damaged' });
    const other = await keep(200, { database_name: 'paie' });
    await keep(201, { database_name: 'paie' });
    await decide({ keep_last: 1, keep_weekly: 0, keep_monthly: 0 });
    expect(await check()).toEqual({ removed: 1 });
    expect(mine()).toContain(old);
    expect(mine()).toContain(other);
    expect(mine()).toHaveLength(3);
  });

  it('removes a doubtful one when keep_last good ones are newer, and not before', async () => {
    const doubtful = { warnings: ['empty_file'] };
    await keep(4, doubtful);
    await keep(3);
    const kept = [await keep(2, doubtful), await keep(1), await keep(0, doubtful)];
    await decide({ keep_last: 2, keep_weekly: 0, keep_monthly: 0 });
    expect(await check()).toEqual({ removed: 1 });
    expect(mine()).toEqual(expect.arrayContaining(kept));
    expect(mine()).toHaveLength(4);
  });

  it('H7: files that cannot be removed do not block the others', async () => {
    await world.sql(
      `INSERT INTO backup_entries (tenant_id, report_id, agent_id, database_name, company_name, city, effective_at,
         wait_until, status, verdict, evaluated_at, settled_at, stored_path, stored_state, created_at)
       SELECT $1, $2, 'stuck', 'db' || n, 'Boulangerie Martin', 'Lyon', now(), now(), 'success', 'SUCCESS', now(), now(),
              $3 || n, 'removing', now() FROM generate_series(1, 501) AS n`,
      [tenant.id, await addReport(world, tenant.id, {}), `${tenant.slug}/a-file/`],
    );
    await mkdir(join(folders.env.BACKUP_STORE_DIR, tenant.slug), { recursive: true });
    // Not a folder: files below it cannot be removed.
    await writeFile(join(folders.env.BACKUP_STORE_DIR, tenant.slug, 'a-file'), '');
    const removable = await keep(9, { stored_state: 'removing' });
    expect(await check()).toEqual({ removed: 1 });
    expect(mine()).not.toContain(removable);
    const left = await world.sql(
      `SELECT 1 FROM backup_entries WHERE tenant_id = $1 AND stored_state = 'removing'`,
      [tenant.id],
    );
    expect(left).toHaveLength(501);
    await world.sql(`DELETE FROM backup_entries WHERE agent_id = 'stuck'`);
  });

  it('H21: does not treat the files of an unmounted store as removed', async () => {
    const old = await keep(300);
    await keep(1);
    await decide({ keep_last: 1, keep_weekly: 0, keep_monthly: 0 });
    const store = folders.env.BACKUP_STORE_DIR;
    await rename(store, `${store}-unmounted`);
    await mkdir(store);
    expect(await check()).toEqual({});
    await rmdir(store);
    await rename(`${store}-unmounted`, store);
    expect(await check()).toEqual({ removed: 1 });
    expect(mine()).not.toContain(old);
  });

  it('continues after a kill, and keeps a file that another entry still needs', async () => {
    const shared = await keep(3);
    await keep(2, { stored_path: shared });
    await keep(9, { stored_state: 'removing' });
    await keep(1);
    await decide({ keep_last: 2, keep_weekly: 0, keep_monthly: 0 });
    expect(await check()).toEqual({ removed: 2 });
    expect(mine()).toContain(shared);
    expect(await world.sql(`SELECT FROM backup_entries WHERE stored_state = 'removing'`)).toEqual([]);
  });
});
