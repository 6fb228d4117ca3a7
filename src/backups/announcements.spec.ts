import { Logger } from '@nestjs/common';
import { addPerson, addTenant, type Person } from '../../test/support/cast.js';
import { createWorld, type World } from '../../test/support/world.js';
import type { BackupReason, BackupVerdict } from '../contracts/backups.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import { BackupAnnouncements } from './announcements.js';
import { addEntry, addJob, addResult } from './records.fixture.js';

const NOW = '2026-03-30T01:15:00.000Z';
const hours = (count: number) => count * 3_600_000;

const NANTES = { agent_id: 'nantes-01', city: 'Nantes', neighborhood: 'Chantenay' };

const clock = new FixedClock(NOW);
let world: World;
let tenantId: string;
let admin: Person;
let compta: string;

beforeAll(async () => {
  world = await createWorld({
    clock,
    env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' },
  });
});
afterAll(() => world.close());
beforeEach(async () => {
  clock.set(NOW);
  tenantId = (await addTenant(world)).id;
  admin = await addPerson(world, tenantId, { name: 'Ada', role: 'admin' });
  compta = await job('compta');
});

const { signal } = new AbortController();
const tellNew = () => world.app.get(BackupAnnouncements, { strict: false }).tellNew(tenantId, signal);
const remindAll = () => world.app.get(BackupAnnouncements, { strict: false }).remindAll(tenantId, signal);
const job = (database_name: string) =>
  addJob(world, tenantId, { ...NANTES, database_name, grace_minutes: 60 });
const found = (verdict: BackupVerdict, reason?: BackupReason, job_id: string | null = compta) =>
  addResult(world, tenantId, { job_id, effective_at: clock.now(), verdict, reason: reason ?? null });
const told = () =>
  world.sql<{ kind: string; title: string; severity: string; data: Record<string, unknown> }>(
    `SELECT kind, title, severity, data FROM notifications WHERE tenant_id = $1 ORDER BY created_at, id`,
    [tenantId],
  );
const titles = async () => (await told()).map(({ title }) => title);
const alerts = () =>
  world.sql(
    `SELECT dedupe_key, state, occurrences, gone_at IS NOT NULL AS gone FROM alerts WHERE tenant_id = $1
     ORDER BY first_seen_at, id`,
    [tenantId],
  );
const unannounced = () =>
  world.sql<{ id: string }>(
    `SELECT id FROM backup_entries WHERE tenant_id = $1 AND announced_at IS NULL ORDER BY id`,
    [tenantId],
  );

