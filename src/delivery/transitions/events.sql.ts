/** Longest error text of an event, in characters. */
const MAX_ERROR = 500;

/**
 * The CTE `noted` (or of another name): writes one row of `delivery_events` for each row of the CTE `from (tenant_id,
 * id, event, attempt, reason, until, error)`, in the statement that moves the deliveries. Addresses are removed from
 * errors: an event outlives the erasure of its recipient's address.
 * @param now the present instant, as an SQL expression such as `$3`
 */
export function eventsSql(from: string, now: string, name = 'noted'): string {
  return `
    ${name} AS (
      INSERT INTO delivery_events (tenant_id, delivery_id, event, attempt, reason, until, error, at)
      SELECT tenant_id, id, event, attempt, reason, until,
             left(regexp_replace(error, '[^[:space:]<>"]+@[^[:space:]<>"]+', '…', 'g'), ${MAX_ERROR}),
             ${now}::timestamptz
      FROM ${from} e WHERE event IS NOT NULL
    )`;
}
