import { PEOPLE_CHANNELS } from '../../contracts/channels.js';
import { lowestIdAt } from '../../platform/database/lowest-id.js';
import type { List } from '../../platform/lists/counted-page.js';
import { ListConditions } from '../../platform/lists/list-conditions.js';
import { sortKeySql } from '../../platform/text/folded.sql.js';
import type { SortKey, SortOrders } from '../../platform/lists/sort-orders.js';
import { readerSql } from '../views/reader.js';
import { STATE_CONDITIONS } from './deliveries.sql.js';
import type { TenantDeliveriesQuery } from './tenant-deliveries.dto.js';

const ID: SortKey = { sql: 'd.id', type: 'uuid' };

/**
 * The orders of the list. Ids grow with time: the primary key serves the first one. The others sort the newest rows,
 * because no index has their order.
 */
export const DELIVERY_ORDERS: SortOrders = {
  created: [ID],
  due_at: [{ sql: 'd.due_at', type: 'timestamptz' }, ID],
  recipient: [{ sql: sortKeySql('coalesce(person.name, d.recipient)'), type: 'text' }, ID],
};
export const NEWEST_FIRST = '-created';
const BY_INDEX: readonly (string | undefined)[] = [undefined, 'created', NEWEST_FIRST];

/** Counting stops here. */
export const MAX_COUNTED = 50_000;

const NOTIFICATION = 'JOIN notifications n ON n.tenant_id = d.tenant_id AND n.id = d.notification_id';

/** The deliveries `d` with their notifications `n`, recipients `person` and the one `reader`. $1 tenant id, $2 user id */
const deliveriesFrom = (deliveries: string): string => `${deliveries} d ${NOTIFICATION}
  LEFT JOIN users person ON person.tenant_id = n.tenant_id AND person.id = n.user_id
  CROSS JOIN (${readerSql('$1', '$2::uuid')}) reader`;

/**
 * How many deliveries a search, or an order without an index, reads. No index can find a part of a text here: under
 * row-level security, only leakproof operators are index conditions
 * (https://www.postgresql.org/docs/current/ddl-rowsecurity.html), and no such operator is leakproof.
 */
const NEWEST_ROWS = 50_000;

/**
 * How much the time in an id may differ from `created_at`, in ms: `created_at` comes from the clock of a process, at the
 * start of a transaction that may be long, and the id from PostgreSQL's clock.
 */
const ID_MARGIN_MS = 86_400_000;

/** The caller: everybody but admins sees only what they received or created. */
export interface DeliveryReader {
  tenant_id: string;
  role: 'member' | 'admin';
  user_id: string | null;
  principal: string;
}

/** Which notifications `n` a caller may read. @param take adds a value, and returns its parameter */
export function mayReadSql(reader: DeliveryReader, take: (value: string | null) => string): string {
  return reader.role === 'admin'
    ? 'true'
    : `(n.user_id = ${take(reader.user_id)}::uuid OR n.created_by = ${take(reader.principal)}::text)`;
}

/**
 * The FROM clause and the conditions. $1 is the tenant id, $2 the reader's id. A search, or an order without an index,
 * reads only the newest deliveries that match the other filters and that the caller may read.
 * @param most how many
 */
export function deliveryRows(
  reader: DeliveryReader,
  query: Partial<TenantDeliveriesQuery>,
  most = NEWEST_ROWS,
): Pick<List, 'from' | 'conditions'> {
  const conditions = new ListConditions([reader.tenant_id, reader.user_id]).add('d.tenant_id = $1');
  conditions.add(mayReadSql(reader, (value) => conditions.take(value)));
  if (query.status !== undefined) conditions.add(STATE_CONDITIONS[query.status]);
  if (query.to !== undefined) {
    const people = `d.channel = ANY (${conditions.take(PEOPLE_CHANNELS)}::text[])`;
    conditions.add(query.to === 'people' ? people : `NOT (${people})`);
  }
  conditions
    .equal('d.channel', query.channel)
    .equal('d.state', query.state)
    .equal('n.kind', query.kind)
    .equal('n.user_id', query.user_id)
    .equal('n.alert_id', query.alert_id)
    .equal('d.bundle_id', query.bundle_id)
    .given(query.since, (p) => `d.created_at >= ${p}::timestamptz`)
    .given(query.until, (p) => `d.created_at < ${p}::timestamptz`)
    .given(query.ended_since, (p) => `d.ended_at >= ${p}::timestamptz`)
    .equal('d.reason', query.reason);
  if (query.q === undefined && BY_INDEX.includes(query.sort))
    return { from: deliveriesFrom('deliveries'), conditions };
  // Restrict the ids, too: no index has created_at.
  conditions
    .given(idAt(query.since, -ID_MARGIN_MS), (p) => `d.id >= ${p}::uuid`)
    .given(idAt(query.until, ID_MARGIN_MS), (p) => `d.id < ${p}::uuid`);
  const newest = `SELECT d.* FROM deliveries d ${filtersNotifications(reader, query) ? NOTIFICATION : ''}
    WHERE ${conditions.sql} ORDER BY d.id DESC LIMIT ${conditions.take(most)}`;
  const found = new ListConditions(conditions.values);
  return {
    from: deliveriesFrom(`(${newest})`),
    conditions: query.q === undefined ? found : search(found, query.q),
  };
}

function idAt(instant: string | undefined, marginMs: number): string | undefined {
  return instant === undefined ? undefined : lowestIdAt(Date.parse(instant) + marginMs);
}

/** Whether a condition needs the notification of a delivery. */
function filtersNotifications(reader: DeliveryReader, query: Partial<TenantDeliveriesQuery>): boolean {
  return (
    reader.role !== 'admin' ||
    [query.kind, query.user_id, query.alert_id].some((value) => value !== undefined)
  );
}

/** Deliveries whose recipient, sent subject or fact contains this text. */
function search(conditions: ListConditions, q: string): ListConditions {
  const texts = conditions.matchSql(`concat_ws(chr(10), d.recipient, d.address, d.sent_subject)`, q);
  const people = conditions.matchSql('one.name', q);
  return conditions.add(`(${texts} OR ${conditions.matchSqlOfJson('n.data', q)}
    OR n.user_id = ANY (ARRAY(SELECT one.id FROM users one WHERE one.tenant_id = $1 AND ${people})))`);
}
