/** The state of the delivery `d` as shown to people. */
export const STATUS = `CASE WHEN d.state IN ('pending', 'queued', 'sending') THEN 'pending'
  WHEN d.state = 'sent' THEN 'sent' ELSE 'failed' END`;

/** The states of the delivery `d` behind each status. */
export const STATE_CONDITIONS = {
  pending: `d.state IN ('pending', 'queued', 'sending')`,
  sent: `d.state = 'sent'`,
  failed: `d.state IN ('failed', 'suppressed', 'cancelled', 'unknown')`,
} as const;

/** The data for the title of the notification `n`. No title needs a body of 20 kB. */
export const WORDED = `jsonb_build_object('kind', n.kind, 'severity', n.severity, 'data', n.data - 'body',
  'audience', n.audience, 'author_name', NULL)`;

/** The name of the recipient of the notification `n`: that of the user `person`, or a webhook's URL. Else null. */
export const RECIPIENT_NAME = `coalesce(person.name, CASE WHEN starts_with(n.recipient, 'webhook:') THEN (
  SELECT e.url_shown FROM webhook_endpoints e
  WHERE e.tenant_id = n.tenant_id AND e.id = substr(n.recipient, ${'webhook:'.length + 1})::uuid) END)`;

/** The columns of a `FeedDelivery`, of the delivery `d`. */
export const DELIVERY_COLUMNS = `d.id, d.channel, ${STATUS} AS status, d.state, d.attempts, d.due_at, d.defer_reason,
  d.reason, d.error, d.provider_id, d.sent_at, d.segments, d.bundle_id,
  CASE WHEN d.bundle_id IS NULL THEN 0 ELSE (
    SELECT count(*) FROM deliveries b WHERE b.tenant_id = d.tenant_id AND b.bundle_id = d.bundle_id) END AS bundle_size,
  (SELECT min(e.at) FROM provider_events e
   WHERE e.tenant_id = d.tenant_id AND e.delivery_id = d.id AND e.event = 'delivered') AS delivered_at`;

/** What the provider of the delivery `d` has reported of it, oldest first, as a list of `ReportedEvent`. */
export const PROVIDER_EVENTS_COLUMN = `
  (SELECT coalesce(jsonb_agg(jsonb_build_object('event', e.event, 'bounce', e.bounce, 'provider', e.provider,
     'detail', e.detail, 'at', to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ORDER BY e.at), '[]')
   FROM (SELECT * FROM provider_events e
         WHERE e.tenant_id = d.tenant_id AND e.delivery_id = d.id ORDER BY e.at DESC LIMIT 100) e) AS provider_events`;

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

/** The history of the delivery `d`, oldest first, as a list of `DeliveryEvent`. */
export const HISTORY_COLUMN = `
  (SELECT coalesce(jsonb_agg(jsonb_build_object('event', e.event, 'attempt', e.attempt, 'reason', e.reason,
     'until', to_char(e.until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'error', e.error,
     'at', to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ORDER BY e.at, e.id), '[]')
   FROM (SELECT * FROM delivery_events e
         WHERE e.tenant_id = d.tenant_id AND e.delivery_id = d.id ORDER BY e.id DESC LIMIT 100) e) AS history`;
