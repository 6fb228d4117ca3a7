import type { TenantTransaction } from '../../platform/database/transaction.js';

/**
 * Locks a tenant's jobs until the end of the transaction. Use `exclusive` to create or delete jobs, and `shared` to
 * write entries for jobs that were just read: this prevents entries beside a new job or under a deleted one. Take it
 * before any other lock of backups.
 */
export async function lockJobs(tx: TenantTransaction, how: 'exclusive' | 'shared'): Promise<void> {
  await tx.lock(`backup-jobs:${tx.tenant_id}`, how);
}
