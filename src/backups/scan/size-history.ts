import { BACKUP_WARNINGS } from '../../contracts/backups.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { doubtfulSql } from '../jobs/job-status.sql.js';

/** A backup smaller than this part of the median of the last good ones is `shrunk`. */
const SHRUNK_BELOW = 0.1;
/** The number of good backups for the median, at most. */
export const MEDIAN_OF = 7;

/**
 * Compares good backups with earlier ones and adds the warnings `shrunk` and `unchanged`. The hash shows that a file is
 * what the agent made, but not that it is a backup.
 * @param entryIds recorded as SUCCESS in this transaction
 * @param jobIds their jobs, locked by this transaction
 */
export async function compareWithHistory(
  tx: TenantTransaction,
  entryIds: readonly string[],
  jobIds: readonly string[],
): Promise<void> {
  if (entryIds.length === 0) return;
  if (jobIds.length > 0) await tx.execute(ACCEPT_SIZES, [tx.tenant_id, jobIds]);
  for (const ids of await inOrder(tx, entryIds)) {
    await tx.execute(COMPARE, [tx.tenant_id, ids, SHRUNK_BELOW, MEDIAN_OF, BACKUP_WARNINGS]);
  }
}

/**
 * The entries in groups that can be compared at once: the oldest of each database, then the second ones. An entry must
 * see the warnings of those before it, also where they are recorded together.
 */
async function inOrder(tx: TenantTransaction, entryIds: readonly string[]): Promise<(readonly string[])[]> {
  if (entryIds.length === 1) return [entryIds];
  const groups = await tx.query<{ ids: string[] }>(RANKS, [tx.tenant_id, entryIds]);
  return groups.map(({ ids }) => ids);
}

/** Parameters: $1 tenant id, $2 entry ids. */
const RANKS = `
  SELECT array_agg(id) AS ids
  FROM (SELECT id, row_number() OVER (PARTITION BY agent_id, database_name ORDER BY effective_at, id) AS place
        FROM backup_entries WHERE tenant_id = $1 AND id = ANY ($2::uuid[])) ranked
  GROUP BY place ORDER BY place`;

/**
 * Who resolves a `shrunk` alert accepts the size: later backups are compared only with later ones. Parameters: $1 tenant
 * id, $2 job ids. Index: alerts_source.
 */
const ACCEPT_SIZES = `
  UPDATE backup_jobs j SET sizes_from = a.resolved_at
  FROM alerts a
  WHERE j.tenant_id = $1 AND j.id = ANY ($2::uuid[])
    AND a.tenant_id = $1 AND a.source_type = 'backup_job' AND a.source_id = j.id AND a.gone_at IS NULL
    AND a.dedupe_key = 'backup:' || j.id || ':SUCCESS:shrunk' AND a.state = 'resolved'
    AND a.resolved_at > coalesce(j.sizes_from, '-infinity')`;

/**
 * A database without a job has no alert, and so nobody who accepts a smaller size: it is never `shrunk`.
 * Parameters: $1 tenant id, $2 entry ids, $3 part of the median, $4 how many it is of, $5 the warnings in their order.
 * Index: backup_entries_history.
 */
const COMPARE = `
  UPDATE backup_entries e SET warnings = c.warnings
  FROM (
    SELECT n.id, ARRAY(SELECT w.known FROM unnest($5::text[]) WITH ORDINALITY AS w (known, place)
                       WHERE w.known = ANY (n.warnings)
                          OR w.known = 'shrunk' AND n.job_id IS NOT NULL
                             AND n.server_size_bytes < sizes.median * $3::float8
                          OR w.known = 'unchanged' AND n.server_hash_sha256 = previous.server_hash_sha256
                       ORDER BY w.place) AS warnings
    FROM backup_entries n
    LEFT JOIN backup_jobs j ON j.tenant_id = $1 AND j.id = n.job_id
    CROSS JOIN LATERAL (
      SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY g.server_size_bytes) AS median
      FROM (
        SELECT o.server_size_bytes FROM backup_entries o
        WHERE o.tenant_id = $1 AND o.agent_id = n.agent_id AND o.database_name = n.database_name
          AND o.effective_at < n.effective_at AND o.effective_at > coalesce(j.sizes_from, '-infinity')
          AND o.verdict = 'SUCCESS' AND NOT ${doubtfulSql('o')}
        ORDER BY o.effective_at DESC, o.id DESC LIMIT $4) g
    ) sizes
    LEFT JOIN LATERAL (
      SELECT o.server_hash_sha256 FROM backup_entries o
      WHERE o.tenant_id = $1 AND o.agent_id = n.agent_id AND o.database_name = n.database_name
        AND o.effective_at < n.effective_at AND o.verdict = 'SUCCESS'
      ORDER BY o.effective_at DESC, o.id DESC LIMIT 1
    ) previous ON true
    -- What is empty needs no more words.
    WHERE n.tenant_id = $1 AND n.id = ANY ($2::uuid[]) AND NOT 'empty_file' = ANY (n.warnings)
  ) c
  WHERE e.tenant_id = $1 AND e.id = c.id AND e.warnings <> c.warnings`;
