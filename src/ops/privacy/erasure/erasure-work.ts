import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../../platform/config/config.js';
import { Database, SystemDatabase } from '../../../platform/database/database.js';
import { databaseFailure } from '../../../platform/database/failures.js';
import type { TenantTransaction } from '../../../platform/database/transaction.js';
import { BackgroundWork } from '../../../platform/queues/background-work.js';
import { ERASURE_COLUMNS, type ErasureWait, type RunningErasure } from './erasure.js';
import type { StepResult } from './erasure-step.js';
import { ErasureSteps } from './erasure-steps.js';

/** How often a process looks for erasures that are not finished. */
const RESUME_MS = 5_000;
/** The longest wait for a lock: then the part is tried again. */
const LOCK_TIMEOUT_MS = 1_000;
/** A page of long texts takes longer than a request may wait. */
const STATEMENT_TIMEOUT_MS = 120_000;
/** lock_not_available, deadlock_detected: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BUSY_CODES = ['55P03', '40P01'];
/** When it goes on after a wait, in seconds. */
const WAIT_SECONDS: Record<ErasureWait, number> = { sending: 3, cleanup: 30, locks: 1, failure: 30 };

interface Place {
  tenant_id: string;
  id: string;
}

/**
 * Carries out erasures, in workers. Each part of a step and its progress are one transaction, so an erasure continues
 * in another process where one was killed.
 */
@Injectable()
export class ErasureWork implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Privacy');
  private readonly isWorker: boolean;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | null = null;
  private stopping = false;

  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly steps: ErasureSteps,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) config: Config,
    background: BackgroundWork,
  ) {
    this.isWorker = config.roles.includes('worker');
    if (this.isWorker)
      background.onBegin(() => {
        this.timer = setInterval(() => this.wake(), RESUME_MS);
        this.wake();
      });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    clearInterval(this.timer);
    await this.running;
  }

  /** Starts what is due, if this process is a worker: archives are where workers are. */
  wake(): void {
    if (!this.isWorker || this.stopping || this.running !== null) return;
    this.running = this.resume().finally(() => {
      this.running = null;
    });
  }

  /** Runs one erasure in this process until it is done, or has to wait. */
  async finish(place: Place): Promise<void> {
    while (!this.stopping && (await this.part(place)));
  }

  /** Every erasure that is due, one after the other. Never throws. */
  private async resume(): Promise<void> {
    // Each at most once per round: another process may be at work on it.
    const seen: string[] = [];
    try {
      for (let place = await this.due(seen); place !== null && !this.stopping; place = await this.due(seen)) {
        seen.push(place.id);
        await this.finish(place);
      }
    } catch (error) {
      this.logger.warn({ event: 'round_failed', round: 'erasures', err: error });
    }
  }

  private async due(except: readonly string[]): Promise<Place | null> {
    const [place] = await this.system.query<Place>(
      `SELECT tenant_id, id FROM erasures
       WHERE state = 'running' AND next_at <= now() AND id <> ALL ($1::uuid[]) ORDER BY next_at LIMIT 1`,
      [except],
    );
    return place ?? null;
  }

  /** Does one part. @returns whether there may be more to do now */
  private async part(place: Place): Promise<boolean> {
    try {
      return await this.database.tenant(place.tenant_id, async (tx) => {
        await tx.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
        await tx.allowLongStatements(STATEMENT_TIMEOUT_MS);
        // Another process that works on it does the next part.
        const erasure = await tx.one<RunningErasure>(
          `SELECT ${ERASURE_COLUMNS}, subject, position FROM erasures
           WHERE tenant_id = $1 AND id = $2 AND state = 'running' FOR UPDATE SKIP LOCKED`,
          [tx.tenant_id, place.id],
        );
        return erasure !== null && (await this.step(tx, erasure));
      });
    } catch (error) {
      const busy = BUSY_CODES.includes(databaseFailure(error)?.code ?? '');
      const { tenant_id, id: erasure_id } = place;
      if (!busy) this.logger.error({ event: 'erasure_failed', tenant_id, erasure_id, err: error });
      await this.database.tenant(tenant_id, (tx) => this.wait(tx, erasure_id, busy ? 'locks' : 'failure'));
      return false;
    }
  }

  private async step(tx: TenantTransaction, erasure: RunningErasure): Promise<boolean> {
    // The first one for a new erasure, and for a step that another version had: each may be repeated.
    const at = Math.max(
      0,
      this.steps.all.findIndex(({ name }) => name === erasure.step),
    );
    const step = this.steps.all[at];
    if (step === undefined) throw new Error('there are no steps');
    const result = await step.part(tx, erasure);
    if ('wait' in result) {
      await this.wait(tx, erasure.id, result.wait);
      return false;
    }
    const next = result.position === null ? this.steps.all[at + 1]?.name : step.name;
    if (next === undefined) {
      await this.end(tx, erasure, result);
      return false;
    }
    await this.progress(tx, erasure, result, next);
    return true;
  }

  private async progress(
    tx: TenantTransaction,
    { id, counts, unreadable_archives }: RunningErasure,
    result: Exclude<StepResult, { wait: ErasureWait }>,
    step: string,
  ): Promise<void> {
    const unreadable = [
      ...unreadable_archives,
      ...(result.unreadable === undefined ? [] : [result.unreadable]),
    ];
    await tx.execute(
      `UPDATE erasures SET step = $3, position = $4, counts = $5, unreadable_archives = $6, waiting_for = NULL,
              next_at = now()
       WHERE tenant_id = $1 AND id = $2`,
      [tx.tenant_id, id, step, result.position, JSON.stringify(sum(counts, result.counts)), unreadable],
    );
  }

  /** Forgets whom it was about. */
  private async end(
    tx: TenantTransaction,
    { id, counts, user_id }: RunningErasure,
    result: Exclude<StepResult, { wait: ErasureWait }>,
  ): Promise<void> {
    const done = sum(counts, result.counts);
    await tx.execute(
      `UPDATE erasures SET state = 'succeeded', finished_at = $3, subject = NULL, step = NULL, position = NULL,
              waiting_for = NULL, counts = $4
       WHERE tenant_id = $1 AND id = $2`,
      [tx.tenant_id, id, this.clock.now(), JSON.stringify(done)],
    );
    tx.afterCommit(() =>
      this.logger.log({
        event: 'erasure_done',
        tenant_id: tx.tenant_id,
        erasure_id: id,
        user_id,
        counts: done,
      }),
    );
  }

  private async wait(tx: TenantTransaction, id: string, why: ErasureWait): Promise<void> {
    await tx.execute(
      `UPDATE erasures SET waiting_for = $3, next_at = now() + make_interval(secs => $4)
       WHERE tenant_id = $1 AND id = $2 AND state = 'running'`,
      [tx.tenant_id, id, why, WAIT_SECONDS[why]],
    );
  }
}

function sum(
  before: Readonly<Record<string, number>>,
  more: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const counts = { ...before };
  for (const [name, count] of Object.entries(more)) if (count > 0) counts[name] = (counts[name] ?? 0) + count;
  return counts;
}