describe('B7, V3: what is wrong with a backup', () => {
  it.each([
    ['FAILED', 'agent_failed', 'ALERTE SAUVEGARDE - compta - FAILED'],
    [
      'TRANSFER_INTEGRITY_FAILED',
      'agent_transfer_failed',
      'ALERTE SAUVEGARDE - compta - TRANSFER INTEGRITY FAILED',
    ],
    ['HASH_MISMATCH', 'hash_differs', 'ALERTE SAUVEGARDE - compta - HASH MISMATCH'],
    ['MISSING', 'no_report', 'ALERTE SAUVEGARDE - compta - MISSING'],
  ] as const)('%s is told to the admins, once', async (verdict, reason, title) => {
    const entry = await found(verdict, reason);
    expect(await tellNew()).toEqual({ alerts: 1, recovered: 0, not_announced: 0 });
    expect(await tellNew()).toEqual({ alerts: 0, recovered: 0, not_announced: 0 });
    expect(await told()).toMatchObject([
      {
        kind: 'backup_alert',
        title,
        severity: 'critical',
        data: { job_id: compta, entry_id: entry, verdict, reason, neighborhood: 'Chantenay' },
      },
    ]);
    expect(await alerts()).toEqual([
      { dedupe_key: `backup:${compta}:${verdict}`, state: 'open', occurrences: 1, gone: false },
    ]);
    expect(await unannounced()).toEqual([]);
  });

  it('a SUCCESS without an incident says nothing', async () => {
    await found('SUCCESS');
    expect(await tellNew()).toEqual({ alerts: 0, recovered: 0, not_announced: 0 });
    expect([await told(), await alerts(), await unannounced()]).toEqual([[], [], []]);
  });

  it('carries all that is known: instants in UTC, sizes, and how they compare', async () => {
    await addResult(world, tenantId, {
      job_id: compta,
      effective_at: clock.now(),
      verdict: 'HASH_MISMATCH',
      reason: 'hash_differs',
      expected_on: '2026-03-30',
      expected_at: '2026-03-30T00:00:00Z',
      staged_file_name: 'compta.gz',
      hash_sha256: 'aa',
      server_hash_sha256: 'bb',
      size_bytes: 3_000_000_000,
      server_size_bytes: 3_000_000_000,
      agent_transfer_process_start_time_utc: '2026-03-30T00:30:00.5Z',
    });
    await tellNew();
    expect((await told())[0]?.data).toMatchObject({
      agent_id: 'nantes-01',
      company_name: 'Boulangerie Martin',
      city: 'Nantes',
      expected_time: '02:00',
      expected_at: '2026-03-30T00:00:00.000Z',
      status_since: NOW,
      last_failure_at: NOW,
      last_success_at: null,
      operation_timestamp_utc: NOW,
      hashes_match: false,
      size_bytes: 3_000_000_000,
      sizes_match: true,
      agent_transfer_process_start_time_utc: '2026-03-30T00:30:00.500Z',
      logs_summary: null,
    });
  });

  it('again within 24 hours is counted and quiet; after them it is told again', async () => {
    await found('FAILED');
    await tellNew();
    clock.advance(hours(12));
    await found('FAILED');
    expect(await tellNew()).toMatchObject({ alerts: 0 });
    clock.advance(hours(12));
    await found('FAILED');
    expect(await tellNew()).toMatchObject({ alerts: 1 });
    expect(await titles()).toHaveLength(2);
    expect(await alerts()).toMatchObject([{ occurrences: 3 }]);
  });

  it('the time between two is the tenant’s', async () => {
    await world.sql(`UPDATE tenants SET settings = '{"backups": {"repeat_after_hours": 2}}' WHERE id = $1`, [
      tenantId,
    ]);
    await found('FAILED');
    await tellNew();
    clock.advance(hours(2));
    await found('FAILED');
    expect(await tellNew()).toMatchObject({ alerts: 1 });
  });

  it('another verdict of the same job speaks at once, and back again does not', async () => {
    await found('FAILED');
    await tellNew();
    clock.advance(hours(1));
    await found('MISSING');
    expect(await tellNew()).toMatchObject({ alerts: 1 });
    clock.advance(hours(1));
    await found('FAILED');
    expect(await tellNew()).toMatchObject({ alerts: 0 });
    expect(await titles()).toEqual([
      'ALERTE SAUVEGARDE - compta - FAILED',
      'ALERTE SAUVEGARDE - compta - MISSING',
    ]);
  });

  it('of several new results only the newest is told, and a late one of before says nothing', async () => {
    await found('FAILED');
    clock.advance(hours(24));
    await found('HASH_MISMATCH');
    expect(await tellNew()).toMatchObject({ alerts: 1 });
    expect(await unannounced()).toEqual([]);
    await addResult(world, tenantId, {
      job_id: compta,
      effective_at: '2026-03-29T01:15:00Z',
      verdict: 'MISSING',
    });
    expect(await tellNew()).toMatchObject({ alerts: 0 });
    expect(await titles()).toEqual(['ALERTE SAUVEGARDE - compta - HASH MISMATCH']);
    expect(await unannounced()).toEqual([]);
  });

  it('a result that still waits for its file is left alone', async () => {
    const waiting = await addEntry(world, tenantId, {
      job_id: compta,
      effective_at: clock.now(),
      verdict: null,
    });
    expect(await tellNew()).toMatchObject({ alerts: 0 });
    expect(await unannounced()).toEqual([{ id: waiting }]);
  });

  it('a database that nobody expects is told to nobody', async () => {
    await found('HASH_MISMATCH', 'hash_differs', null);
    expect(await tellNew()).toEqual({ alerts: 0, recovered: 0, not_announced: 0 });
    expect([await told(), await unannounced()]).toEqual([[], []]);
  });

  it('resolving by hand silences it', async () => {
    await found('FAILED');
    await tellNew();
    const [alert] = await world.sql<{ id: string }>('SELECT id FROM alerts WHERE tenant_id = $1', [tenantId]);
    await world.http('POST', `/api/v1/alerts/${alert?.id}/resolve`, { token: admin.token });
    clock.advance(hours(48));
    await found('FAILED');
    expect(await tellNew()).toMatchObject({ alerts: 0 });
    expect(await remindAll()).toEqual({ reminded: 0, not_announced: 0 });
    expect(await titles()).toHaveLength(1);
  });
});

