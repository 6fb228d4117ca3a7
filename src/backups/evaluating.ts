import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { Entries, type Finding, type UnsettledEntry } from './entries.js';
import { isOfFiles, toldOf } from './file-errors.js';
import { inboxRoot } from './folders.js';
import { inParallel } from './in-parallel.js';
import { type SeenFile, settled } from './inbox.js';
import { type Begun, Promoting } from './promoting.js';
import type { Scan } from './scan.js';
import {
  findStaged,
  identityOf,
  isOnItsWay,
  openStaged,
  type OpenStaged,
  type Refusal,
  type StagedFile,
} from './staged-file.js';
import { StagedActs } from './staged-acts.js';
import { IncomingCopy } from './stored-file.js';
import { readThrough, type Reading } from './verified-copy.js';

/** The entries that name one staged file, newest report first. */
interface Group {
  agent: string;
  name: string;
  entries: UnsettledEntry[];
}

/** A file of at least so many bytes tells how far it is. */
const LARGE = 256 * 1_048_576;

/** Phase 2: what the server itself finds of every file that a report names. */
@Injectable()
export class Evaluating {
  private readonly logger = new Logger('Backups');
  private readonly inbox: string;

  constructor(
    private readonly entries: Entries,
    private readonly promoting: Promoting,
    private readonly acts: StagedActs,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.inbox = inboxRoot(config);
  }

  /** Several files at once; what goes wrong with one is that one's verdict. */
  async evaluate(scan: Scan): Promise<void> {
    scan.count('entries', await this.entries.settleWithoutFile(scan));
    for (const agent of await this.entries.agents(scan.tenant_id)) {
      const unsettled = await this.entries.unsettled(scan.tenant_id, agent);
      await this.promoting.tidy(scan, unsettled);
      const groups = groupsOf(agent, unsettled);
      const present: { group: Group; file: StagedFile }[] = [];
      for (const group of groups) {
        scan.signal.throwIfAborted();
        const found = await findStaged(this.inbox, [scan.slug, agent], group.name);
        if (found === 'absent') await this.absent(scan, group);
        else if ('refused' in found) await this.notSeen(scan, group, found.refused);
        else present.push({ group, file: found.file });
      }
      const groupOf = new Map<SeenFile, Group>(present.map(({ group, file }) => [file, group]));
      const still = await settled(
        present.map(({ file }) => file),
        this.clock.now().getTime(),
      );
      scan.count('still_written', present.length - still.length);
      await inParallel(still, this.config.backupConcurrency, async (file) => {
        const group = groupOf.get(file);
        if (group !== undefined) await this.present(scan, group, file);
      });
    }
  }

  /** No file by the end of the grace is a missing backup; it may come later all the same. */
  private async absent(scan: Scan, group: Group): Promise<void> {
    const now = this.clock.now();
    for (const entry of group.entries) {
      const isOpen = entry.verdict === null || entry.reason === 'unreadable';
      if (!isOpen || entry.wait_until > now) continue;
      const detail = isOnItsWay(group.name) ? 'its name is that of a file that is still being written' : null;
      await this.record(scan, entry, {
        verdict: 'MISSING',
        reason: 'no_staged_file',
        detail,
        settled: false,
      });
    }
  }

  /** Where nobody can look there may be no file yet: that it can't be read is said once it should be there. */
  private async notSeen(scan: Scan, group: Group, refusal: Refusal): Promise<void> {
    const now = this.clock.now();
    const isDue = ({ verdict, wait_until }: UnsettledEntry) => verdict === null && wait_until <= now;
    const entries = refusal.reason === 'unreadable' ? group.entries.filter(isDue) : group.entries;
    await this.refused(scan, { ...group, entries }, refusal);
  }

  private async refused(scan: Scan, group: Group, { reason, detail }: Refusal): Promise<void> {
    // What can't be read today may be readable tomorrow; what is no file of this folder never will be.
    const settled = reason !== 'unreadable';
    for (const entry of group.entries) {
      await this.record(scan, entry, { verdict: 'FAILED', reason, detail, settled });
    }
  }

  private async present(scan: Scan, group: Group, file: StagedFile): Promise<void> {
    scan.signal.throwIfAborted();
    if (await this.waitsForRoom(group, file)) return;
    const found = await openStaged(this.inbox, [scan.slug, group.agent], file);
    if (found === 'absent') return this.absent(scan, group);
    if (found === 'moving') {
      scan.count('still_written', 1);
      return;
    }
    if ('refused' in found) return this.refused(scan, group, found.refused);
    try {
      await this.judge(scan, group, found.opened);
    } finally {
      await found.opened.handle.close();
    }
  }

