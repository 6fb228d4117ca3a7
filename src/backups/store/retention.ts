import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import { effectiveSettings } from '../../tenants/tenant-settings.js';
import { codeOf, isFileSystemError, describeFileError } from '../files/file-errors.js';
import { storeRoot } from '../files/folders.js';
import type { Scan } from '../scan/scan.js';

/** Files that one round removes. */
const PAGE = 500;

interface Going {
  id: string;
  stored_path: string;
  /** Another report named the same backup, and keeps it. */
  shared: boolean;
}

/** Takes stored backups away that the tenant's retention does not keep. */
@Injectable()
export class Retention {
  private readonly logger = new Logger('Backups');
  private readonly store: string;

  constructor(
    private readonly database: Database,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) config: Config,
  ) {
    this.store = storeRoot(config);
  }

  async apply(scan: Scan): Promise<void> {
    await this.choose(scan);
    for (;;) {
      const going = await this.database.single(scan.tenant_id).query<Going>(GOING, [scan.tenant_id, PAGE]);
      const gone: string[] = [];
      for (const { id, stored_path, shared } of going) {
        scan.signal.throwIfAborted();
        if (shared || (await this.remove(scan, id, stored_path))) gone.push(id);
      }
      await this.database
        .single(scan.tenant_id)
        .query(
          `UPDATE backup_entries SET stored_state = 'removed' WHERE tenant_id = $1 AND id = ANY ($2::uuid[])`,
          [scan.tenant_id, gone],
        );
      scan.count('removed', gone.length);
      // What could not be removed is tried again tomorrow.
      if (going.length < PAGE || gone.length === 0) return;
    }
  }

  /** Written down before it is done: a killed one goes on where it was. */
  private async choose({ tenant_id, time_zone }: Scan): Promise<void> {
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

  private async remove(scan: Scan, entry_id: string, path: string): Promise<boolean> {
    try {
      await unlink(join(this.store, path));
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return true;
      if (!isFileSystemError(error)) throw error;
      this.logger.error({
        event: 'backup_not_removed',
        tenant_id: scan.tenant_id,
        entry_id,
        detail: describeFileError(error),
      });
      return false;
    }
  }
}

/**
 * Of each agent's database: the last ones stay, and the newest of each of the last weeks and months that have one, by
 * the tenant's calendar. Only good files count: beside a damaged one the good one before it stays. Parameters: $1
 * tenant id, $2 its zone, $3 how many of the last, $4 weeks, $5 months, $6 now.
 */
const CHOOSE = `
  WITH good AS (
    SELECT id, agent_id, database_name, effective_at,
           row_number() OVER (PARTITION BY agent_id, database_name ORDER BY effective_at DESC, id DESC) AS place,
           date_trunc('week', effective_at AT TIME ZONE $2) AS week,
           date_trunc('month', effective_at AT TIME ZONE $2) AS month
    FROM backup_entries
    WHERE tenant_id = $1 AND stored_state = 'stored'
  ),
  ranked AS (
    SELECT id, place,
           row_number() OVER (PARTITION BY agent_id, database_name, week ORDER BY effective_at DESC, id DESC) AS in_week,
           dense_rank() OVER (PARTITION BY agent_id, database_name ORDER BY week DESC) AS weeks,
           row_number() OVER (PARTITION BY agent_id, database_name, month ORDER BY effective_at DESC, id DESC) AS in_month,
           dense_rank() OVER (PARTITION BY agent_id, database_name ORDER BY month DESC) AS months
    FROM good
  )
  UPDATE backup_entries e SET stored_state = 'removing'
  FROM ranked r
  WHERE e.tenant_id = $1 AND e.id = r.id AND e.stored_state = 'stored' AND e.effective_at < $6
    AND r.place > greatest(1, $3::int)
    AND NOT (r.in_week = 1 AND r.weeks <= $4::int)
    AND NOT (r.in_month = 1 AND r.months <= $5::int)`;

const GOING = `
  SELECT e.id, e.stored_path,
         EXISTS (SELECT FROM backup_entries o
                 WHERE o.tenant_id = $1 AND o.agent_id = e.agent_id AND o.database_name = e.database_name
                   AND o.stored_path = e.stored_path AND o.stored_state IN ('stored', 'damaged')) AS shared
  FROM backup_entries e
  WHERE e.tenant_id = $1 AND e.stored_state = 'removing' ORDER BY e.id LIMIT $2`;
