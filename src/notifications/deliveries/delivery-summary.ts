import { Inject, Injectable } from '@nestjs/common';
import { PEOPLE_CHANNELS } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import type { DeliverySummary, NotSent } from './delivery-summary.dto.js';

const PERIOD_MS = 24 * 60 * 60 * 1_000;

/**
 * Deliveries to people that have ended, by state and reason. Parameters: $1 tenant id, $2 the earliest end, $3 channels,
 * $4 the recipient, null: of everybody. Index: deliveries_ended.
 */
const ENDED = `
  SELECT d.state, d.reason, count(*)::int AS count FROM deliveries d
  WHERE d.tenant_id = $1 AND d.channel = ANY ($3::text[])
    AND d.state IN ('sent', 'failed', 'suppressed', 'cancelled', 'unknown') AND d.ended_at > $2
    AND ($4::uuid IS NULL OR EXISTS (
      SELECT FROM notifications n WHERE n.tenant_id = $1 AND n.id = d.notification_id AND n.user_id = $4))
  GROUP BY d.state, d.reason ORDER BY count(*) DESC, d.state, d.reason`;

/** The outcomes of the messages of the last 24 hours, for the first page of the console. */
@Injectable()
export class DeliverySummaries {
  constructor(@Inject(Clock) private readonly clock: Clock) {}

  /** @param userId whose messages; null: those of everybody in the tenant. */
  async of(tx: TenantTransaction, userId: string | null): Promise<DeliverySummary> {
    const since = new Date(this.clock.now().getTime() - PERIOD_MS);
    const rows = await tx.query<Omit<NotSent, 'state'> & { state: NotSent['state'] | 'sent' }>(ENDED, [
      tx.tenant_id,
      since,
      PEOPLE_CHANNELS,
      userId,
    ]);
    return {
      sent: rows.reduce((sum, { state, count }) => sum + (state === 'sent' ? count : 0), 0),
      not_sent: rows.flatMap(({ state, reason, count }) =>
        state === 'sent' ? [] : { state, reason, count },
      ),
    };
  }
}