describe('B7, V3: the recovery', () => {
  it('is announced once, with what was wrong and since when, and only after an incident', async () => {
    await found('FAILED');
    await tellNew();
    clock.advance(hours(1));
    await found('MISSING');
    await tellNew();
    clock.advance(hours(24));
    const good = await found('SUCCESS');
    expect(await tellNew()).toEqual({ alerts: 0, recovered: 1, not_announced: 0 });
    clock.advance(hours(24));
    await found('SUCCESS');
    expect(await tellNew()).toEqual({ alerts: 0, recovered: 0, not_announced: 0 });
    expect((await told()).slice(2)).toMatchObject([
      {
        kind: 'backup_recovered',
        title: 'SAUVEGARDE RÉTABLIE - compta',
        severity: 'info',
        data: { entry_id: good, failed: ['FAILED', 'MISSING'], failed_since: NOW },
      },
    ]);
    expect(await alerts()).toMatchObject([
      { state: 'resolved', gone: true },
      { state: 'resolved', gone: true },
    ]);
  });

  it('ends this job’s incident and no other’s; the next failure is a new one', async () => {
    const paie = await job('paie');
    await found('FAILED');
    await found('FAILED', undefined, paie);
    expect(await tellNew()).toMatchObject({ alerts: 2 });
    clock.advance(hours(1));
    await found('SUCCESS');
    await tellNew();
    clock.advance(hours(1));
    await found('FAILED');
    await found('FAILED', undefined, paie);
    expect(await tellNew()).toMatchObject({ alerts: 1 });
    expect(await alerts()).toMatchObject([
      { dedupe_key: `backup:${compta}:FAILED`, gone: true },
      { dedupe_key: `backup:${paie}:FAILED`, gone: false, occurrences: 2 },
      { dedupe_key: `backup:${compta}:FAILED`, gone: false, occurrences: 1 },
    ]);
  });
});

describe('V3: reminders', () => {
  it('tell again of what is still wrong, with its newest result, and count nothing', async () => {
    await found('FAILED');
    await tellNew();
    const fine = await job('paie');
    await found('SUCCESS', undefined, fine);
    await tellNew();
    clock.advance(hours(23));
    expect(await remindAll()).toEqual({ reminded: 0, not_announced: 0 });
    clock.advance(hours(1));
    expect(await remindAll()).toEqual({ reminded: 1, not_announced: 0 });
    expect(await remindAll()).toEqual({ reminded: 0, not_announced: 0 });
    expect(await titles()).toEqual(Array.from({ length: 2 }, () => 'ALERTE SAUVEGARDE - compta - FAILED'));
    expect(await alerts()).toMatchObject([{ occurrences: 1 }]);
  });

  it('leave to the next telling what was not told yet', async () => {
    await found('FAILED');
    expect(await remindAll()).toEqual({ reminded: 0, not_announced: 0 });
    expect(await tellNew()).toMatchObject({ alerts: 1 });
  });

  it('know nothing of a job that is gone', async () => {
    await found('FAILED');
    await tellNew();
    await world.sql('DELETE FROM backup_jobs WHERE id = $1', [compta]);
    clock.advance(hours(24));
    expect(await remindAll()).toEqual({ reminded: 0, not_announced: 0 });
    expect(await tellNew()).toEqual({ alerts: 0, recovered: 0, not_announced: 0 });
  });
});

