import { access } from 'node:fs/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import { codeOf, isFileSystemError, describeFileError } from '../files/file-errors.js';
import { agentsIn, inboxRoot } from '../files/folders.js';
import {
  moveTo,
  readReportFile,
  type ReportBytes,
  reportFiles,
  type SeenFile,
  settled,
} from '../files/inbox.js';
import { bytesHash, readReport } from '../reports/report-text.js';
import { Reports } from '../reports/reports.service.js';
import type { Scan } from './scan.js';

/** A report file that was taken in, to be archived once its entries have verdicts. */
export interface CollectedFile {
  agent: string;
  file: SeenFile;
  report_id: string;
}

export interface Collected {
  files: CollectedFile[];
  /** Why nothing, or not all, of an agent could be read; null when all was. */
  unreadable: (agent: string) => string | null;
  /** Agents with more reports than one scan takes: what is not read yet is not missing. */
  unread: ReadonlySet<string>;
}

interface AgentFile extends SeenFile {
  agent: string;
}

/** Phase 1: every report that lies in the tenant's inbox, checked and written down. */
@Injectable()
export class ReportCollector {
  private readonly logger = new Logger('Backups');
  private readonly root: string;
  private readonly isConfigured: boolean;

  constructor(
    private readonly database: Database,
    private readonly reports: Reports,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) config: Config,
  ) {
    this.root = inboxRoot(config);
    this.isConfigured = config.backupInboxDir !== null;
  }

  /** What one agent's folder does to a scan stays there: the others are read. */
  async collect(scan: Scan): Promise<Collected> {
    // By agent; of all of them under null.
    const unreadable = new Map<string | null, string>();
    const note = (agent: string | null, error: unknown) =>
      void unreadable.set(agent, this.unreadable(scan, agent, error));
    const unread = new Set<string>();
    const lying: AgentFile[] = [];
    for (const agent of await this.agents(scan, note)) {
      try {
        const { files, more } = await reportFiles(this.root, [scan.slug, agent], (error) =>
          note(agent, error),
        );
        lying.push(...files.map((file) => ({ ...file, agent })));
        if (more) unread.add(agent);
      } catch (error) {
        note(agent, error);
      }
    }
    const still = await settled(lying, this.clock.now().getTime());
    scan.count('still_written', lying.length - still.length);
    const files: CollectedFile[] = [];
    for (const file of still) {
      scan.signal.throwIfAborted();
      const { agent } = file;
      try {
        const report_id = await this.take(scan, file);
        if (report_id !== null) files.push({ agent, file, report_id });
      } catch (error) {
        // It stays where it is, and is looked at again. What is no failure of the file system is ours: the scan fails.
        note(agent, error);
      }
    }
    return { files, unread, unreadable: (agent) => unreadable.get(agent) ?? unreadable.get(null) ?? null };
  }

  private async agents(scan: Scan, note: (agent: null, error: unknown) => void): Promise<string[]> {
    try {
      // One that was configured and is not there is not mounted: that is why nothing comes.
      if (this.isConfigured) await access(this.root);
      return await agentsIn(this.root, scan.slug);
    } catch (error) {
      note(null, error);
      return [];
    }
  }

  /** @returns the report's id; null when it is none. @throws what keeps it from being read or moved now. */
  private async take(scan: Scan, file: AgentFile): Promise<string | null> {
    const read = await this.read(file);
    if (read === 'moving') {
      scan.count('still_written', 1);
      return null;
    }
    if ('refused' in read) {
      await this.reject(scan, file, read.sha256, read.refused);
      return null;
    }
    const parsed = readReport(read.bytes, file.agent, this.clock.now());
    if ('refused' in parsed) {
      await this.reject(scan, file, bytesHash(read.bytes), parsed.refused);
      return null;
    }
    const { id, created } = await this.database.tenant(scan.tenant_id, (tx) =>
      this.reports.accept(tx, parsed.report, { source: 'file', file_name: file.name }),
    );
    scan.count(created ? 'reports' : 'reports_known', 1);
    return id;
  }

  private async read(file: AgentFile): Promise<ReportBytes> {
    try {
      return await readReportFile(file);
    } catch (error) {
      if (!isFileSystemError(error) || !['EACCES', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
      const sha256 = bytesHash(`${file.name}\n${file.stats.ino}:${file.stats.mtimeMs}`);
      return { refused: `the file can not be read: ${describeFileError(error)}`, sha256 };
    }
  }

  /** Written down first: a file that was moved and not written down would be lost to whoever looks at the API. */
  private async reject(scan: Scan, file: AgentFile, sha256: string, reason: string): Promise<void> {
    const { agent } = file;
    await this.database.tenant(scan.tenant_id, (tx) =>
      this.reports.reject(tx, { agent_id: agent, file_name: printableName(file.name), sha256, reason }),
    );
    scan.count('rejected', 1);
    this.logger.warn({ event: 'backup_report_rejected', tenant_id: scan.tenant_id, agent_id: agent });
    await moveTo(this.root, [scan.slug, agent], file, {
      folder: 'rejected',
      mark: sha256.slice(0, 12),
      reason,
    });
  }

  private unreadable(scan: Scan, agent_id: string | null, error: unknown): string {
    if (!isFileSystemError(error)) throw error;
    const detail = describeFileError(error);
    scan.count('unreadable', 1);
    this.logger.error({ event: 'backup_folder_unreadable', tenant_id: scan.tenant_id, agent_id, detail });
    return detail;
  }
}

/** A name of a file may hold what a table can not. */
function printableName(name: string): string {
  return name.replace(/[\p{Cc}\p{Cs}]/gu, '\ufffd').slice(0, 300);
}
