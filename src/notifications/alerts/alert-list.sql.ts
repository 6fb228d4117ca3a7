import type { SortKey, SortOrders } from '../../platform/lists/sort-orders.js';

const ID: SortKey = { sql: 'alert.id', type: 'uuid' };
const FIRST_SEEN: SortKey = { sql: 'alert.first_seen_at', type: 'timestamptz' };
/** The severities of `contracts/severities`, the least severe first. */
const SEVERITY: SortKey = {
  sql: `CASE alert.severity WHEN 'critical' THEN '2' WHEN 'warning' THEN '1' ELSE '0' END`,
  type: 'text',
};

/** The orders of a list of alerts. The index `alerts_list` serves the first one; the other sorts the rows of the filter. */
export const ALERT_ORDERS: SortOrders = {
  first_seen_at: [FIRST_SEEN, ID],
  severity: [SEVERITY, FIRST_SEEN, ID],
};
export const NEWEST_FIRST = '-first_seen_at';

/** The fields that a search covers, for facts of every kind. */
export const SEARCHED = ['title', 'client_name', 'database_name', 'agent_id', 'company_name', 'city'].map(
  (field) => `alert.data ->> '${field}'`,
);
