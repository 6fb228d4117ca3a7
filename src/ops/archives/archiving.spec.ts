import { randomUUID } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { runJob } from '../../../test/support/watched.js';
import { ArchiveFile } from './archive-file.js';
import { type ArchiveStage, archiveStage, type Old, OldTenant } from './archives.fixture.js';
import { ArchiveRecords } from './archive-records.js';
import { Archiving } from './archiving.js';
import { Chunks } from './chunks.js';
import { Sealing } from './sealing.js';

let stage: ArchiveStage;

beforeAll(async () => {
  stage = await archiveStage();
});
afterAll(() => stage.close());
afterEach(() => jest.restoreAllMocks());

const clean = (of: OldTenant) => runJob(stage.world, of.id, 'cleanup');

describe('the cleanup of notifications', () => {
  const goes: [string, Old][] = [
    ['sent more than 30 days ago', { deliveries: [{ state: 'sent', ended: 30.01 }] }],
    ['failed more than 7 days ago', { created: 8, read: 8, deliveries: [{ state: 'failed', ended: 7.01 }] }],
    ['suppressed more than 30 days ago', { deliveries: [{ state: 'suppressed', ended: 31 }] }],
    ['without deliveries, 30 days old', { created: 30.01, deliveries: [] }],
    ['unread for 90 days', { created: 90.01, read: null }],
    ['to an address, which nobody reads in a feed', { user: null, read: null }],
    ['of an alert that is gone', { alert: 'gone' }],
    ['of an alert that somebody has resolved', { alert: 'resolved' }],
  ];
  it.each(goes)('E9: archives and deletes one %s', async (_name, old) => {
    const tenant = await OldTenant.create(stage);
    await tenant.notify(old);
    const before = await tenant.rows();
    const counts = await clean(tenant);
    expect(counts.notifications).toBe(1);
    expect(await tenant.rows()).toEqual([]);
    expect(await tenant.archived()).toEqual(before);
  });

  const stays: [string, Old][] = [
    ['sent 30 days ago', { created: 30, deliveries: [{ state: 'sent', ended: 29.99 }] }],
    ['failed 7 days ago', { created: 8, deliveries: [{ state: 'failed', ended: 6.99 }] }],
    [
      'with one delivery that still waits',
      {
        deliveries: [
          { state: 'sent', ended: 35 },
          { state: 'pending', ended: null },
        ],
      },
    ],
    [
      'with one delivery sent lately',
      {
        deliveries: [
          { state: 'failed', ended: 35 },
          { state: 'sent', ended: 1 },
        ],
      },
    ],
    ['unread for 89 days', { created: 89, read: null }],
    ['of an open alert, read', { created: 400, alert: 'open' }],
    ['of an open alert, unread', { created: 400, read: null, alert: 'open' }],
  ];
  it('E9: keeps all others', async () => {
    const tenant = await OldTenant.create(stage);
    for (const [, old] of stays) await tenant.notify(old);
    const before = await tenant.rows();
    const counts = await clean(tenant);
    expect(counts.notifications).toBeUndefined();
    expect(await tenant.rows()).toEqual(before);
    expect(await tenant.files()).toEqual([]);
  });

  it('E9: follows the retention of each tenant', async () => {
    const retention = { sent_days: 60, failed_days: 1, unread_days: 5 };
    const own = await OldTenant.create(stage, { retention });
    const kept = await own.notify({ created: 59, read: 59 });
    await own.notify({ created: 61, read: 61 });
    await own.notify({ created: 2, read: 2, deliveries: [{ state: 'failed', ended: 1.5 }] });
    await own.notify({ created: 61, read: null });
    await clean(own);
    expect(await own.left()).toEqual([kept]);
  });

  it('counts the inbox again when an unread one goes', async () => {
    const tenant = await OldTenant.create(stage);
    await tenant.row('inboxes', { user_id: tenant.alice.id, seq: 7 });
    await tenant.notify({ created: 100, read: null });
    await clean(tenant);
    const [inbox] = await stage.world.sql(`SELECT seq FROM inboxes WHERE tenant_id = $1`, [tenant.id]);
    expect(inbox).toEqual({ seq: 8 });
  });
});

describe('an archive', () => {
  it('V11: is compressed NDJSON with a manifest; PostgreSQL has the same', async () => {
    const tenant = await OldTenant.create(stage);
    for (let n = 0; n < 3; n++) await tenant.notify({ created: 40 + n, read: 39 });
    const counts = await clean(tenant);
    expect(counts).toMatchObject({ notifications: 3, deliveries: 3, delivery_events: 3, provider_events: 3 });
    const [file, manifest] = await tenant.files();
    expect([file, manifest]).toEqual([
      expect.stringMatching(/^2026-06\/notifications-20260615T000000Z-[0-9a-f-]{36}\.ndjson\.gz$/),
      `${file}.manifest.json`,
    ]);
    const [record] = await stage.world.app.get(ArchiveRecords, { strict: false }).list(tenant.id);
    expect(JSON.parse(await readFile(tenant.path(manifest!), 'utf8'))).toEqual({
      format: 1,
      tenant_id: tenant.id,
      tenant: tenant.tenant.slug,
      thing: 'notifications',
      file: file!.split('/')[1],
      bytes: record!.bytes,
      sha256: record!.sha256,
      counts: { notifications: 3, deliveries: 3, delivery_events: 3, provider_events: 3 },
      first_at: tenant.ago(42).toISOString(),
      last_at: tenant.ago(40).toISOString(),
      schema_version: 'Schema1700000000001',
      created_at: stage.clock.now().toISOString(),
      sealed_at: stage.clock.now().toISOString(),
    });
  });

  it('takes at most 1,000 rows a transaction, whatever belongs to a notification', async () => {
    const tenant = await OldTenant.create(stage);
    for (let n = 0; n < 30; n++) await tenant.notify({ deliveries: [{ state: 'sent', ended: 35 }] });
    await stage.world.sql(
      `INSERT INTO delivery_events (tenant_id, delivery_id, event, attempt, at)
       SELECT tenant_id, id, 'retried', n, created_at FROM deliveries, generate_series(1, 60) n WHERE tenant_id = $1`,
      [tenant.id],
    );
    const before = await tenant.rows();
    const take = jest.spyOn(Chunks.prototype, 'take');
    await clean(tenant);
    const sizes = await Promise.all(
      take.mock.results.map(async ({ value }) => ((await value) as { rows: number }).rows),
    );
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000);
    expect(sizes.filter((rows) => rows > 0).length).toBeGreaterThan(1);
    expect(await tenant.archived()).toEqual(before);
  });
});

