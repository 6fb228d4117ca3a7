import { access } from 'node:fs/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import { databaseFailure } from '../../platform/database/failures.js';
import { codeOf, describeFileError, isFileSystemError } from '../files/file-errors.js';
import { foldersIn, inboxRoot } from '../files/folders.js';
import { readReportFile, type ReportBytes, reportFiles, settled } from '../files/inbox.js';
import { moveTo } from '../files/move-file.js';
import { identityOf, type SeenFile } from '../files/staged-file.js';
import { bytesHash, readReport } from '../reports/report-text.js';
import { Reports } from '../reports/reports.service.js';
import type { InboxFindings } from './inbox-findings.js';
import type { Scan } from './scan.js';

/** A recorded report file. It is archived once its entries have verdicts. */
export interface CollectedFile {
  agent: string;
  file: SeenFile;
  report_id: string;
}

/** The agents of a part of the inbox, and their recorded reports. */
export interface CollectedBatch {
  agents: string[];
  files: CollectedFile[];
}

interface AgentFile extends SeenFile {
  agent: string;
}

/** A batch ends with the agent that fills it: it has at most this many reports and those of one more agent. */
const BATCH_REPORTS = 2_000;
/** After this many reports that could not be recorded, the agent's other reports are left for the next scan. */
const MAX_FAILURES = 3;
/** Ignored folders listed on the board. */
const MAX_IGNORED = 20;
/** A report that could not be recorded for this long, in ms, probably never will be. */
const STUCK_MS = 3_600_000;

/** Phase 1: checks and records every report in the tenant's inbox. */
@Injectable()
export class ReportCollector {
  private readonly logger = new Logger('Backups');
  private readonly root: string;
  private readonly isConfigured: boolean;
  /** By tenant: the ignored folders that were logged. */
  private readonly loggedIgnored = new Map<string, string>();

  constructor(
    private readonly database: Database,
    private readonly reports: Reports,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) config: Config,
  ) {
    this.root = inboxRoot(config);
    this.isConfigured = config.backupInboxDir !== null;
  }

  /** Yields batches, to bound the memory of a scan. An agent whose folder fails does not block the others. */
  async *collect(scan: Scan, findings: InboxFindings): AsyncGenerator<CollectedBatch> {
    let agents: string[] = [];
    let found: AgentFile[] = [];
    for (const agent of await this.agents(scan, findings)) {
      scan.signal.throwIfAborted();
      agents.push(agent);
      found.push(...(await this.reportsOf(scan, agent, findings)));
      if (found.length < BATCH_REPORTS) continue;
      yield { agents, files: await this.record(scan, found, findings) };
      agents = [];
      found = [];
    }
    yield { agents, files: await this.record(scan, found, findings) };
  }

  private async agents(scan: Scan, findings: InboxFindings): Promise<string[]> {
    try {
      // A configured inbox that does not exist is unmounted: this explains missing reports.
      if (this.isConfigured) await access(this.root);
      const { agents, ignored } = await foldersIn(this.root, scan.slug);
      this.noteIgnored(scan, ignored, findings);
      return agents;
    } catch (error) {
      this.markUnreadable(scan, findings, null, error);
      return [];
    }
  }

  /**
   * Shows ignored folders on the board, and logs changes of them: an agent may seem silent because its folder has a
   * wrong name.
   */
  private noteIgnored({ tenant_id }: Scan, ignored: readonly string[], findings: InboxFindings): void {
    findings.ignoredFolders = ignored.slice(0, MAX_IGNORED).map(printableName);
    const folders = findings.ignoredFolders.join('\n');
    if (folders !== '' && this.loggedIgnored.get(tenant_id) !== folders) {
      this.logger.warn({
        event: 'backup_folders_ignored',
        tenant_id,
        folders: findings.ignoredFolders,
        count: ignored.length,
      });
    }
    this.loggedIgnored.set(tenant_id, folders);
  }

  private async reportsOf(scan: Scan, agent: string, findings: InboxFindings): Promise<AgentFile[]> {
    const onUnreadable = (error: unknown) => this.markUnreadable(scan, findings, agent, error);
    try {
      const { files, more } = await reportFiles(this.root, [scan.slug, agent], onUnreadable);
      if (more) findings.markUnread(agent);
      return files.map((file) => ({ ...file, agent }));
    } catch (error) {
      onUnreadable(error);
      return [];
    }
  }

  private async record(
    scan: Scan,
    found: readonly AgentFile[],
    findings: InboxFindings,
  ): Promise<CollectedFile[]> {
    const unchanged = await settled(found, this.clock.now().getTime());
    scan.count('still_written', found.length - unchanged.length);
    const failures = new Map<string, number>();
    const files: CollectedFile[] = [];
    for (const file of unchanged) {
      scan.signal.throwIfAborted();
      const { agent } = file;
      const failed = failures.get(agent) ?? 0;
      if (failed >= MAX_FAILURES) continue;
      try {
        const report_id = await this.recordFile(scan, file);
        if (report_id !== null) files.push({ agent, file, report_id });
      } catch (error) {
        // The file stays in place: the next scan retries it.
        if (isFileSystemError(error)) {
          this.markUnreadable(scan, findings, agent, error);
          continue;
        }
        scan.skip('collect', error, agent);
        failures.set(agent, failed + 1);
        this.markUnrecorded(findings, file, error);
      }
    }
    return files;
  }

  /**
   * @returns the report's id; null if the file is not a report. @throws errors that prevent reading or moving it now.
   */
  async recordFile(scan: Scan, file: AgentFile): Promise<string | null> {
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
      // With the file's identity: the same bytes in a later file are another rejection, which is announced again.
      const sha256 = bytesHash(`${file.name}\n${identityOf(file.stats)}\n${bytesHash(read.bytes)}`);
      await this.reject(scan, file, sha256, parsed.refused);
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
      return { refused: `the file cannot be read: ${describeFileError(error)}`, sha256 };
    }
  }

  /** Records the rejection before moving the file: the API must know each file that has left `log/`. */
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
      signal: scan.signal,
    });
  }

  /**
   * A new unrecorded report may be the expected one, so its backup is not missing yet. A stuck one must not hide a
   * missing backup for ever.
   */
  private markUnrecorded(findings: InboxFindings, { agent, stats }: AgentFile, error: unknown): void {
    if (this.clock.now().getTime() - stats.mtimeMs < STUCK_MS) findings.markUnread(agent);
    const code = databaseFailure(error)?.code ?? 'no code';
    findings.markUnreadable(agent, `the server could not record a report (${code})`);
  }

  private markUnreadable(scan: Scan, findings: InboxFindings, agent: string | null, error: unknown): void {
    if (!isFileSystemError(error)) throw error;
    const detail = describeFileError(error);
    scan.count('unreadable', 1);
    this.logger.error({
      event: 'backup_folder_unreadable',
      tenant_id: scan.tenant_id,
      agent_id: agent,
      detail,
    });
    findings.markUnreadable(agent, detail);
  }
}

/** A file name may have characters that PostgreSQL cannot store. */
function printableName(name: string): string {
  return name.replace(/[\p{Cc}\p{Cs}]/gu, '\ufffd').slice(0, 300);
}
