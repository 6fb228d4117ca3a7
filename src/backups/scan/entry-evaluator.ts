import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { inboxRoot } from '../files/folders.js';
import { inParallel } from '../files/in-parallel.js';
import { settled } from '../files/inbox.js';
import {
  findStaged,
  hasTemporaryName,
  identityOf,
  openStaged,
  type OpenStaged,
  type Refusal,
  type SeenFile,
} from '../files/staged-file.js';
import { Entries, type UnsettledEntry } from './entries.js';
import { FileVerifier } from './file-verifier.js';
import type { Scan } from './scan.js';
import { StagedActs } from './staged-acts.js';
import { StoreWriter } from './store-writer.js';
import { VerdictBatch } from './verdict-batch.js';

/** The entries that name one staged file, newest report first. */
interface Group {
  agent: string;
  name: string;
  entries: UnsettledEntry[];
}

/** Files are read after this many entries have been collected: a scan holds these and those of one more agent. */
const MAX_HELD_ENTRIES = 5_000;

/** Phase 2: verifies every file that a report names. */
@Injectable()
export class EntryEvaluator {
  private readonly inbox: string;

  constructor(
    private readonly entries: Entries,
    private readonly verifier: FileVerifier,
    private readonly storeWriter: StoreWriter,
    private readonly acts: StagedActs,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.inbox = inboxRoot(config);
  }

  /** Reads several files of these agents in parallel. A failing file gets its verdict and blocks no other. */
  async evaluate(scan: Scan, agents: readonly string[]): Promise<void> {
    const verdicts = new VerdictBatch(scan, this.entries, this.acts, this.storeWriter);
    try {
      let groups = new Map<SeenFile, Group>();
      let held = 0;
      for (const agent of agents) {
        for (const { file, group } of await this.findFiles(scan, agent, verdicts)) {
          groups.set(file, group);
          held += group.entries.length;
        }
        if (held < MAX_HELD_ENTRIES) continue;
        await this.verifyFiles(scan, groups, verdicts);
        groups = new Map();
        held = 0;
      }
      await this.verifyFiles(scan, groups, verdicts);
      await verdicts.flush();
    } finally {
      verdicts.discard();
    }
    await this.acts.noteDone(scan);
  }

  /** The existing staged files of an agent, each with the entries that name it. */
  private async findFiles(
    scan: Scan,
    agent: string,
    verdicts: VerdictBatch,
  ): Promise<{ file: SeenFile; group: Group }[]> {
    const found = new Map<string, { group: Group; file: SeenFile }>();
    try {
      const unsettled = await this.entries.unsettled(scan.tenant_id, agent);
      await this.storeWriter.tidy(scan, unsettled);
      for (const group of groupsOf(agent, unsettled)) {
        scan.signal.throwIfAborted();
        const staged = await findStaged(this.inbox, [scan.slug, agent], group.name);
        if (staged === 'absent') await this.markMissing(verdicts, group.entries, noteOn(group));
        else if ('refused' in staged) await this.markUnreadable(verdicts, group, staged.refused);
        else {
          // Two spellings of a name may be the same file.
          const same = found.get(staged.file.path)?.group;
          const merged = same === undefined ? group : merge(same, group, unsettled);
          found.set(staged.file.path, { group: merged, file: staged.file });
        }
      }
    } catch (error) {
      scan.skip('evaluate', error, agent);
    }
    return [...found.values()];
  }

  private async verifyFiles(
    scan: Scan,
    groups: ReadonlyMap<SeenFile, Group>,
    verdicts: VerdictBatch,
  ): Promise<void> {
    const unchanged = new Set(await settled([...groups.keys()], this.clock.now().getTime()));
    await inParallel([...groups], this.config.backupConcurrency, async ([file, group]) => {
      try {
        if (unchanged.has(file)) await this.verifyFile(scan, group, file, verdicts);
        else await this.postpone(scan, group, verdicts);
      } catch (error) {
        scan.skip('evaluate', error, group.agent);
      }
    });
  }

