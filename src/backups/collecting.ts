import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { Database } from '../platform/database/database.js';
import { codeOf, isOfFiles, toldOf } from './file-errors.js';
import { agentsIn, inboxRoot } from './folders.js';
import { moveTo, readReportFile, reportFiles, type SeenFile, settled } from './inbox.js';
import { bytesHash, readReport } from './report-text.js';
import { Reports } from './reports.service.js';
import type { Scan } from './scan.js';

/** A report file that was taken in, to be archived once its entries have verdicts. */
export interface CollectedFile {
  agent: string;
  file: SeenFile;
  report_id: string;
}

export interface Collected {
  files: CollectedFile[];
  /** Agents with a folder that could not be read, and why. */
  unreadable: ReadonlyMap<string, string>;
}

/** Phase 1: every report that lies in the tenant's inbox, checked and written down. */
@Injectable()
export class Collecting {
  private readonly logger = new Logger('Backups');
  private readonly root: string;

  constructor(
    private readonly database: Database,
    private readonly reports: Reports,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) config: Config,
  ) {
    this.root = inboxRoot(config);
  }

  /** What one agent's folder does to a scan stays there: the others are read. */
  async collect(scan: Scan): Promise<Collected> {
    const unreadable = new Map<string, string>();
    const files: CollectedFile[] = [];
    const lying: { agent: string; file: SeenFile }[] = [];
    for (const agent of await this.agents(scan)) {
      try {
        for (const file of await reportFiles(this.root, [scan.slug, agent])) lying.push({ agent, file });
      } catch (error) {
        unreadable.set(agent, this.unreadable(scan, agent, error));
      }
    }
    const byFile = new Map(lying.map(({ agent, file }) => [file, agent]));
    const still = await settled([...byFile.keys()], this.clock.now().getTime());
    scan.count('still_written', lying.length - still.length);
    for (const file of still) {
      scan.signal.throwIfAborted();
      const agent = byFile.get(file);
      if (agent === undefined) continue;
      const report_id = await this.take(scan, agent, file);
      if (report_id !== null) files.push({ agent, file, report_id });
    }
    return { files, unreadable };
  }

  private async agents(scan: Scan): Promise<string[]> {
    try {
      return await agentsIn(this.root, scan.slug);
    } catch (error) {
      this.unreadable(scan, null, error);
      return [];
    }
  }

  /** @returns the report's id; null when it is none, or can't be read now. */
  private async take(scan: Scan, agent: string, file: SeenFile): Promise<string | null> {
    try {
      const read = await readReportFile(file);
      if (read === 'moving') {
        scan.count('still_written', 1);
        return null;
      }
      if ('refused' in read) {
        await this.reject(scan, agent, file, read.sha256, read.refused);
        return null;
      }
      const parsed = readReport(read.bytes, agent, this.clock.now());
      if ('refused' in parsed) {
        await this.reject(scan, agent, file, bytesHash(read.bytes), parsed.refused);
        return null;
      }
      const { id, created } = await this.database.tenant(scan.tenant_id, (tx) =>
        this.reports.accept(tx, parsed.report, { source: 'file', file_name: file.name }),
      );
      scan.count(created ? 'reports' : 'reports_known', 1);
      return id;
    } catch (error) {
      // What is no failure of the file system is ours: the scan fails, and is repeated.
      if (!isOfFiles(error)) throw error;
      if (['EACCES', 'EPERM'].includes(codeOf(error) ?? '')) {
        const sha256 = bytesHash(`${file.name}\n${file.stats.ino}:${file.stats.mtimeMs}`);
        await this.reject(scan, agent, file, sha256, `the file can not be read: ${toldOf(error)}`).catch(
          (failure: unknown) => this.unreadable(scan, agent, failure),
        );
      } else {
        // It may be readable again: it stays where it is.
        this.unreadable(scan, agent, error);
      }
      return null;
    }
  }

  /** Written down first: a file that was moved and not written down would be lost to whoever looks at the API. */
  private async reject(
    scan: Scan,
    agent: string,
    file: SeenFile,
    sha256: string,
    reason: string,
  ): Promise<void> {
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
    if (!isOfFiles(error)) throw error;
    const detail = toldOf(error);
    scan.count('unreadable', 1);
    this.logger.error({ event: 'backup_folder_unreadable', tenant_id: scan.tenant_id, agent_id, detail });
    return detail;
  }
}

/** A name of a file may hold what a table can not. */
function printableName(name: string): string {
  return name.replace(/[\p{Cc}\p{Cs}]/gu, '\ufffd').slice(0, 300);
}
