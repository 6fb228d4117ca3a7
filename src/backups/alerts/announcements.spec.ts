import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { hours, NotifiedTenant } from './announcements.fixture.js';
import { addEntry, addResult } from '../board/records.fixture.js';

const NOW = '2026-03-30T01:15:00.000Z';

const clock = new FixedClock(NOW);
let world: World;
let tenant: NotifiedTenant;

beforeAll(async () => {
  world = await createWorld({
    clock,
    env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' },
  });
});
afterAll(() => world.close());
beforeEach(async () => {
  clock.set(NOW);
  tenant = await NotifiedTenant.create(world, clock);
});

describe('B7, V3: alerts about a backup', () => {
  it.each([
    ['FAILED', 'agent_failed', 'ALERTE SAUVEGARDE - compta - FAILED'],
    [
      'TRANSFER_INTEGRITY_FAILED',
      'agent_transfer_failed',
      'ALERTE SAUVEGARDE - compta - TRANSFER INTEGRITY FAILED',
    ],
    ['HASH_MISMATCH', 'hash_differs', 'ALERTE SAUVEGARDE - compta - HASH MISMATCH'],
    ['MISSING', 'no_report', 'ALERTE SAUVEGARDE - compta - MISSING'],
  ] as const)('%s is announced to the admins, once', async (verdict, reason, title) => {
    const entry = await tenant.found(verdict, reason);
    expect(await tenant.announceNew()).toEqual({ alerts: 1, recovered: 0, not_announced: 0 });
    expect(await tenant.announceNew()).toEqual({ alerts: 0, recovered: 0, not_announced: 0 });
    expect(await tenant.notifications()).toMatchObject([
      {
        kind: 'backup_alert',
        title,
        severity: 'critical',
        data: { job_id: tenant.compta, entry_id: entry, verdict, reason, neighborhood: 'Chantenay' },
      },
    ]);
    expect(await tenant.alerts()).toEqual([
      { dedupe_key: `backup:${tenant.compta}:${verdict}`, state: 'open', occurrences: 1, gone: false },
    ]);
    expect(await tenant.unannounced()).toEqual([]);
  });

  it('a SUCCESS without an open incident is not announced', async () => {
    await tenant.found('SUCCESS');
    expect(await tenant.announceNew()).toEqual({ alerts: 0, recovered: 0, not_announced: 0 });
    expect([await tenant.notifications(), await tenant.alerts(), await tenant.unannounced()]).toEqual([
      [],
      [],
      [],
    ]);
  });

  it('an alert has all known facts: instants in UTC, sizes, and how they compare', async () => {
    await addResult(world, tenant.id, {
      job_id: tenant.compta,
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
    await tenant.announceNew();
    expect((await tenant.notifications())[0]?.data).toMatchObject({
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

  it('a repeat within 24 hours is counted silently; after 24 hours it is announced again', async () => {
    await tenant.found('FAILED');
    await tenant.announceNew();
    clock.advance(hours(12));
    await tenant.found('FAILED');
    expect(await tenant.announceNew()).toMatchObject({ alerts: 0 });
    clock.advance(hours(12));
    await tenant.found('FAILED');
    expect(await tenant.announceNew()).toMatchObject({ alerts: 1 });
    expect(await tenant.titles()).toHaveLength(2);
    expect(await tenant.alerts()).toMatchObject([{ occurrences: 3 }]);
  });

  it('the tenant sets the time between two reminders', async () => {
    await world.sql(`UPDATE tenants SET settings = '{"backups": {"repeat_after_hours": 2}}' WHERE id = $1`, [
      tenant.id,
    ]);
    await tenant.found('FAILED');
    await tenant.announceNew();
    clock.advance(hours(2));
    await tenant.found('FAILED');
    expect(await tenant.announceNew()).toMatchObject({ alerts: 1 });
  });

  it('another verdict of the same job is announced at once; returning to the first verdict is not', async () => {
    await tenant.found('FAILED');
    await tenant.announceNew();
    clock.advance(hours(1));
    await tenant.found('MISSING');
    expect(await tenant.announceNew()).toMatchObject({ alerts: 1 });
    clock.advance(hours(1));
    await tenant.found('FAILED');
    expect(await tenant.announceNew()).toMatchObject({ alerts: 0 });
    expect(await tenant.titles()).toEqual([
      'ALERTE SAUVEGARDE - compta - FAILED',
      'ALERTE SAUVEGARDE - compta - MISSING',
    ]);
  });

  it('of several new results only the newest is announced; an older one that arrives late is not', async () => {
    await tenant.found('FAILED');
    clock.advance(hours(24));
    await tenant.found('HASH_MISMATCH');
    expect(await tenant.announceNew()).toMatchObject({ alerts: 1 });
    expect(await tenant.unannounced()).toEqual([]);
    await addResult(world, tenant.id, {
      job_id: tenant.compta,
      effective_at: '2026-03-29T01:15:00Z',
      verdict: 'MISSING',
    });
    expect(await tenant.announceNew()).toMatchObject({ alerts: 0 });
    expect(await tenant.titles()).toEqual(['ALERTE SAUVEGARDE - compta - HASH MISMATCH']);
    expect(await tenant.unannounced()).toEqual([]);
  });

  it('a result that still waits for its file is not announced', async () => {
    const waiting = await addEntry(world, tenant.id, {
      job_id: tenant.compta,
      effective_at: clock.now(),
      verdict: null,
    });
    expect(await tenant.announceNew()).toMatchObject({ alerts: 0 });
    expect(await tenant.unannounced()).toEqual([{ id: waiting }]);
  });

  it('a database without a job is not announced', async () => {
    await tenant.found('HASH_MISMATCH', 'hash_differs', null);
    expect(await tenant.announceNew()).toEqual({ alerts: 0, recovered: 0, not_announced: 0 });
    expect([await tenant.notifications(), await tenant.unannounced()]).toEqual([[], []]);
  });

  it('resolving it manually stops its reminders', async () => {
    await tenant.found('FAILED');
    await tenant.announceNew();
    const [alert] = await world.sql<{ id: string }>('SELECT id FROM alerts WHERE tenant_id = $1', [
      tenant.id,
    ]);
    await world.http('POST', `/api/v1/alerts/${alert?.id}/resolve`, { token: tenant.admin.token });
    clock.advance(hours(48));
    await tenant.found('FAILED');
    expect(await tenant.announceNew()).toMatchObject({ alerts: 0 });
    expect(await tenant.remindAll()).toEqual({ reminded: 0, not_announced: 0 });
    expect(await tenant.titles()).toHaveLength(1);
  });
});

describe('B7, V3: the recovery', () => {
  it('is announced once, with what was wrong and since when, and only after an incident', async () => {
    await tenant.found('FAILED');
    await tenant.announceNew();
    clock.advance(hours(1));
    await tenant.found('MISSING');
    await tenant.announceNew();
    clock.advance(hours(24));
    const good = await tenant.found('SUCCESS');
    expect(await tenant.announceNew()).toEqual({ alerts: 0, recovered: 1, not_announced: 0 });
    clock.advance(hours(24));
    await tenant.found('SUCCESS');
    expect(await tenant.announceNew()).toEqual({ alerts: 0, recovered: 0, not_announced: 0 });
    expect((await tenant.notifications()).slice(2)).toMatchObject([
      {
        kind: 'backup_recovered',
        title: 'SAUVEGARDE RÉTABLIE - compta',
        severity: 'info',
        data: { entry_id: good, failed: ['FAILED', 'MISSING'], failed_since: NOW },
      },
    ]);
    expect(await tenant.alerts()).toMatchObject([
      { state: 'resolved', gone: true },
      { state: 'resolved', gone: true },
    ]);
  });

  it('resolves only this job’s incident; the next failure opens a new one', async () => {
    const paie = await tenant.job('paie');
    await tenant.found('FAILED');
    await tenant.found('FAILED', null, paie);
    expect(await tenant.announceNew()).toMatchObject({ alerts: 2 });
    clock.advance(hours(1));
    await tenant.found('SUCCESS');
    await tenant.announceNew();
    clock.advance(hours(1));
    await tenant.found('FAILED');
    await tenant.found('FAILED', null, paie);
    expect(await tenant.announceNew()).toMatchObject({ alerts: 1 });
    expect(await tenant.alerts()).toMatchObject([
      { dedupe_key: `backup:${tenant.compta}:FAILED`, gone: true },
      { dedupe_key: `backup:${paie}:FAILED`, gone: false, occurrences: 2 },
      { dedupe_key: `backup:${tenant.compta}:FAILED`, gone: false, occurrences: 1 },
    ]);
  });
});

describe('V3: reminders', () => {
  it('repeat an open alert with its newest result, and count nothing', async () => {
    await tenant.found('FAILED');
    await tenant.announceNew();
    const fine = await tenant.job('paie');
    await tenant.found('SUCCESS', null, fine);
    await tenant.announceNew();
    clock.advance(hours(23));
    expect(await tenant.remindAll()).toEqual({ reminded: 0, not_announced: 0 });
    clock.advance(hours(1));
    expect(await tenant.remindAll()).toEqual({ reminded: 1, not_announced: 0 });
    expect(await tenant.remindAll()).toEqual({ reminded: 0, not_announced: 0 });
    expect(await tenant.titles()).toEqual(
      Array.from({ length: 2 }, () => 'ALERTE SAUVEGARDE - compta - FAILED'),
    );
    expect(await tenant.alerts()).toMatchObject([{ occurrences: 1 }]);
  });

  it('leave new results to the next announcement', async () => {
    await tenant.found('FAILED');
    expect(await tenant.remindAll()).toEqual({ reminded: 0, not_announced: 0 });
    expect(await tenant.announceNew()).toMatchObject({ alerts: 1 });
  });

  it('ignore a deleted job', async () => {
    await tenant.found('FAILED');
    await tenant.announceNew();
    await world.sql('DELETE FROM backup_jobs WHERE id = $1', [tenant.compta]);
    clock.advance(hours(24));
    expect(await tenant.remindAll()).toEqual({ reminded: 0, not_announced: 0 });
    expect(await tenant.announceNew()).toEqual({ alerts: 0, recovered: 0, not_announced: 0 });
  });
});