describe('a cleanup that ends in the middle', () => {
  class Killed extends Error {}
  const kill = () => Promise.reject(new Killed('killed'));
  /** Lets a method do its work once, and then fails. */
  function killAfter<Name extends string>(
    of: Record<Name, (...all: never[]) => Promise<unknown>>,
    name: Name,
  ) {
    const original = of[name];
    jest.spyOn(of as never, name as never).mockImplementationOnce(async function (
      this: unknown,
      ...all: never[]
    ) {
      await original.apply(this, all);
      await kill();
    } as never);
  }
  const steps: [string, () => void][] = [
    [
      'before a file is written',
      () => jest.spyOn(ArchiveFile.prototype, 'write').mockImplementationOnce(kill),
    ],
    ['after a file is written', () => killAfter(ArchiveFile.prototype, 'write')],
    ['before the rows are deleted', () => killAfter(ArchiveRecords.prototype, 'add')],
    ['after the commit of a chunk', () => killAfter(Chunks.prototype, 'take')],
    [
      'before the archive is sealed',
      () => jest.spyOn(Sealing.prototype, 'seal').mockImplementationOnce(kill),
    ],
    [
      'after the file has its name',
      () => jest.spyOn(ArchiveRecords.prototype, 'seal').mockImplementationOnce(kill),
    ],
    ['after the archive is created', () => killAfter(ArchiveRecords.prototype, 'create')],
    ['after it is sealed', () => killAfter(Sealing.prototype, 'seal')],
  ];
  it.each(steps)('V11: loses no row and archives none twice: %s', async (_name, inject) => {
    const tenant = await OldTenant.create(stage);
    for (let n = 0; n < 3; n++) await tenant.notify();
    const before = await tenant.rows();
    inject();
    await expect(clean(tenant)).rejects.toThrow('killed');
    await clean(tenant);
    expect(await tenant.rows()).toEqual([]);
    expect(await tenant.archived()).toEqual(before);
    expect((await tenant.files()).filter((name) => !/\.ndjson\.gz(\.manifest\.json)?$/.test(name))).toEqual(
      [],
    );
  });

  it('V11: a full disk deletes nothing, and the run says so', async () => {
    const tenant = await OldTenant.create(stage);
    await tenant.notify();
    const before = await tenant.rows();
    const probe = await open('/dev/null', 'r');
    const handle = Object.getPrototypeOf(probe) as typeof probe;
    await probe.close();
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const write = jest.spyOn(handle, 'write').mockRejectedValue(full);
    await expect(clean(tenant)).rejects.toThrow(/could not be written: ENOSPC.*its rows were not deleted/);
    write.mockRestore();
    expect(await tenant.rows()).toEqual(before);
    await clean(tenant);
    expect(await tenant.archived()).toEqual(before);
  });

  it('V11: a file that does not hold what was written deletes nothing', async () => {
    const tenant = await OldTenant.create(stage);
    await tenant.notify();
    const before = await tenant.rows();
    const probe = await open('/dev/null', 'r');
    const handle = Object.getPrototypeOf(probe) as typeof probe;
    await probe.close();
    jest.spyOn(handle, 'datasync').mockImplementationOnce(async function (this: typeof probe) {
      await this.write(Buffer.from([0]), 0, 1, 12);
    });
    await expect(clean(tenant)).rejects.toThrow(/does not hold what was written/);
    expect(await tenant.rows()).toEqual(before);
  });

  it('a process that was stopped meanwhile does not write into an archive that another has sealed', async () => {
    const tenant = await OldTenant.create(stage);
    await tenant.notify();
    const before = await tenant.rows();
    const archiving = stage.world.app.get(Archiving, { strict: false });
    const run = {
      id: randomUUID(),
      tenant_id: tenant.id,
      job: 'cleanup' as const,
      slot: null,
      date: null,
      signal: new AbortController().signal,
      progress: () => undefined,
    };
    const chunks = stage.world.app.get(Chunks, { strict: false });
    const take = chunks.take.bind(chunks);
    jest.spyOn(chunks, 'take').mockImplementationOnce(async (...all) => {
      // Another process runs the whole cleanup between this one's look and its chunk.
      await archiving.run(run);
      return take(...all);
    });
    await expect(archiving.run(run)).rejects.toThrow(/another process has taken over the archive/);
    expect(await tenant.rows()).toEqual([]);
    expect(await tenant.archived()).toEqual(before);
  });
});
