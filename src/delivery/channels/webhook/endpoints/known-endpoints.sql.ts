/** The endpoints of all tenants that fail, and those that work and had a success since $1, each by an index. */
export const KNOWN_ENDPOINTS = `
  SELECT id::text AS address, true AS failing FROM webhook_endpoints
  WHERE failing_since IS NOT NULL AND state = 'enabled'
  UNION ALL
  SELECT id::text, false FROM webhook_endpoints WHERE failing_since IS NULL AND last_success_at > $1`;
