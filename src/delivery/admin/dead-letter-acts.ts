import { setTimeout as delay } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { SystemDatabase } from '../../platform/database/database.js';
import type { SystemTransaction } from '../../platform/database/transaction.js';
import { BackgroundWork } from '../../platform/queues/background-work.js';
import { WakeUps } from '../../platform/queues/wake-ups.js';
import { COUNT_DEAD, DISCARD_DEAD, type MovedDead, REQUEUE_DEAD } from '../transitions/dead-letters.sql.js';

export const DEAD_LETTER_ACTS = ['requeue', 'discard'] as const;
export type DeadLetterActName = (typeof DEAD_LETTER_ACTS)[number];

/** Which dead letters to act on. */
export interface DeadLetterChoice {
  /** Null: of all tenants. */
  tenant_id: string | null;
  /** Deliveries, by id; null: all that the other fields choose. */
  ids: readonly string[] | null;
  /** Null: every channel. */
  channel: Channel | null;
  /** A cause and reason as `GET admin/dead-letters` lists them; null: every cause. */
  cause: string | null;
  reason: string | null;
  /** Failed since. */
  since: Date;
}

/** A requeue or a discard, and its progress. */
export interface DeadLetterAct extends Omit<DeadLetterChoice, 'ids' | 'since'> {
  id: string;
  act: DeadLetterActName;
  state: 'running' | 'succeeded';
  /** Chosen when it began. */
  total: number;
  /**
   * Moved so far. Fewer than `total` at the end if some were skipped: those without a recipient, and those
   * that others moved.
   */
  done: number;
  /** Why, in a person's words; null for a requeue. */
  why: string | null;
  by: string;
  created_at: Date;
  finished_at: Date | null;
}

interface StoredAct extends DeadLetterAct, Pick<DeadLetterChoice, 'ids' | 'since'> {}

/** Rows that one statement moves: this keeps locks short. */
const CHUNK = 2_000;
/** How often a process looks for unfinished acts. */
const RESUME_MS = 5_000;
/** How often `finish` checks an act that another process continues. */
const POLL_MS = 200;
const KEPT_DAYS = 30;
const MAX_LISTED = 50;
const COLUMNS = `id, act, state, chosen_tenant_id AS tenant_id, channel, cause, reason, total, done, why, by, created_at, finished_at`;

/**
 * Requeues and discards dead letters, in chunks. Each chunk and its progress are one transaction, so an act continues
 * in another process where one was killed.
 */
