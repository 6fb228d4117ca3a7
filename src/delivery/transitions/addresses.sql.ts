import { endSql } from './acts.sql.js';

/**
 * `pending` or `queued` → `suppressed`: the deliveries to these stopped addresses, unless they are being sent.
 * $1 tenant id, $2 channels, $3 now, $4 addresses in lower case
 */
export const SUPPRESS_OF_ADDRESSES = `
  WITH stopped AS (SELECT * FROM unnest($2::text[], $4::text[]) AS s (channel, address)),
  -- Each state has its own index.
  found AS MATERIALIZED (
    SELECT d.tenant_id, d.id FROM stopped s
    JOIN deliveries d ON d.tenant_id = $1 AND d.channel = s.channel AND lower(d.address) = s.address
    WHERE d.state = 'pending'
    UNION ALL
    SELECT d.tenant_id, d.id FROM stopped s
    JOIN deliveries d ON d.tenant_id = $1 AND d.channel = s.channel AND lower(d.address) = s.address
    WHERE d.state = 'queued'
  ),
  locked AS MATERIALIZED (
    SELECT d.tenant_id, d.id FROM found f
    JOIN deliveries d ON d.tenant_id = f.tenant_id AND d.id = f.id AND d.state IN ('pending', 'queued')
    ORDER BY d.tenant_id, d.id FOR UPDATE OF d
  ),
  ${endSql('suppressed', `'address_stopped'`)}
  SELECT count(*) FROM ended`;

/** Whether this address of this channel is stopped, as an SQL condition; false for a null address. */
export function isStoppedSql(tenantId: string, channel: string, address: string): string {
  return `(${channel}, lower(${address})) IN (SELECT channel, address FROM stopped_addresses WHERE tenant_id = ${tenantId})`;
}
