/** What the state of the delivery `d` means to people. */
export const STATUS = `CASE WHEN d.state IN ('pending', 'queued', 'sending') THEN 'pending'
  WHEN d.state = 'sent' THEN 'sent' ELSE 'failed' END`;

/** The columns of a `FeedDelivery`, of the delivery `d`. */
export const DELIVERY_COLUMNS = `d.id, d.channel, ${STATUS} AS status, d.state, d.attempts, d.due_at, d.defer_reason,
  d.reason, d.error, d.provider_id, d.sent_at`;
