import { Injectable } from '@nestjs/common';
import { type Channel, PEOPLE_CHANNELS } from '../../contracts/channels.js';
import { DirectSending } from '../../delivery/sending/direct-sending.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import type { DeliveryStatus } from './deliveries.dto.js';
import { STATUS } from './deliveries.sql.js';
import type { Owner } from './delivery-list.service.js';
import { InboxCounts } from '../feed/inbox-counts.js';
import type { OwnStatistics, StatusCounts } from './statistics.dto.js';

/** Counts at most this many of each kind, the latest: this is a person's page, not a report on years. */
const MAX_COUNTED = 10_000;

interface CountRow {
  channel: Channel | null;
  status: DeliveryStatus | null;
  deliveries: number;
  received: number;
  created: number;
}

/** E2: counts what a caller received and created. */
@Injectable()
export class Statistics {
  constructor(
    private readonly counts: InboxCounts,
    private readonly direct: DirectSending,
  ) {}

  async of(tx: TenantTransaction, owner: Owner): Promise<OwnStatistics> {
    const rows = await tx.query<CountRow>(COUNTS, [
      tx.tenant_id,
      owner.user_id,
      owner.principal,
      MAX_COUNTED,
    ]);
    const { received = 0, created = 0 } = rows[0] ?? {};
    const by_channel = Object.fromEntries(PEOPLE_CHANNELS.map((channel) => [channel, none()]));
    const by_status = none();
    for (const { channel, status, deliveries } of rows) {
      const counts = channel === null ? undefined : by_channel[channel];
      if (counts === undefined || status === null) continue;
      counts[status] += deliveries;
      by_status[status] += deliveries;
    }
    const unread = owner.user_id === null ? 0 : (await this.counts.of(tx, owner.user_id)).unread_count;
    const complete = received < MAX_COUNTED && created < MAX_COUNTED;
    const quota = await this.direct.quotas(tx, owner.principal);
    return { unread, received, created, complete, by_status, by_channel, quota };
  }
}

function none(): StatusCounts {
  return { pending: 0, sent: 0, failed: 0 };
}

// $1 tenant id, $2 user id, $3 principal, $4 the most that are counted. Returns a row even if there is nothing.
const COUNTS = `
  WITH received AS MATERIALIZED (
    SELECT id FROM notifications WHERE tenant_id = $1 AND user_id = $2::uuid
    ORDER BY created_at DESC, id DESC LIMIT $4
  ),
  created AS MATERIALIZED (
    SELECT id FROM notifications WHERE tenant_id = $1 AND created_by = $3::text
    ORDER BY created_at DESC, id DESC LIMIT $4
  ),
  totals AS (
    SELECT (SELECT count(*) FROM received) AS received, (SELECT count(*) FROM created) AS created
  ),
  own AS (SELECT id FROM received UNION SELECT id FROM created),
  counted AS (
    SELECT s.channel, s.status, count(*) AS deliveries
    FROM own
    -- OFFSET 0: by the index for each, never by reading the table for all.
    CROSS JOIN LATERAL (
      SELECT d.channel, ${STATUS} AS status FROM deliveries d
      WHERE d.tenant_id = $1 AND d.notification_id = own.id OFFSET 0) s
    GROUP BY 1, 2
  )
  SELECT c.channel, c.status, coalesce(c.deliveries, 0) AS deliveries, t.received, t.created
  FROM totals t LEFT JOIN counted c ON true`;
