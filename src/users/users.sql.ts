import type { SortKey, SortOrders } from '../platform/lists/sort-orders.js';
import { sortKeySql } from '../platform/text/folded.sql.js';

const ID: SortKey = { sql: 'person.id', type: 'uuid' };

export const BY_NAME: SortOrders = { name: [{ sql: sortKeySql('person.name'), type: 'text' }, ID] };
/** The orders of the list of users. Ids grow with time. */
export const USER_ORDERS: SortOrders = { created: [ID], ...BY_NAME };
export const NEWEST_FIRST = '-created';

/** The users `person` of a list, with their tenants `t` and their hours `q`. */
export const USERS_FROM = `users person JOIN tenants t ON t.id = person.tenant_id
  LEFT JOIN quiet_hours q ON q.tenant_id = person.tenant_id AND q.user_id = person.id`;

/** Whether the user has chosen a password. */
export const IS_ACTIVE = 'person.password_hash IS NOT NULL';

/** The columns of a `ListedUser`. @param today in the zone of each user, as an SQL expression of the zone */
export function listedUserColumns(today: (zone: string) => string): string {
  const zone = 'coalesce(person.time_zone, t.time_zone)';
  return `person.tenant_id, person.id, person.email, person.name, person.role, person.phone, person.locale,
    person.time_zone, person.created_at, person.updated_at, ${IS_ACTIVE} AS active,
    CASE WHEN q.paused_until > ${today(zone)} THEN q.paused_until::text END AS paused_until`;
}
