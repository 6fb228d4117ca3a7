import { join } from 'node:path';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Entries, PAGE, type StagedAct } from './entries.js';
import { codeOf, isFileSystemError, describeFileError } from '../files/file-errors.js';
import { folderWithin, inboxRoot } from '../files/folders.js';
import { moveTo, removeSeen } from '../files/move-file.js';
import type { Scan } from './scan.js';
import { findStaged, identityOf } from '../files/staged-file.js';

/**
 * Deletes or quarantines staged files after their verdict is committed. The entry's row has the act until it is done,
 * so the next scan finishes the work of a killed one.
 */
@Injectable()
export class StagedActs {
  private readonly logger = new Logger('Backups');
  private readonly inbox: string;

  constructor(
    private readonly entries: Entries,
    @Inject(CONFIG) config: Config,
  ) {
    this.inbox = inboxRoot(config);
  }

  /** Carries out a committed verdict's act; `noteDone` records that it is done. */
  async act(scan: Scan, act: StagedAct): Promise<void> {
    if (await this.perform(scan, act)) scan.done.push(act.id);
    if (scan.done.length >= PAGE) await this.noteDone(scan);
  }

  async noteDone(scan: Scan): Promise<void> {
    await this.entries.stagedDone(scan.tenant_id, scan.done.splice(0));
  }

  /** Carries out all pending acts: those of killed scans, and those that failed before. */
  async actAll(scan: Scan): Promise<void> {
    let after: string | null = null;
    for (;;) {
      const due: StagedAct[] = await this.entries.stagedActs(scan.tenant_id, after);
      for (const act of due) {
        scan.signal.throwIfAborted();
        await this.act(scan, act);
      }
      await this.noteDone(scan);
      after = due.at(-1)?.id ?? null;
      if (due.length < PAGE) return;
    }
  }

  /** @returns whether the act is done. */
  private async perform(scan: Scan, act: StagedAct): Promise<boolean> {
    const agent = [scan.slug, act.agent_id];
    const found = await findStaged(this.inbox, agent, act.staged_file_name);
    if (found !== 'absent' && 'refused' in found) {
      if (found.refused.reason !== 'unreadable') return true;
      this.kept(scan, act, found.refused.detail);
      return false;
    }
    try {
      const isSeen = found !== 'absent' && identityOf(found.file.stats) === act.staged_identity;
      if (act.staged_action === 'quarantine' && isSeen) {
        const { signal } = scan;
        await moveTo(this.inbox, agent, found.file, { folder: 'quarantine', mark: act.id, signal });
        scan.count('quarantined', 1);
        return true;
      }
      // Another file with that name is the next backup: it stays. A killed scan may have renamed this file to remove
      // it.
      const folder = await folderWithin(this.inbox, [...agent, 'database']);
      const name = found === 'absent' ? act.staged_file_name : found.file.name;
      if (folder === null) return true;
      const renamed = await removeSeen(join(folder, name), act.staged_identity, act.id);
      if (renamed !== null) this.kept(scan, act, `another file has taken the name: ${renamed}`);
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return true;
      if (!isFileSystemError(error)) throw error;
      this.kept(scan, act, describeFileError(error));
      return false;
    }
  }

  private kept({ tenant_id }: Scan, { id: entry_id }: StagedAct, detail: string | null): void {
    this.logger.error({ event: 'backup_staged_file_kept', tenant_id, entry_id, detail });
  }
}
