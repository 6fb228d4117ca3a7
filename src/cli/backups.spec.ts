import files, { mkdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addPerson, addTenant } from '../../test/support/cast.js';
import { createWorld, environmentOf, type World } from '../../test/support/world.js';
import {
  type BackupFolders,
  backupFolders,
  scan,
  sha256,
  stored,
  TestAgent,
} from '../backups/agent.fixture.js';
import { verifyBackups } from './backups.js';

const DATABASES = ['compta', 'crm', 'paie'];

describe('vigie backups verify', () => {
  let folders: BackupFolders;
  let world: World;
  let tenant: { id: string; slug: string };
  let environment: Record<string, string>;

  beforeAll(async () => {
    folders = await backupFolders();
    world = await createWorld({ env: folders.env });
    environment = { ...environmentOf(world), ...folders.env };
    tenant = await addTenant(world);
    await addPerson(world, tenant.id, { name: 'Alice', role: 'admin' });
    const agent = await new TestAgent(folders, tenant.slug, 'srv-1').make();
    const databases = Object.fromEntries(
      await Promise.all(
        DATABASES.map(async (name) => [name, await agent.stage(`${name}.bak`, name)] as const),
      ),
    );
    await agent.drop('STATUS.json', agent.report('2026-03-30T02:00:00Z', databases));
    await scan(world, tenant.id);
  });
  afterAll(async () => {
    await world.close();
    await folders.remove();
  });

  const file = (database: string) =>
    join(folders.env.BACKUP_STORE_DIR, stored(folders).find((path) => path.includes(`/${database}/`)) ?? '');
  const entries = () =>
    world.sql(
      `SELECT database_name, stored_state, verified_at IS NOT NULL AS verified FROM backup_entries ORDER BY 1`,
    );
  const alerts = () =>
    world.sql(
      `SELECT kind, state, occurrences, data ->> 'database_name' AS database, data ->> 'state' AS damage
       FROM alerts ORDER BY database`,
    );

  it('B6: reports that all files are intact', async () => {
    expect(await verifyBackups(environment, {})).toEqual({
      text: `${tenant.slug}: 3 files, 0.0 MB, 0 damaged or missing`,
      ok: true,
    });
    expect(await entries()).toEqual(
      DATABASES.map((database_name) => ({ database_name, stored_state: 'stored', verified: true })),
    );
    expect(await alerts()).toEqual([]);
  });

  it('alerts once about bit rot and a missing file, and not after they are restored', async () => {
    const crm = file('crm');
    await writeFile(file('compta'), 'comptb');
    await rm(crm);
    const { text, ok } = await verifyBackups(environment, { json: true });
    expect(ok).toBe(false);
    const [result] = JSON.parse(text) as { damages: { state: string; found_sha256: string | null }[] }[];
    expect(result?.damages.map(({ state, found_sha256 }) => [state, found_sha256]).sort()).toEqual([
      ['damaged', sha256('comptb')],
      ['gone', null],
    ]);
    expect((await entries()).map(({ stored_state }) => stored_state)).toEqual(['damaged', 'gone', 'stored']);
    const damages = [
      { kind: 'backup_damaged', state: 'open', database: 'compta', damage: 'damaged' },
      { kind: 'backup_damaged', state: 'open', database: 'crm', damage: 'gone' },
    ];
    expect(await alerts()).toMatchObject(damages.map((alert) => ({ ...alert, occurrences: 1 })));
    await verifyBackups(environment, { tenant: tenant.slug });
    expect(await alerts()).toMatchObject(damages.map((alert) => ({ ...alert, occurrences: 2 })));
    expect(await world.sql(`SELECT FROM notifications WHERE kind = 'backup_damaged'`)).toHaveLength(2);

    await writeFile(file('compta'), 'compta');
    await writeFile(crm, 'crm');
    expect((await verifyBackups(environment, {})).ok).toBe(true);
    expect(await alerts()).toMatchObject(damages.map((alert) => ({ ...alert, state: 'resolved' })));
  });

  it('refuses an unmounted store, and an unknown tenant', async () => {
    await expect(verifyBackups(environment, { tenant: 'nobody' })).rejects.toThrow(
      'there is no tenant nobody',
    );
    const elsewhere = { ...environment, BACKUP_STORE_DIR: join(folders.root, 'not-mounted') };
    await expect(verifyBackups(elsewhere, {})).rejects.toThrow('there is no backup store at');
    expect((await entries()).map(({ stored_state }) => stored_state)).toEqual(['stored', 'stored', 'stored']);
  });

  it('H21: an empty mount point is not the store: no alert, no backup becomes missing', async () => {
    const store = folders.env.BACKUP_STORE_DIR;
    const before = [await entries(), await alerts()];
    await rename(store, `${store}-unmounted`);
    await mkdir(store);
    await expect(verifyBackups(environment, {})).rejects.toThrow(
      `there is no backup store at ${store}: the backup store folder has no file .vigie-store`,
    );
    expect([await entries(), await alerts()]).toEqual(before);
    await rmdir(store);
    await rename(`${store}-unmounted`, store);
    expect((await verifyBackups(environment, {})).ok).toBe(true);
  });

  it('H21: a store that is unmounted during the verification damages no backup', async () => {
    const store = folders.env.BACKUP_STORE_DIR;
    const before = [await entries(), await alerts()];
    const { open } = files;
    jest.spyOn(files, 'open').mockImplementation(async (path, ...given) => {
      if (String(path).startsWith(store)) await rename(store, `${store}-unmounted`).catch(() => undefined);
      return open(path, ...given);
    });
    await expect(verifyBackups(environment, {})).rejects.toThrow('does not exist');
    jest.restoreAllMocks();
    expect([await entries(), await alerts()]).toEqual(before);
    await rename(`${store}-unmounted`, store);
  });
});
