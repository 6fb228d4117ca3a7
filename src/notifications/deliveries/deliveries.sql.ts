/** The state of the delivery `d` as shown to people. */
export const STATUS = `CASE WHEN d.state IN ('pending', 'queued', 'sending') THEN 'pending'
  WHEN d.state = 'sent' THEN 'sent' ELSE 'failed' END`;

/** The columns of a `FeedDelivery`, of the delivery `d`. */
export const DELIVERY_COLUMNS = `d.id, d.channel, ${STATUS} AS status, d.state, d.attempts, d.due_at, d.defer_reason,
  d.reason, d.error, d.provider_id, d.sent_at, d.segments, d.bundle_id,
  (SELECT count(*) FROM deliveries b WHERE b.tenant_id = d.tenant_id AND b.bundle_id = d.bundle_id) AS bundle_size`;

/**
 * The further columns of a `DeliveryDetail`, of the delivery `d`: the sent text, stored with the delivery that leads
 * its message.
 * @param mayRead SQL that is true if the reader received all of the message. The creator of one notification in it must
 *   not read the others.
 */
export function sentColumns(mayRead: string): string {
  const kept = (column: string) => `
    CASE WHEN d.state = 'sent' THEN (
      SELECT b.${column} FROM deliveries b
      WHERE b.tenant_id = d.tenant_id AND b.bundle_id = d.bundle_id AND b.leads AND b.state = 'sent'
        AND (${mayRead} OR NOT EXISTS (
          SELECT FROM deliveries o WHERE o.tenant_id = d.tenant_id AND o.bundle_id = d.bundle_id AND o.id <> d.id))
    ) END AS ${column}`;
  return `${kept('sent_subject')}, ${kept('sent_text')}`;
}
