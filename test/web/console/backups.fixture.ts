import { addEntry, addJob, addManyJobs, addResult } from '../../../src/backups/board/records.fixture.js';
import { Incidents } from '../../../src/notifications/alerts/incidents.js';
import { Database } from '../../../src/platform/database/database.js';
import type { World } from '../../support/world.js';

const DAY_MS = 86_400_000;
export const HASH = 'a3f1c0de'.repeat(8);

/** Text that people may store, and that a page must show as text, within its width. */
export const HOSTILE = `<img src=x onerror=alert(1)>\u202egpj.exe ${'x'.repeat(60)}`;

/** A tenant with a few backups: one that failed, with its alert, one that is doubtful, one that is good. */
export async function someBackups(world: World, tenantId: string, now: number): Promise<{ failed: string }> {
  const ago = (days: number) => new Date(now - days * DAY_MS).toISOString();
  const failed = await addJob(world, tenantId, { database_name: 'comptabilite', grace_minutes: 90 });
  for (let day = 29; day >= 1; day -= 1) {
    await addEntry(world, tenantId, {
      job_id: failed,
      effective_at: ago(day),
      verdict: 'SUCCESS',
      staged_file_name: `comptabilite_${day}.sql.gz`,
      server_size_bytes: 1_500_000_000 + day * 7_000_000,
      size_bytes: 1_500_000_000 + day * 7_000_000,
      hash_sha256: HASH,
      server_hash_sha256: HASH,
      stored_path: `cabinet-martin/comptabilite_${day}.sql.gz`,
      stored_state: 'stored',
    });
  }
  await addResult(world, tenantId, {
    job_id: failed,
    effective_at: ago(0.2),
    verdict: 'HASH_MISMATCH',
    reason: 'hash_differs',
    detail: HOSTILE,
    staged_file_name: 'comptabilite.sql.gz',
    hash_sha256: HASH,
    server_hash_sha256: 'b'.repeat(64),
    size_bytes: 1_499_000_000,
    server_size_bytes: 12_000_000,
    compress_size_pre_compress: 9_000_000_000,
    compress_size_post_compress: 1_499_000_000,
    agent_transfer_process_status: 'completed',
    logs_summary: 'Dump finished.\nTransfer finished.',
    error_msg: HOSTILE,
  });
  const doubtful = await addJob(world, tenantId, {
    agent_id: 'lyon-02',
    database_name: 'paie',
    company_name: 'Étude Évreux',
    city: 'Lyon',
  });
  await addEntry(world, tenantId, {
    job_id: doubtful,
    effective_at: ago(2),
    verdict: 'SUCCESS',
    server_size_bytes: 1_000,
  });
  await addResult(world, tenantId, {
    job_id: doubtful,
    effective_at: ago(1),
    verdict: 'SUCCESS',
    warnings: ['shrunk'],
    server_size_bytes: 30,
  });
  const good = await addJob(world, tenantId, { agent_id: 'lyon-02', database_name: 'ged', city: 'Lyon' });
  await addResult(world, tenantId, {
    job_id: good,
    effective_at: ago(0.3),
    verdict: 'SUCCESS',
    server_size_bytes: 5_000,
  });
  await addJob(world, tenantId, {
    agent_id: 'lille-01',
    database_name: HOSTILE.slice(0, 100),
    city: 'Lille',
  });
  await addEntry(world, tenantId, {
    agent_id: 'stray',
    database_name: 'archives',
    effective_at: ago(0.5),
    verdict: 'SUCCESS',
    server_size_bytes: 700,
  });
  await raise(world, tenantId, failed);
  return { failed };
}

/** Opens the alert of a backup, as the scan does, and notifies the tenant's admins. */
async function raise(world: World, tenantId: string, job: string): Promise<void> {
  const [entry] = await world.sql(
    `SELECT to_jsonb(e) || jsonb_build_object('entry_id', e.id, 'hashes_match', false, 'sizes_match', false,
                                              'expected_time', '02:00', 'status_since', e.effective_at, 'doubt', NULL) AS data
     FROM backup_entries e WHERE e.job_id = $1 ORDER BY e.effective_at DESC LIMIT 1`,
    [job],
  );
  await world.app.get(Database).tenant(tenantId, (tx) =>
    world.app.get(Incidents).raise(tx, [
      {
        kind: 'backup_alert',
        source_type: 'backup_job',
        source_id: job,
        dedupe_key: `backup:${job}:HASH_MISMATCH`,
        severity: 'critical',
        data: entry!.data as never,
        repeat_after_ms: null,
      },
    ]),
  );
}

export { addManyJobs };
