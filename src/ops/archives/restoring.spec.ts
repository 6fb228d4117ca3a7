import { appendFile, cp, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { runJob } from '../../../test/support/watched.js';
import { TenantDirectory } from '../../tenants/tenant-directory.js';
import { ArchiveCatalog } from './archive-catalog.js';
import { type ArchiveStage, archiveStage, OldTenant } from './archives.fixture.js';
import { Restoring } from './restoring.js';

let stage: ArchiveStage;
let catalog: ArchiveCatalog;
let tenant: OldTenant;
/** The rows before the cleanup, and the only archive afterwards. */
let before: Awaited<ReturnType<OldTenant['rows']>>;
let file: string;

beforeAll(async () => {
  stage = await archiveStage();
  catalog = stage.world.app.get(ArchiveCatalog, { strict: false });
});
afterAll(() => stage.close());
beforeEach(async () => {
  tenant = await OldTenant.create(stage);
  await tenant.notify({ alert: 'gone', deliveries: [{ state: 'sent', ended: 35, text: 'Zeile\n2' }] });
  await tenant.notify({ user: null, deliveries: [{ state: 'failed', ended: 35 }] });
  before = await tenant.rows();
  await clean();
  file = (await tenant.files())[0]!;
});

const clean = () => runJob(stage.world, tenant.id, 'cleanup');
const archiveOf = async (of = tenant, name = file) => {
  const entry = await stage.world.app.get(TenantDirectory, { strict: false }).bySlug(of.tenant.slug);
  return catalog.find(entry!, name);
};
const restore = async () => stage.world.app.get(Restoring, { strict: false }).restore(await archiveOf(), 30);
const verify = async () => catalog.verify(await archiveOf());

describe('restoring an archive', () => {
  it('V11: gives back equal rows', async () => {
    expect(await tenant.rows()).toEqual([]);
    await verify();
    expect(await restore()).toEqual({
      restored: { notifications: 2, deliveries: 2, delivery_events: 2, provider_events: 1 },
      skipped: { notifications: 0, deliveries: 0, delivery_events: 0, provider_events: 0 },
    });
    expect(await tenant.rows()).toEqual(before);
  });

  it('V11: skips rows that exist, and says how many', async () => {
    await restore();
    await stage.world.sql(`DELETE FROM deliveries WHERE tenant_id = $1 AND state = 'sent'`, [tenant.id]);
    expect(await restore()).toEqual({
      restored: { notifications: 0, deliveries: 1, delivery_events: 1, provider_events: 1 },
      skipped: { notifications: 2, deliveries: 1, delivery_events: 1, provider_events: 0 },
    });
    expect(await tenant.rows()).toEqual(before);
  });

  it('the cleanup leaves restored rows alone for a time, and then archives them again', async () => {
    await restore();
    await clean();
    expect(await tenant.rows()).toEqual(before);
    stage.clock.advance(31 * 86_400_000);
    await clean();
    expect(await tenant.rows()).toEqual([]);
    stage.clock.advance(-31 * 86_400_000);
  });

  it('does not bring back an erased person, nor what was sent to them', async () => {
    await stage.world.sql(`DELETE FROM users WHERE id = $1`, [tenant.alice.id]);
    await stage.world.sql(`DELETE FROM alerts WHERE tenant_id = $1`, [tenant.id]);
    expect(await restore()).toMatchObject({
      restored: { notifications: 1, deliveries: 1 },
      skipped: { notifications: 1, deliveries: 1, provider_events: 1 },
    });
  });

  it('clears a reference to an alert that does not exist any more', async () => {
    await stage.world.sql(`DELETE FROM alerts WHERE tenant_id = $1`, [tenant.id]);
    expect(await restore()).toMatchObject({ restored: { notifications: 2 } });
    const rows = await stage.world.sql(
      `SELECT FROM notifications WHERE tenant_id = $1 AND alert_id IS NULL`,
      [tenant.id],
    );
    expect(rows).toHaveLength(2);
  });

  it('restores a file that PostgreSQL does not know, such as after its own restoration', async () => {
    await stage.world.sql(`DELETE FROM archives WHERE tenant_id = $1`, [tenant.id]);
    await restore();
    await clean();
    expect(await tenant.rows()).toEqual(before);
  });
});

describe('a damaged archive is refused, and restores nothing', () => {
  const path = () => tenant.path(file);
  const damages: [string, RegExp, () => Promise<void>][] = [
    [
      'with a flipped byte',
      /cannot be decompressed|bytes have changed/,
      async () => {
        const bytes = await readFile(path());
        bytes[bytes.length >> 1]! ^= 1;
        await writeFile(path(), bytes);
      },
    ],
    [
      // Not covered by the checksum of gzip.
      'with a flipped byte in a header',
      /bytes have changed/,
      async () => {
        const bytes = await readFile(path());
        bytes[9]! ^= 1;
        await writeFile(path(), bytes);
      },
    ],
    ['cut short', /cut short: \d+ of \d+ bytes/, async () => truncate(path(), 100)],
    ['with something added', /instead of \d+ bytes/, async () => appendFile(path(), 'x')],
    ['that is missing', /its file is missing/, async () => rm(path())],
    ['without its manifest', /manifest is missing/, async () => rm(`${path()}.manifest.json`)],
    [
      'whose manifest counts other rows',
      /manifest is missing, or differs/,
      async () => {
        const text = await readFile(`${path()}.manifest.json`, 'utf8');
        await writeFile(`${path()}.manifest.json`, text.replace('"notifications": 2', '"notifications": 3'));
      },
    ],
    [
      'that is a link',
      /ELOOP/,
      async () => {
        await cp(path(), `${path()}.real`);
        await rm(path());
        await symlink(`${path()}.real`, path());
      },
    ],
  ];
  it.each(damages)('V11: %s', async (_name, message, damage) => {
    await damage();
    await expect(verify()).rejects.toThrow(message);
    await expect(restore()).rejects.toThrow(message);
    expect(await tenant.rows()).toEqual([]);
  });

  it('V11: one of another tenant, also with a forged manifest', async () => {
    const other = await OldTenant.create(stage);
    await mkdir(dirname(other.path(file)), { recursive: true });
    for (const name of [file, `${file}.manifest.json`]) await cp(tenant.path(name), other.path(name));
    const restoring = stage.world.app.get(Restoring, { strict: false });
    await expect(restoring.restore(await archiveOf(other), 30)).rejects.toThrow(/another tenant/);
    const manifest = await readFile(other.path(`${file}.manifest.json`), 'utf8');
    await writeFile(other.path(`${file}.manifest.json`), manifest.replace(tenant.id, other.id));
    await expect(restoring.restore(await archiveOf(other), 30)).rejects.toThrow(
      'it has rows of another tenant',
    );
    expect(await other.rows()).toEqual([]);
  });

  it('V11: an archive of another tenant cannot be named', async () => {
    const other = await OldTenant.create(stage);
    await expect(archiveOf(other)).rejects.toThrow(`the tenant ${other.tenant.slug} has no archive`);
  });
});

it('V11: parents come before their children', async () => {
  const tables: string[] = [];
  await catalog.read(await archiveOf(), ({ table }) => void tables.push(table));
  expect(tables).toEqual(before.map(({ table }) => table).sort(byTable));
});

/** Parents first. */
function byTable(one: string, other: string): number {
  const order = ['notifications', 'channel_fallbacks', 'deliveries', 'delivery_events', 'provider_events'];
  return order.indexOf(one) - order.indexOf(other);
}
