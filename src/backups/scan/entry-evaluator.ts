import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Entries, type Finding, type StagedAct, type UnsettledEntry } from './entries.js';
import { inboxRoot } from '../files/folders.js';
import { inParallel } from '../files/in-parallel.js';
import { type SeenFile, settled } from '../files/inbox.js';
import { FileVerifier } from './file-verifier.js';
import { StoreWriter } from './store-writer.js';
import type { Scan } from './scan.js';
import {
  findStaged,
  identityOf,
  hasTemporaryName,
  openStaged,
  type OpenStaged,
  type Refusal,
  type StagedFile,
} from '../files/staged-file.js';
import { StagedActs } from './staged-acts.js';

/** The entries that name one staged file, newest report first. */
interface Group {
  agent: string;
  name: string;
  entries: UnsettledEntry[];
}

/** Phase 2: what the server itself finds of every file that a report names. */
@Injectable()
export class EntryEvaluator {
  private readonly inbox: string;

  constructor(
    private readonly entries: Entries,
    private readonly judging: FileVerifier,
    private readonly promoting: StoreWriter,
    private readonly acts: StagedActs,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.inbox = inboxRoot(config);
  }

  /** Several files at once, of all agents; what goes wrong with one is that one's verdict. */
  async evaluate(scan: Scan): Promise<void> {
    await this.entries.settleWithoutFile(scan);
    const groups = new Map<SeenFile, Group>();
    for (const agent of await this.entries.agents(scan.tenant_id)) {
      for (const { file, group } of await this.look(scan, agent)) groups.set(file, group);
    }
    const still = new Set(await settled([...groups.keys()], this.clock.now().getTime()));
    await inParallel([...groups], this.config.backupConcurrency, async ([file, group]) => {
      if (still.has(file)) await this.present(scan, group, file);
      else await this.moving(scan, group);
    });
    await this.acts.noteDone(scan);
  }

  /** The staged files of an agent that are there, each with the entries that name it. */
  private async look(scan: Scan, agent: string): Promise<{ file: StagedFile; group: Group }[]> {
    const unsettled = await this.entries.unsettled(scan.tenant_id, agent);
    await this.promoting.tidy(scan, unsettled);
    const present = new Map<string, { group: Group; file: StagedFile }>();
    for (const group of groupsOf(agent, unsettled)) {
      scan.signal.throwIfAborted();
      const found = await findStaged(this.inbox, [scan.slug, agent], group.name);
      if (found === 'absent') await this.absent(scan, group.entries, noteOn(group));
      else if ('refused' in found) await this.notSeen(scan, group, found.refused);
      else {
        // Two spellings of a name may be one file.
        const same = present.get(found.file.path)?.group;
        const merged = same === undefined ? group : together(same, group, unsettled);
        present.set(found.file.path, { group: merged, file: found.file });
      }
    }
    return [...present.values()];
  }

  /** No file by the end of the grace is a missing backup; it may come later all the same. */
  private async absent(scan: Scan, entries: readonly UnsettledEntry[], detail: string | null): Promise<void> {
    const now = this.clock.now();
    for (const entry of entries) {
      const isOpen = entry.verdict === null || entry.reason === 'unreadable';
      if (!isOpen || entry.wait_until > now) continue;
      await this.record(scan, entry, {
        verdict: 'MISSING',
        reason: 'no_staged_file',
        detail,
        settled: false,
      });
    }
  }

  /** Left for the next scan; one that moves for ever has not come. */
  private async moving(scan: Scan, { entries }: Group): Promise<void> {
    scan.count('still_written', 1);
    await this.absent(scan, entries, STILL_WRITTEN);
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
    if (isKnown(group, file) || (await this.waitsForRoom(group, file))) return;
    const found = await openStaged(this.inbox, [scan.slug, group.agent], file);
    if (found === 'absent') return this.absent(scan, group.entries, noteOn(group));
    if (found === 'moving') return this.moving(scan, group);
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

  /** What all entries are worth is committed before the staged copy is touched. */
  private async judge(scan: Scan, group: Group, opened: OpenStaged): Promise<void> {
    const judged = await this.judging.judge(scan, group.entries, opened);
    if (judged === 'moving') return this.moving(scan, group);
    if (judged === 'unstorable') return;
    const acts: StagedAct[] = [];
    for (const { entry, finding } of judged) {
      const written = await this.record(scan, entry, finding);
      if (!written || finding.staged === undefined) continue;
      const { action: staged_action, identity: staged_identity } = finding.staged;
      acts.push({ ...entry, staged_action, staged_identity });
    }
    for (const act of acts) await this.acts.act(scan, act);
    const others = group.entries.filter((entry) => !judged.some((one) => one.entry === entry));
    if (others.length === 0) return;
    await this.absent(scan, others, null);
    await this.entries.notTheirs(
      scan.tenant_id,
      others.map(({ id }) => id),
      identityOf(opened.stats),
    );
  }

  private async record(scan: Scan, entry: UnsettledEntry, finding: Finding): Promise<boolean> {
    // A scan whose lease is lost leaves the last word to the other one.
    scan.signal.throwIfAborted();
    const written = await this.entries.record(scan.tenant_id, entry, finding);
    if (written) scan.decided(finding.verdict);
    return written;
  }
}

const STILL_WRITTEN = 'the file is still being written';

/** Why a file is not there, where its name says so. */
function noteOn({ name }: Group): string | null {
  return hasTemporaryName(name) ? 'its name is that of a file that is still being written' : null;
}

/** It was read before, and is none of theirs. */
function isKnown({ entries }: Group, { stats }: StagedFile): boolean {
  return entries.every(
    ({ verdict, staged_identity }) => verdict !== null && staged_identity === identityOf(stats),
  );
}

function groupsOf(agent: string, entries: readonly UnsettledEntry[]): Group[] {
  const groups = new Map<string, Group>();
  for (const entry of entries) {
    const name = entry.staged_file_name;
    const group = groups.get(name) ?? { agent, name, entries: [] };
    group.entries.push(entry);
    groups.set(name, group);
  }
  return [...groups.values()];
}

/** @param unsettled in the order that the entries are to have. */
function together(one: Group, other: Group, unsettled: readonly UnsettledEntry[]): Group {
  const theirs = new Set([...one.entries, ...other.entries]);
  return { ...one, entries: unsettled.filter((entry) => theirs.has(entry)) };
}