  /** One that did not fit is not read again before it can fit. */
  private async waitsForRoom({ entries }: Group, { stats }: StagedFile): Promise<boolean> {
    return (
      entries.every(({ reason }) => reason === 'store_full') && !(await this.promoting.hasRoom(stats.size))
    );
  }

  /**
   * Reads the file once; what was read is what is kept. Of several entries that name it, each is held against it:
   * a file that is right for one of them is not quarantined for the others.
   */
  private async judge(scan: Scan, group: Group, opened: OpenStaged): Promise<void> {
    const [newest] = group.entries;
    if (newest === undefined) return;
    let reading: Reading;
    let copy: Begun = null;
    try {
      // A file of another size is seldom right: it is read before anything is copied.
      const likely = newest.size_bytes === null || newest.size_bytes === opened.stats.size;
      if (likely) copy = await this.promoting.begin(scan, newest);
      reading = await this.read(scan, group, opened, copy instanceof IncomingCopy ? copy : null);
      if (identityOf(await opened.handle.stat()) !== identityOf(opened.stats)) {
        await this.promoting.discard(copy);
        scan.count('still_written', 1);
        return;
      }
    } catch (error) {
      await this.promoting.discard(copy);
      if (!isOfFiles(error)) throw error;
      await this.refused(scan, group, { reason: 'unreadable', detail: toldOf(error) });
      return;
    }
    const staged = { identity: identityOf(opened.stats) };
    const isRight = (entry: UnsettledEntry) => entry.hash_sha256 === reading.sha256;
    const keep = group.entries.some(isRight);
    const stuck = isRight(newest) ? null : await this.promoting.discard(copy);
    for (const entry of group.entries) {
      const found = { server_hash_sha256: reading.sha256, server_size_bytes: reading.size };
      if (!isRight(entry) && stuck !== null) {
        await this.record(scan, entry, { ...found, ...this.promoting.failed(scan, entry.id, stuck) });
        continue;
      }
      if (!isRight(entry)) {
        await this.record(scan, entry, {
          ...found,
          verdict: 'HASH_MISMATCH',
          reason: 'hash_differs',
          detail: null,
          settled: true,
          ...(keep ? {} : { staged: { ...staged, action: 'quarantine' as const } }),
        });
        continue;
      }
      const promoted = await this.promoting.promote(
        scan,
        entry,
        opened,
        reading,
        entry === newest ? copy : null,
      );
      await this.record(scan, entry, {
        ...found,
        ...promoted,
        warning: entry.size_bytes !== null && entry.size_bytes !== reading.size ? 'size_differs' : null,
        ...(promoted.verdict === 'SUCCESS' ? { staged: { ...staged, action: 'delete' as const } } : {}),
      });
    }
    // Of this file's entries only: others of the agent are in other hands at this moment.
    await this.acts.act(
      scan,
      group.entries.map(({ id }) => id),
    );
  }

  private async read(
    scan: Scan,
    { agent, name }: Group,
    { handle, stats }: OpenStaged,
    copy: IncomingCopy | null,
  ): Promise<Reading> {
    let counted = 0;
    let told = 0;
    return readThrough(handle, copy?.handle ?? null, scan.signal, (bytes) => {
      scan.count('bytes', bytes - counted);
      counted = bytes;
      const percent = Math.floor((bytes / Math.max(1, stats.size)) * 100);
      if (stats.size < LARGE || percent < told + 10) return;
      told = percent;
      this.logger.log({
        event: 'backup_file_progress',
        tenant_id: scan.tenant_id,
        agent_id: agent,
        staged_file_name: name,
        percent,
      });
    });
  }

  private async record(scan: Scan, entry: UnsettledEntry, finding: Finding): Promise<void> {
    // A scan whose lease is lost leaves the last word to the other one.
    scan.signal.throwIfAborted();
    if (!(await this.entries.record(scan.tenant_id, entry, finding))) return;
    scan.count('entries', 1);
    scan.count(finding.verdict.toLowerCase(), 1);
  }
}

function groupsOf(agent: string, entries: readonly UnsettledEntry[]): Group[] {
  const groups = new Map<string, Group>();
  for (const entry of entries) {
    const name = entry.staged_file_name;
    const key = name.normalize('NFC');
    const group = groups.get(key) ?? { agent, name, entries: [] };
    group.entries.push(entry);
    groups.set(key, group);
  }
  return [...groups.values()];
}