@Injectable()
export class DeadLetterActs implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Queues');
  private timer: NodeJS.Timeout | undefined;
  private readonly running = new Map<string, Promise<void>>();
  private stopping = false;

  constructor(
    private readonly database: SystemDatabase,
    private readonly wakeUps: WakeUps,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) config: Config,
    background: BackgroundWork,
  ) {
    if (config.roles.includes('worker'))
      background.onBegin(() => {
        this.timer = setInterval(() => void this.resume(), RESUME_MS);
      });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    clearInterval(this.timer);
    await Promise.all(this.running.values());
  }

  /** Records an act and moves its first chunk. The others follow in the background. */
  async begin(
    act: DeadLetterActName,
    choice: DeadLetterChoice,
    { by, why }: { by: string; why: string | null },
  ): Promise<DeadLetterAct> {
    const now = this.clock.now();
    const { tenant_id, ids, channel, cause, reason, since } = choice;
    const [counted] = await this.database.query<{ count: number }>(COUNT_DEAD, parametersOf(choice, now));
    const [row] = await this.database.query<{ id: string }>(
      `WITH forgotten AS (DELETE FROM dead_letter_acts WHERE finished_at < $10::timestamptz - interval '${KEPT_DAYS} days')
       INSERT INTO dead_letter_acts (act, chosen_tenant_id, ids, channel, cause, reason, since, why, by, created_at, total)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id`,
      [act, tenant_id, ids, channel, cause, reason, since, why, by, now, counted?.count ?? 0],
    );
    if (row === undefined) throw new Error('INSERT … RETURNING returned no row');
    this.logger.log({ event: 'dead_letters_act', act, tenant_id, channel, by, total: counted?.count ?? 0 });
    const hasMore = await this.chunk(row.id);
    const begun = await this.read(row.id);
    if (hasMore) this.continue(row.id);
    return begun;
  }

  /**
   * The newest acts first.
   * @param tenantId null: of all tenants
   */
  async list(tenantId: string | null): Promise<DeadLetterAct[]> {
    return this.database.query<DeadLetterAct>(
      `SELECT ${COLUMNS} FROM dead_letter_acts WHERE $1::uuid IS NULL OR chosen_tenant_id = $1
       ORDER BY created_at DESC, id DESC LIMIT ${MAX_LISTED}`,
      [tenantId],
    );
  }

  /** Waits for the end of an act, and moves the chunks that no other process moves. */
  async finish(id: string): Promise<DeadLetterAct> {
    for (;;) {
      await this.running.get(id);
      if (await this.chunk(id)) continue;
      const act = await this.read(id);
      if (act.state === 'succeeded') return act;
      // Another process holds its lock.
      await delay(POLL_MS);
    }
  }

  /** Continues the oldest act that is not finished. Never throws. */
  async resume(): Promise<void> {
    if (this.stopping || this.running.size > 0) return;
    try {
      const [act] = await this.database.query<{ id: string }>(
        `SELECT id FROM dead_letter_acts WHERE state = 'running' ORDER BY created_at LIMIT 1`,
      );
      if (act !== undefined) this.continue(act.id);
    } catch (error) {
      this.logger.warn({ event: 'round_failed', round: 'dead_letters', err: error });
    }
  }

  private continue(id: string): void {
    if (this.running.has(id)) return;
    const going = (async () => {
      while (!this.stopping && (await this.chunk(id)));
    })()
      // The next round continues the act.
      .catch((error: unknown) =>
        this.logger.warn({ event: 'round_failed', round: 'dead_letters', err: error }),
      )
      .finally(() => this.running.delete(id));
    this.running.set(id, going);
  }

  /** Moves one chunk. @returns whether there may be more. */
  private async chunk(id: string): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      // If another process holds the lock, it moves the next chunk.
      const act = await tx.one<StoredAct>(
        `SELECT ${COLUMNS}, ids, since FROM dead_letter_acts WHERE id = $1 AND state = 'running' FOR UPDATE SKIP LOCKED`,
        [id],
      );
      if (act === null) return false;
      const now = this.clock.now();
      const { picked, moved } = await this.move(tx, act, now);
      await tx.execute(
        `UPDATE dead_letter_acts SET done = done + $2, state = CASE WHEN $3 THEN 'succeeded' ELSE state END,
                finished_at = CASE WHEN $3 THEN $4::timestamptz END
         WHERE id = $1`,
        [id, moved, picked < CHUNK, now],
      );
      if (moved > 0 && act.act === 'requeue')
        tx.afterCommit(() => {
          for (const channel of act.channel === null ? CHANNELS : [act.channel])
            this.wakeUps.send('dispatch.kick', { channel });
        });
      return picked >= CHUNK;
    });
  }

  private async move(tx: SystemTransaction, act: StoredAct, now: Date): Promise<MovedDead> {
    const chosen = [...parametersOf(act, act.created_at), now, CHUNK];
    const done =
      act.act === 'requeue'
        ? await tx.one<MovedDead>(REQUEUE_DEAD, chosen)
        : await tx.one<MovedDead>(DISCARD_DEAD, [...chosen, act.why]);
    return done ?? { picked: 0, moved: 0 };
  }

  private async read(id: string): Promise<DeadLetterAct> {
    const [act] = await this.database.query<DeadLetterAct>(
      `SELECT ${COLUMNS} FROM dead_letter_acts WHERE id = $1`,
      [id],
    );
    if (act === undefined) throw new Error(`there is no act ${id}`);
    return act;
  }
}

function parametersOf({ tenant_id, ids, channel, cause, reason, since }: DeadLetterChoice, until: Date) {
  return [tenant_id, ids, channel === null ? CHANNELS : [channel], cause, reason, since, until];
}