describe('B8: telling that fails', () => {
  /** PostgreSQL refuses to tell of this job. */
  const breakFor = (jobId: string) =>
    world.sql(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'refused for ada@example.com'; END $$;
       CREATE TRIGGER refuse BEFORE INSERT ON notifications FOR EACH ROW
         WHEN (NEW.data ->> 'job_id' = '${jobId}') EXECUTE FUNCTION refuse();`,
    );
  const mend = async () => {
    await world.sql('DROP FUNCTION IF EXISTS refuse CASCADE');
  };
  afterEach(mend);

  it('for one job stops no other, is logged by its ids, and is made good by the next call', async () => {
    const jobs = [compta];
    for (let n = 0; n < 4; n += 1) jobs.push(await job(`base-${n}`));
    for (const one of jobs) await found('FAILED', 'agent_failed', one);
    const broken = [...jobs].sort()[1]!;
    await breakFor(broken);
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    expect(await tellNew()).toEqual({ alerts: 4, recovered: 0, not_announced: 1 });
    expect(error.mock.calls).toEqual([
      [
        expect.objectContaining({
          event: 'backup_not_announced',
          tenant_id: tenantId,
          backup_job_id: broken,
        }),
      ],
    ]);
    error.mockRestore();
    expect(await unannounced()).toHaveLength(1);
    expect(await alerts()).toHaveLength(4);

    await mend();
    expect(await tellNew()).toEqual({ alerts: 1, recovered: 0, not_announced: 0 });
    expect(await titles()).toHaveLength(5);
    expect(await unannounced()).toEqual([]);
  });

  it('a reminder that fails stops no other either', async () => {
    const paie = await job('paie');
    await found('FAILED');
    await found('MISSING', 'no_report', paie);
    await tellNew();
    clock.advance(hours(24));
    await breakFor(compta);
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    expect(await remindAll()).toEqual({ reminded: 1, not_announced: 1 });
    error.mockRestore();
    await mend();
    expect(await remindAll()).toEqual({ reminded: 1, not_announced: 0 });
  });

  it('stops where it is told to stop', async () => {
    await found('FAILED');
    const announcements = world.app.get(BackupAnnouncements, { strict: false });
    await expect(announcements.tellNew(tenantId, AbortSignal.abort())).rejects.toThrow('aborted');
    expect(await unannounced()).toHaveLength(1);
  });
});

it('two that tell at the same time tell once of each of more jobs than are read at once', async () => {
  const jobs: string[] = [];
  for (let n = 0; n < 230; n += 1) jobs.push(await job(`base-${n}`));
  for (const one of jobs) await found('FAILED', 'agent_failed', one);
  const [one, other] = await Promise.all([tellNew(), tellNew()]);
  expect([one.alerts + other.alerts, one.not_announced + other.not_announced]).toEqual([230, 0]);
  expect(await titles()).toHaveLength(230);
  clock.advance(hours(24));
  expect(await remindAll()).toEqual({ reminded: 230, not_announced: 0 });
});

it('is one tenant’s: another one’s results stay untold', async () => {
  await found('FAILED');
  const mine = tenantId;
  tenantId = (await addTenant(world)).id;
  expect(await tellNew()).toEqual({ alerts: 0, recovered: 0, not_announced: 0 });
  tenantId = mine;
  expect(await unannounced()).toHaveLength(1);
});