  /** A backup without a file is missing once its grace period ends. A later scan may still find the file. */
  private async markMissing(
    verdicts: VerdictBatch,
    entries: readonly UnsettledEntry[],
    detail: string | null,
  ): Promise<void> {
    const now = this.clock.now();
    const finding = { verdict: 'MISSING', reason: 'no_staged_file', detail, settled: false } as const;
    await verdicts.add(
      entries
        .filter(({ verdict, reason }) => verdict === null || reason === 'unreadable')
        .filter(({ wait_until }) => wait_until <= now)
        .map((entry) => ({ entry, finding })),
    );
  }

  /** Leaves a file that is still being written for the next scan. If it never settles, its backup is missing. */
  private async postpone(scan: Scan, { entries }: Group, verdicts: VerdictBatch): Promise<void> {
    scan.count('still_written', 1);
    await this.markMissing(verdicts, entries, STILL_WRITTEN);
  }

  /** A folder that cannot be read may have no file yet: its entries fail only when their file is due. */
  private async markUnreadable(verdicts: VerdictBatch, group: Group, refusal: Refusal): Promise<void> {
    const now = this.clock.now();
    const isDue = ({ verdict, wait_until }: UnsettledEntry) => verdict === null && wait_until <= now;
    const entries = refusal.reason === 'unreadable' ? group.entries.filter(isDue) : group.entries;
    await this.markRefused(verdicts, entries, refusal);
  }

  private async markRefused(
    verdicts: VerdictBatch,
    entries: readonly UnsettledEntry[],
    { reason, detail }: Refusal,
  ): Promise<void> {
    // An unreadable file may become readable. Anything else will never be a valid file of this folder.
    const finding = { verdict: 'FAILED', reason, detail, settled: reason !== 'unreadable' } as const;
    await verdicts.add(entries.map((entry) => ({ entry, finding })));
  }

  private async verifyFile(scan: Scan, group: Group, file: SeenFile, verdicts: VerdictBatch): Promise<void> {
    scan.signal.throwIfAborted();
    if (isKnown(group, file) || (await this.waitsForRoom(group, file))) return;
    const found = await openStaged(this.inbox, [scan.slug, group.agent], file);
    if (found === 'absent') return this.markMissing(verdicts, group.entries, noteOn(group));
    if (found === 'moving') return this.postpone(scan, group, verdicts);
    if ('refused' in found) return this.markRefused(verdicts, group.entries, found.refused);
    try {
      await this.verifyOpened(scan, group, found.opened, verdicts);
    } finally {
      await found.opened.handle.close();
    }
  }

  /** A file that did not fit into the store is not read again until there is space. */
  private async waitsForRoom({ entries }: Group, { stats }: SeenFile): Promise<boolean> {
    return (
      entries.every(({ reason }) => reason === 'store_full') && !(await this.storeWriter.hasRoom(stats.size))
    );
  }

  private async verifyOpened(
    scan: Scan,
    group: Group,
    opened: OpenStaged,
    verdicts: VerdictBatch,
  ): Promise<void> {
    const found = await this.verifier.verify(scan, group.entries, opened);
    if (found === 'moving') return this.postpone(scan, group, verdicts);
    if (found === 'unstorable') return;
    await verdicts.add(found);
    const others = group.entries.filter((entry) => !found.some((verdict) => verdict.entry === entry));
    if (others.length === 0) return;
    await this.markMissing(verdicts, others, null);
    const ids = others.map(({ id }) => id);
    // Before this is recorded: a verdict writes the identity, too.
    await verdicts.flush();
    await this.entries.skipForFile(scan.tenant_id, ids, identityOf(opened.stats));
  }
}

const STILL_WRITTEN = 'the file is still being written';

/** Why a file is missing, if its name shows the reason. */
function noteOn({ name }: Group): string | null {
  return hasTemporaryName(name) ? 'its name marks it as still being written' : null;
}

/** An earlier scan read this file, and it belongs to none of the entries. */
function isKnown({ entries }: Group, { stats }: SeenFile): boolean {
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

/** @param unsettled in the order to sort the entries */
function merge(one: Group, other: Group, unsettled: readonly UnsettledEntry[]): Group {
  const members = new Set([...one.entries, ...other.entries]);
  return { ...one, entries: unsettled.filter((entry) => members.has(entry)) };
}
