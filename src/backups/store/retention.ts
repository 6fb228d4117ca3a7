import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import { effectiveSettings } from '../../tenants/settings/tenant-settings.js';
import { codeOf, describeFileError, isFileSystemError } from '../files/file-errors.js';
import { doubtfulSql } from '../jobs/job-status.sql.js';
import { BackupStore } from './backup-store.js';

/** Files of one page. */
const PAGE = 500;

/** A tenant whose backups retention handles. */
export interface RetentionTenant {
  tenant_id: string;
  time_zone: string;
}

interface RemovableEntry {
  id: string;
  stored_path: string;
  /** Another report names the same backup, and keeps it. */
  shared: boolean;
}

/** Removes the stored backups that the tenant's retention does not keep. */
@Injectable()
export class Retention {
  private readonly logger = new Logger('Backups');

  constructor(
    private readonly database: Database,
    private readonly store: BackupStore,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Does nothing while the store is unavailable: every file would seem to be removed already.
   * @returns how many backups were removed. The next call retries failed removals.
   * @throws StoreUnavailable if the store becomes unavailable meanwhile; the signal's reason
   */
  async apply(tenant: RetentionTenant, signal: AbortSignal): Promise<{ removed: number }> {
    if (!(await this.store.isAvailable())) return { removed: 0 };
    const { tenant_id } = tenant;
    await this.choose(tenant);
    let removed = 0;
    let after: string | null = null;
    for (;;) {
      const page: RemovableEntry[] = await this.database
        .single(tenant_id)
        .query(REMOVABLE, [tenant_id, after, PAGE]);
      const ids: string[] = [];
      for (const { id, stored_path, shared } of page) {
        signal.throwIfAborted();
        if (shared || (await this.remove(tenant_id, id, stored_path))) ids.push(id);
      }
      await this.database
        .single(tenant_id)
        .query(
          `UPDATE backup_entries SET stored_state = 'removed' WHERE tenant_id = $1 AND id = ANY ($2::uuid[])`,
          [tenant_id, ids],
        );
      removed += ids.length;
      after = page.at(-1)?.id ?? null;
      if (page.length < PAGE) return { removed };
    }
  }

  /** Records what to remove before removing it: the next call continues after a kill. */
  private async choose({ tenant_id, time_zone }: RetentionTenant): Promise<void> {
    await this.database.tenant(tenant_id, async (tx) => {
      const tenant = await tx.one<{ settings: unknown }>(`SELECT settings FROM tenants WHERE id = $1`, [
        tenant_id,
      ]);
      const { retention } = effectiveSettings(tenant?.settings).backups;
      if (retention === null) return;
      await tx.execute(CHOOSE, [
        tenant_id,
        time_zone,
        retention.keep_last,
        retention.keep_weekly,
        retention.keep_monthly,
        this.clock.now(),
      ]);
    });
  }

  private async remove(tenant_id: string, entry_id: string, path: string): Promise<boolean> {
    try {
      await unlink(join(this.store.root, path));
      return true;
    } catch (error) {
      if (!isFileSystemError(error)) throw error;
      // "No such file" means "removed" only if the store is mounted.
      await this.store.assertAvailable();
      if (codeOf(error) === 'ENOENT') return true;
      const detail = describeFileError(error);
      this.logger.error({ event: 'backup_not_removed', tenant_id, entry_id, detail });
      return false;
    }
  }
}

/**
 * Keeps, of each agent's database, the last backups and the newest of each of the last weeks and months that have one,
 * by the tenant's calendar. Only good backups count, so the good one before a damaged or doubtful one stays. A doubtful
 * one is removed as if it were good: when there are enough newer good ones. Parameters: $1 tenant id, $2 its zone, $3
 * how many of the last, $4 weeks, $5 months, $6 now.
 */
const CHOOSE = `
  WITH kept AS (
    SELECT id, agent_id, database_name, effective_at, ${doubtfulSql('backup_entries')} AS doubtful
    FROM backup_entries
    WHERE tenant_id = $1 AND stored_state = 'stored'
  ),
  good AS (
    SELECT id, agent_id, database_name, effective_at,
           row_number() OVER (PARTITION BY agent_id, database_name ORDER BY effective_at DESC, id DESC) AS place,
           date_trunc('week', effective_at AT TIME ZONE $2) AS week,
           date_trunc('month', effective_at AT TIME ZONE $2) AS month
    FROM kept WHERE NOT doubtful
  ),
  ranked AS (
    SELECT id, place,
           row_number() OVER (PARTITION BY agent_id, database_name, week ORDER BY effective_at DESC, id DESC) AS in_week,
           dense_rank() OVER (PARTITION BY agent_id, database_name ORDER BY week DESC) AS weeks,
           row_number() OVER (PARTITION BY agent_id, database_name, month ORDER BY effective_at DESC, id DESC) AS in_month,
           dense_rank() OVER (PARTITION BY agent_id, database_name ORDER BY month DESC) AS months
    FROM good
  ),
  removable AS (
    SELECT id FROM ranked
    WHERE place > greatest(1, $3::int) AND NOT (in_week = 1 AND weeks <= $4::int)
      AND NOT (in_month = 1 AND months <= $5::int)
    UNION ALL
    SELECT k.id FROM kept k JOIN good g USING (agent_id, database_name)
    WHERE k.doubtful AND g.place = greatest(1, $3::int) AND g.effective_at > k.effective_at
  )
  UPDATE backup_entries e SET stored_state = 'removing'
  FROM removable r
  WHERE e.tenant_id = $1 AND e.id = r.id AND e.stored_state = 'stored' AND e.effective_at < $6`;

/** Parameters: $1 tenant id, $2 the last entry id of the previous page or null, $3 limit. */
const REMOVABLE = `
  SELECT e.id, e.stored_path,
         EXISTS (SELECT FROM backup_entries o
                 WHERE o.tenant_id = $1 AND o.agent_id = e.agent_id AND o.database_name = e.database_name
                   AND o.stored_path = e.stored_path AND o.stored_state IN ('stored', 'damaged')) AS shared
  FROM backup_entries e
  WHERE e.tenant_id = $1 AND e.stored_state = 'removing' AND ($2::uuid IS NULL OR e.id > $2)
  ORDER BY e.id LIMIT $3`;
