import type { TenantTransaction } from '../../platform/database/transaction.js';

/**
 * Held by who creates or deletes jobs (`exclusive`), and by who writes entries for jobs that it has just read
 * (`shared`), to the end of the transaction: no entry then comes to lie beside a new job, or under one that is gone.
 * It is taken before any other lock of backups.
 */
export async function lockJobs(tx: TenantTransaction, how: 'exclusive' | 'shared'): Promise<void> {
  await tx.query(
    `SELECT ${how === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock'}(hashtextextended($1, 0))`,
    [`backup-jobs:${tx.tenant_id}`],
  );
}
