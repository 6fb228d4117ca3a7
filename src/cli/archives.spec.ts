import { readFile, writeFile } from 'node:fs/promises';
import { runJob } from '../../test/support/watched.js';
import { environmentOf } from '../../test/support/world.js';
import { type ArchiveStage, archiveStage, OldTenant } from '../ops/archives/archives.fixture.js';
import { listArchives, restoreArchive, showArchives, verifyArchives } from './archives.js';
import { UsageError } from './exit-codes.js';

describe('vigie archive', () => {
  let stage: ArchiveStage;
  let tenant: OldTenant;
  let environment: Record<string, string>;
  let file: string;
  let ids: string[];

  beforeAll(async () => {
    stage = await archiveStage();
    environment = { ...environmentOf(stage.world), ...stage.environment };
    tenant = await OldTenant.create(stage);
    ids = [await tenant.notify({ created: 50 }), await tenant.notify({ created: 40, user: null })];
    await runJob(stage.world, tenant.id, 'cleanup');
    file = (await tenant.files())[0]!;
  });
  afterAll(() => stage.close());

  const slug = () => tenant.tenant.slug;
  const show = async (options: object) => {
    const lines: string[] = [];
    await showArchives(environment, undefined, { tenant: slug(), limit: '1000', ...options }, (line) =>
      lines.push(line),
    );
    return lines.map((line) => (JSON.parse(line) as { table: string }).table);
  };

  it('V11: lists archives', async () => {
    const [archive] = JSON.parse(await listArchives(environment, { json: true })) as object[];
    expect(archive).toMatchObject({ tenant: slug(), archive: file, state: 'sealed', rows: 8, fault: null });
    expect(await listArchives(environment, { tenant: slug() })).toContain(`${slug()}  ${file}  sealed  8`);
  });

  it('V11: shows a notification with what belongs to it, those of a person, and those of a time', async () => {
    const all = ['notifications', 'deliveries', 'delivery_events', 'provider_events'];
    expect(await show({ id: ids[0] })).toEqual(all);
    expect(await show({ user: tenant.alice.email })).toEqual(all);
    expect(await show({ since: tenant.ago(45).toISOString() })).toEqual(all);
    expect(await show({ until: tenant.ago(60).toISOString() })).toEqual([]);
    expect(await show({ limit: '3' })).toHaveLength(3);
    await expect(show({ since: 'yesterday' })).rejects.toThrow('--since must be a date or an instant');
    for (const wrong of [{ since: 'yesterday' }, { limit: 'x' }])
      await expect(show(wrong)).rejects.toThrow(UsageError);
    await expect(verifyArchives(environment, file, {})).rejects.toThrow(UsageError);
  });

  it('V11: verifies, restores and audits; a damaged archive is an error', async () => {
    expect(await verifyArchives(environment, undefined, {})).toMatchObject({ ok: true });
    expect(await restoreArchive(environment, file, { tenant: slug(), days: '10' })).toBe(
      [
        'notifications: 2 restored, 0 skipped',
        'deliveries: 2 restored, 0 skipped',
        'delivery_events: 2 restored, 0 skipped',
        'provider_events: 2 restored, 0 skipped',
        'The cleanup leaves them alone for 10 days.',
      ].join('\n'),
    );
    expect(await tenant.left()).toEqual(ids);
    const bytes = await readFile(tenant.path(file));
    bytes[40]! ^= 1;
    await writeFile(tenant.path(file), bytes);
    const { text, ok } = await verifyArchives(environment, file, { tenant: slug() });
    expect(ok).toBe(false);
    expect(text).toMatch(/DAMAGED: (it cannot be decompressed|its bytes have changed)/);
    await expect(restoreArchive(environment, file, { tenant: slug(), days: '10' })).rejects.toThrow(
      /decompressed|bytes/,
    );
    expect(
      await stage.world.sql(
        `SELECT status, targets FROM audit_log WHERE action = 'vigie archive restore' ORDER BY at, id`,
      ),
    ).toEqual([
      { status: 200, targets: { archive: file } },
      { status: 500, targets: { archive: file } },
    ]);
  });
});
