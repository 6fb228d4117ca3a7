import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { RunCounts } from '../contracts/jobs.js';
import { ChannelFallbacks } from '../notifications/channel-fallbacks.js';
import { Notifications } from '../notifications/notifications.service.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { RunHandlers } from '../runs/run-handlers.js';
import { nextOccasion } from './calendar.js';
import {
  CLAIM_DUE,
  COUNT_DUE,
  type DecidedReminder,
  type DueReminder,
  SEND_DUE,
  type SentReminders,
} from './process.sql.js';
import type { ProcessedReminders } from './reminders.dto.js';

/** Reminders of one transaction. */
export const BATCH_SIZE = 500;
/** The most reminders of a request; its caller waits for them. */
const MAX_AT_ONCE = 20_000;

/** Sends due reminders: the job `process-reminders`, and `POST reminders/process`. */
@Injectable()
export class ProcessReminders implements OnModuleInit {
  constructor(
    private readonly runs: RunHandlers,
    private readonly database: Database,
    private readonly notifications: Notifications,
    private readonly fallbacks: ChannelFallbacks,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.runs.register('process-reminders', async (run): Promise<RunCounts> => {
      const { processed, channels } = await this.process(run.tenant_id, { signal: run.signal });
      return { processed, ...channels };
    });
  }

  /**
   * Sends each due reminder of a tenant once, however many of its dates have passed, and uses the next
   * channels of those whose channel has failed. Repeatable: a batch is committed as a whole, and no date is
   * sent twice. Several calls may run at once.
   * @param options.max stops after about this many
   */
  async process(
    tenantId: string,
    { signal, max = Infinity }: { signal?: AbortSignal; max?: number } = {},
  ): Promise<Omit<ProcessedReminders, 'remaining'>> {
    const channels: Record<string, number> = {};
    let processed = 0;
    let claimed: number;
    do {
      signal?.throwIfAborted();
      const batch = await this.processBatch(tenantId);
      claimed = batch.claimed;
      processed += batch.sent;
      for (const [channel, messages] of Object.entries(batch.channels)) {
        channels[channel] = (channels[channel] ?? 0) + messages;
      }
    } while (claimed === BATCH_SIZE && processed < max);
    await this.advanceFallbacks(tenantId, channels, signal);
    return { processed, channels };
  }

  /** The same for a request: at most about 20,000. */
  async processNow(tenantId: string): Promise<ProcessedReminders> {
    const done = await this.process(tenantId, { max: MAX_AT_ONCE });
    const left = await this.database.tenant(tenantId, (tx) =>
      tx.one<{ due: number }>(COUNT_DUE, [tx.tenant_id, this.clock.now()]),
    );
    return { ...done, remaining: left?.due ?? 0 };
  }

  private async processBatch(tenantId: string): Promise<SentReminders & { claimed: number }> {
    return this.database.tenant(tenantId, async (tx) => {
      const now = this.clock.now();
      const due = await tx.query<DueReminder>(CLAIM_DUE, [tx.tenant_id, now, BATCH_SIZE]);
      const rows = due.map((reminder) => decide(reminder, now));
      const [outcome] =
        rows.length === 0
          ? []
          : await this.notifications.announce<SentReminders, 'rows'>(tx, SEND_DUE, {
              rows: JSON.stringify(rows),
            });
      const sent = outcome ?? { sent: 0, deliveries: 0, channels: {}, user_ids: [] };
      this.notifications.announced(tx, sent.user_ids, sent.deliveries);
      return { ...sent, claimed: due.length };
    });
  }

  /**
   * Repeats while something changes: if a channel cannot reach the user at all, the next one is used at once.
   */
  private async advanceFallbacks(
    tenantId: string,
    channels: Record<string, number>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      const step = await this.database.tenant(tenantId, (tx) => this.fallbacks.advance(tx));
      for (const [channel, messages] of Object.entries(step.channels)) {
        channels[channel] = (channels[channel] ?? 0) + messages;
      }
      if (step.examined === 0) return;
    }
  }
}

/** Computes the next date of a reminder, or its end. */
function decide(reminder: DueReminder, now: Date): DecidedReminder {
  const { id, ends_after, sent_count, zone, ticket_fault } = reminder;
  const ended = { next_on: null, next_at: null, zone: null };
  const base = { id, occasion: reminder.next_on };
  if (ticket_fault !== null) return { ...base, sends: false, end_reason: ticket_fault, ...ended };
  if (ends_after !== null && sent_count + 1 >= ends_after) {
    return { ...base, sends: true, end_reason: 'count', ...ended };
  }
  const { on, at } = nextOccasion(reminder, zone, now);
  return { ...base, sends: true, end_reason: null, next_on: on, next_at: at.toISOString(), zone };
}
