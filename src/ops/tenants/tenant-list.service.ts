import { Inject, Injectable } from '@nestjs/common';
import { CHANNELS } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { SystemDatabase } from '../../platform/database/database.js';
import { type CountedPage, countedPage } from '../../platform/lists/counted-page.js';
import { ListConditions } from '../../platform/lists/list-conditions.js';
import type { SortOrders } from '../../platform/lists/sort-orders.js';
import { sortKeySql } from '../../platform/text/folded.sql.js';
import type { TenantInList, TenantListQuery } from './tenant-list.dto.js';

/** Counting stops here: it reads a bounded part of an index, however large the tables. */
const MAX_COUNTED = 100_000;
const DAY_MS = 24 * 60 * 60 * 1_000;

const ORDERS: SortOrders = {
  // Ids grow with time.
  created_at: [{ sql: 'tenant.id', type: 'uuid' }],
  name: [
    { sql: sortKeySql('tenant.name'), type: 'text' },
    { sql: 'tenant.id', type: 'uuid' },
  ],
};

/** The tenants of the installation with what each has and does, for operators. */
@Injectable()
export class TenantList {
  constructor(
    private readonly database: SystemDatabase,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @throws Problem invalid_cursor */
  async page({ q, state, ...query }: TenantListQuery): Promise<CountedPage<TenantInList>> {
    const conditions = new ListConditions([new Date(this.clock.now().getTime() - DAY_MS)]).matching(
      ['tenant.name', 'tenant.slug'],
      q,
    );
    // Uses $1, which the statement of the count alone does not use otherwise.
    conditions.add('$1::timestamptz IS NOT NULL');
    if (state !== undefined)
      conditions.add(`tenant.suspended_at IS ${state === 'suspended' ? 'NOT NULL' : 'NULL'}`);
    const list = { columns: COLUMNS, from: 'tenants tenant', conditions, orders: ORDERS };
    return this.database.transaction((tx) =>
      countedPage<TenantInList>(tx, list, { ...query, sort: query.sort ?? '-created_at' }),
    );
  }
}

function counted(from: string): string {
  return `(SELECT count(*) FROM (SELECT FROM ${from} LIMIT ${MAX_COUNTED}) counted)`;
}

/** By channel, because the indexes begin with tenant and channel. */
function countedDeliveries(which: string): string {
  return counted(`deliveries d, unnest('{${CHANNELS.join(',')}}'::text[]) AS c (name)
    WHERE d.tenant_id = tenant.id AND d.channel = c.name AND ${which}`);
}

// $1 a day ago. The counts are of the page's rows only; they use `deliveries_pending` and `deliveries_ended`.
const COLUMNS = `
  tenant.id, tenant.slug, tenant.name, tenant.kind, tenant.time_zone, tenant.locale, tenant.limit_per_hour,
  tenant.limit_per_day, tenant.schedule_from, tenant.suspended_at, tenant.created_at, tenant.updated_at,
  ${counted('users u WHERE u.tenant_id = tenant.id')} AS users,
  ${countedDeliveries("d.state = 'pending'")} AS pending,
  ${countedDeliveries("d.state = 'sent' AND d.ended_at > $1")} AS sent_24h,
  ${countedDeliveries("d.state = 'failed' AND d.ended_at > $1")} AS failed_24h`;
