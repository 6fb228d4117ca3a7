import { Inject, Injectable } from '@nestjs/common';
import type { RunCounts } from '../../contracts/jobs.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { TenantDirectory } from '../../tenants/tenant-directory.js';
import { type AgentFolder, foldersIn, inboxRoot } from './folders.js';
import { deleteOldFiles } from './old-files.js';

const DAY_MS = 86_400_000;

/**
 * Deletes old files that scans have moved aside in a tenant's inbox. Never deletes reports or staged files.
 */
@Injectable()
export class InboxRetention {
  constructor(
    private readonly tenants: TenantDirectory,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @returns the deleted files, by folder: `archive_files`, `rejected_files`, `quarantine_files` */
  async clean(tenantId: string, signal: AbortSignal): Promise<RunCounts> {
    const { deleteReportsAfterDays, deleteQuarantineAfterDays } = this.config;
    const days: Partial<Record<AgentFolder, number>> = {
      archive: deleteReportsAfterDays,
      rejected: deleteReportsAfterDays,
      quarantine: deleteQuarantineAfterDays,
    };
    const counts: RunCounts = {};
    const tenant = await this.tenants.byId(tenantId);
    if (tenant === null) return counts;
    const root = inboxRoot(this.config);
    const { agents } = await foldersIn(root, tenant.slug);
    for (const [folder, kept] of Object.entries(days) as [AgentFolder, number][]) {
      if (kept === 0) continue;
      const before = new Date(this.clock.now().getTime() - kept * DAY_MS);
      for (const agent of agents) {
        const deleted = await deleteOldFiles(root, [tenant.slug, agent, folder], before, signal);
        counts[`${folder}_files`] = (counts[`${folder}_files`] ?? 0) + deleted;
      }
    }
    return counts;
  }
}
