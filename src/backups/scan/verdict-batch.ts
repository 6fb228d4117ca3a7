import type { Entries, StagedAct, Verdict } from './entries.js';
import type { Scan } from './scan.js';
import type { StoreWriter } from './store-writer.js';
import type { StagedActs } from './staged-acts.js';

/** Verdicts of one transaction. */
const MAX_VERDICTS = 200;
/** How long a verdict waits for others at most, in ms: a killed scan repeats no more work than this. */
const MAX_WAIT_MS = 2_000;
/** After this many verdicts in a row that could not be committed one by one, skips the rest of the batch. */
const MAX_FAILURES = 3;

/**
 * Commits the verdicts of a scan in batches: with a transaction per verdict, a scan of small files would wait for the
 * database, and with an fsync per folder, for the disk. Staged files are changed only after the commit of their
 * verdict.
 */
export class VerdictBatch {
  private waiting: Verdict[] = [];
  private timer: NodeJS.Timeout | null = null;
  private flushing: Promise<void> = Promise.resolve();

  constructor(
    private readonly scan: Scan,
    private readonly entries: Entries,
    private readonly acts: StagedActs,
    private readonly storeWriter: StoreWriter,
  ) {}

  /** Adds verdicts, and commits when there are enough. @throws the reason of an aborted scan */
  async add(verdicts: readonly Verdict[]): Promise<void> {
    this.scan.signal.throwIfAborted();
    this.waiting.push(...verdicts);
    if (this.waiting.length >= MAX_VERDICTS) await this.flush();
    else if (this.waiting.length > 0) this.timer ??= setTimeout(() => void this.flushLate(), MAX_WAIT_MS);
  }

  /** Commits the waiting verdicts. @throws the reason of an aborted scan */
  flush(): Promise<void> {
    this.stop();
    const begun = this.flushing.then(() => this.commitAll());
    this.flushing = begun.catch(() => undefined);
    return begun;
  }

  /** Drops the waiting verdicts: the next scan finds them again. */
  discard(): void {
    this.stop();
    this.waiting = [];
  }

  private stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  /** Only throws for an aborted scan; the next call of `add` or `flush` then throws the same. */
  private async flushLate(): Promise<void> {
    await this.flush().catch(() => undefined);
  }

  private async commitAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const verdicts = this.waiting.splice(0, MAX_VERDICTS);
      try {
        await this.commit(verdicts);
      } catch (error) {
        this.scan.signal.throwIfAborted();
        if (verdicts.length === 1) this.scan.skip('evaluate', error, verdicts[0]?.entry.agent_id);
        else await this.commitEach(verdicts);
      }
    }
  }

  /** Isolates a verdict that PostgreSQL refuses, so that the others are committed. */
  private async commitEach(verdicts: readonly Verdict[]): Promise<void> {
    let failures = 0;
    for (const verdict of verdicts) {
      try {
        await this.commit([verdict]);
        failures = 0;
      } catch (error) {
        this.scan.skip('evaluate', error, verdict.entry.agent_id);
        failures += 1;
        if (failures === MAX_FAILURES) return;
      }
    }
  }

  private async commit(found: readonly Verdict[]): Promise<void> {
    this.scan.signal.throwIfAborted();
    // Stored files must be on the disk before their verdicts are recorded and their staged files removed.
    const verdicts = await this.storeWriter.sync(this.scan, found);
    // A scan that lost its lease leaves the verdict to the new holder.
    this.scan.signal.throwIfAborted();
    const written = await this.entries.record(this.scan.tenant_id, verdicts);
    const changed = verdicts.filter(({ entry }) => written.has(entry.id));
    for (const { finding } of changed) this.scan.decided(finding.verdict);
    for (const act of changed.flatMap(actOf)) await this.acts.act(this.scan, act);
  }
}

function actOf({ entry, finding: { staged } }: Verdict): StagedAct[] {
  if (staged === undefined) return [];
  return [{ ...entry, staged_action: staged.action, staged_identity: staged.identity }];
}
