/**
 * Who is notified of an item: its responsible user, or the tenant's admins if nobody is responsible. The only place of
 * this rule, for checks and summaries.
 * @param items a CTE or table with `responsible_id`
 * @param tenantId the parameter of the tenant id
 * @returns a SELECT of all columns of `items`, with `user_id` and `audience`
 */
export function responsibleOrAdminsSql(items: string, tenantId: string): string {
  return `
    SELECT i.*, i.responsible_id AS user_id, 'responsible' AS audience
    FROM ${items} i WHERE i.responsible_id IS NOT NULL
    UNION ALL
    SELECT i.*, u.id, 'unassigned'
    FROM ${items} i JOIN users u ON u.tenant_id = ${tenantId} AND u.role = 'admin'
    WHERE i.responsible_id IS NULL`;
}

/**
 * Who is notified of an incident: the tenant's alert recipients, else its admins, else the fallback address. An address
 * that belongs to a user counts as that user: their feed, preferences and language apply.
 * @param fallback the parameter of the fallback address, or null
 * @returns the CTE `recipients (user_id, address)`, and the CTEs it uses
 */
export function alertRecipientsSql(tenantId: string, fallback: string): string {
  return `
    named AS (
      SELECT jsonb_array_elements_text(settings -> 'alert_recipients') AS address
      FROM tenants WHERE id = ${tenantId}
    ),
    admins AS (
      SELECT id FROM users WHERE tenant_id = ${tenantId} AND role = 'admin' AND NOT EXISTS (SELECT FROM named)
    ),
    addresses AS (
      SELECT address FROM named
      UNION ALL
      SELECT ${fallback}
      WHERE ${fallback} IS NOT NULL AND NOT EXISTS (SELECT FROM named) AND NOT EXISTS (SELECT FROM admins)
    ),
    recipients AS (
      SELECT u.id AS user_id, CASE WHEN u.id IS NULL THEN a.address END AS address
      FROM addresses a LEFT JOIN users u ON u.tenant_id = ${tenantId} AND lower(u.email) = lower(a.address)
      UNION ALL
      SELECT id, NULL FROM admins
    )`;
}
