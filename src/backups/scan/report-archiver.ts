import { Inject, Injectable, Logger } from '@nestjs/common';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { describeFileError, isFileSystemError } from '../files/file-errors.js';
import { inboxRoot } from '../files/folders.js';
import { moveTo } from '../files/move-file.js';
import { Entries } from './entries.js';
import type { CollectedFile } from './report-collector.js';
import type { Scan } from './scan.js';

/** Phase 3: moves the files of decided reports out of `log/`; other files stay for the next scan. */
@Injectable()
export class ReportArchiver {
  private readonly logger = new Logger('Backups');
  private readonly inbox: string;

  constructor(
    private readonly entries: Entries,
    @Inject(CONFIG) config: Config,
  ) {
    this.inbox = inboxRoot(config);
  }

  async archive(scan: Scan, files: readonly CollectedFile[]): Promise<void> {
    if (files.length === 0) return;
    const decided = await this.entries.decidedReports(
      scan.tenant_id,
      files.map(({ report_id }) => report_id),
    );
    for (const { agent, file, report_id } of files) {
      if (!decided.has(report_id)) continue;
      scan.signal.throwIfAborted();
      try {
        const { signal } = scan;
        await moveTo(this.inbox, [scan.slug, agent], file, { folder: 'archive', mark: report_id, signal });
        scan.count('archived', 1);
      } catch (error) {
        // The report is recorded: the next scan recognizes it and retries the move.
        if (!isFileSystemError(error)) throw error;
        this.logger.error({
          event: 'backup_report_not_archived',
          tenant_id: scan.tenant_id,
          agent_id: agent,
          detail: describeFileError(error),
        });
      }
    }
  }
}
