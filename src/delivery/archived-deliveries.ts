import { CHANNELS } from '../contracts/channels.js';
import type { ArchivedTable } from '../platform/archives/archived-thing.js';

/** Deliveries and their events: archived with their notifications. */
export const DELIVERY_TABLES: readonly ArchivedTable[] = [
  { table: 'deliveries', parent: { table: 'notifications', column: 'notification_id' }, key: ['id'] },
  {
    table: 'delivery_events',
    parent: { table: 'deliveries', column: 'delivery_id' },
    key: ['delivery_id', 'id'],
  },
  {
    table: 'provider_events',
    parent: { table: 'deliveries', column: 'delivery_id' },
    key: ['delivery_id', 'provider', 'event_key'],
  },
];

/**
 * Whether all deliveries of a notification ended before these instants; null if it has none.
 * @param n the alias of the notification
 * @param p SQL expressions
 */
export function deliveriesEndedSql(
  n: string,
  p: Readonly<Record<'tenant_id' | 'sent_before' | 'failed_before', string>>,
): string {
  // A waiting delivery has no end, and bool_and would ignore a null.
  return `(
    SELECT bool_and(coalesce(
      d.ended_at < CASE d.state WHEN 'failed' THEN ${p.failed_before} ELSE ${p.sent_before} END, false))
    FROM deliveries d WHERE d.tenant_id = ${p.tenant_id} AND d.notification_id = ${n}.id)`;
}

const CHANNEL_ARRAY = `ARRAY[${[...CHANNELS]
  .sort()
  .map((channel) => `'${channel}'`)
  .join(', ')}]`;

/**
 * The notifications of failed deliveries, with a `position`, after the position `after` (an expression; '' at first).
 * @param p SQL expressions
 */
export function failedDeliveriesSql(
  p: Readonly<Record<'tenant_id' | 'failed_before', string>>,
  after: string,
  limit: number,
): string {
  const at = (place: number) => `split_part(${after}, ' ', ${place})`;
  const here = `c.channel = ${at(1)}`;
  // PostgreSQL evaluates constants while it plans, also those of a CASE that is never reached.
  const given = (place: number) => `nullif(${at(place)}, '')`;
  return `
    SELECT f.notification_id,
           c.channel || ' ' || (extract(epoch FROM f.ended_at) * 1000)::bigint || ' ' || f.id AS position
    FROM unnest(${CHANNEL_ARRAY}) AS c (channel)
    CROSS JOIN LATERAL (
      SELECT d.notification_id, d.ended_at, d.id FROM deliveries d
      WHERE d.tenant_id = ${p.tenant_id} AND d.channel = c.channel AND d.state = 'failed'
        AND d.ended_at < ${p.failed_before}
        AND (d.ended_at, d.id) > (
          CASE WHEN ${here} THEN to_timestamp(${given(2)}::bigint / 1000.0) ELSE '-infinity' END,
          CASE WHEN ${here} THEN ${given(3)}::uuid ELSE '00000000-0000-0000-0000-000000000000' END)
      ORDER BY d.ended_at, d.id LIMIT ${limit}) f
    WHERE c.channel >= ${at(1)}
    ORDER BY c.channel, f.ended_at, f.id LIMIT ${limit}`;
}
