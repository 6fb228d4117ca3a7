import { ListConditions } from '../platform/lists/list-conditions.js';
import type { SortKey, SortOrders } from '../platform/lists/sort-orders.js';
import { groupKeySql, sortKeySql } from '../platform/text/folded.sql.js';
import type { DueItemFilter } from './due-item.dto.js';

const DUE_ON: SortKey = { sql: 'item.due_on', type: 'date' };
const ID: SortKey = { sql: 'item.id', type: 'uuid' };

/**
 * The orders of a list of items. Items of one client, or of one person, are always beside each other. The indexes
 * `<table>_due` and `<table>_client` serve the first two; the others sort the rows of the filter.
 */
export const DUE_ITEM_ORDERS: SortOrders = {
  due_on: [DUE_ON, ID],
  client_name: [{ sql: 'item.client_key', type: 'text' }, DUE_ON, ID],
  responsible: [
    { sql: sortKeySql('person.name'), type: 'text' },
    { sql: `coalesce(item.responsible_id::text, '')`, type: 'text' },
    DUE_ON,
    ID,
  ],
  title: [{ sql: `left(item.search_text, 40)`, type: 'text' }, ID],
};

/** The items of a table, `item`, with the responsible user, `person`. */
export function dueItemsSql(table: string): string {
  return `${table} item LEFT JOIN users person ON person.tenant_id = item.tenant_id AND person.id = item.responsible_id`;
}

/**
 * The conditions of a filter on `item`. $1 is the tenant id.
 * @param own columns of the kind that are compared as they are
 */
export function dueItemConditions<Filter extends DueItemFilter>(
  tenantId: string,
  filter: Partial<Filter>,
  { endedAt, own }: { endedAt: string; own: readonly (string & keyof Filter)[] },
): ListConditions {
  const { due_before, due_after, open, unassigned, client_name, q } = filter;
  const conditions = new ListConditions([tenantId])
    .add('item.tenant_id = $1')
    .equal('item.responsible_id', filter.responsible_id)
    .equal('item.external_id', filter.external_id)
    .given(due_before, (p) => `item.due_on < ${p}::date`)
    .given(due_after, (p) => `item.due_on > ${p}::date`)
    .given(client_name, (p) => `item.client_key = ${groupKeySql(`${p}::text`)}`)
    .matchingFolded('item.search_text', q);
  for (const column of own) conditions.equal(`item.${column}`, filter[column] as string | undefined);
  if (open !== undefined) conditions.add(`item.${endedAt} IS ${open ? '' : 'NOT '}NULL`);
  if (unassigned !== undefined) conditions.add(`item.responsible_id IS ${unassigned ? '' : 'NOT '}NULL`);
  return conditions;
}
