import { Inject, Injectable } from '@nestjs/common';
import type { Channel } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { SystemDatabase } from '../../platform/database/database.js';
import type { SqlValue } from '../../platform/database/transaction.js';
import { causeSql } from '../../platform/queues/cause.sql.js';
import {
  type JobsFilter,
  type JobsPart,
  type JobState,
  type JobView,
  MAX_COUNTED_JOBS,
} from '../../platform/queues/job-view.js';
import { CHANNEL_TRAITS } from '../channels/channels.js';

/** Filters for deliveries. */
export interface DeliveryJobsFilter extends JobsFilter {
  /** As the list of dead letters shows it. Null: any cause; empty: no cause was recorded. */
  cause: string | null;
  /** Why it waits or failed. Null: any reason; empty: no reason. */
  reason: string | null;
}

/** Lists deliveries of all tenants, for operators: ids, times and causes, without addresses or contents. */
@Injectable()
export class DeliveryJobs {
  constructor(
    private readonly database: SystemDatabase,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async list(
    channels: readonly Channel[],
    filter: DeliveryJobsFilter,
    { limit, after }: JobsPart,
  ): Promise<JobView[]> {
    const { key, order } = LISTS[filter.state];
    const rows = await this.database.query<Omit<JobView, 'job'> & { channel: Channel }>(
      `SELECT d.tenant_id, t.slug AS tenant, d.id, d.channel, d.state, d.attempts, d.due_at, d.created_at, d.ended_at,
              d.defer_reason, d.reason, CASE WHEN d.error IS NOT NULL THEN ${causeSql('d.error')} END AS cause
       FROM (${partsSql(
         filter.state,
         `AND ($9::timestamptz IS NULL OR (${key}, id) ${order === 'ASC' ? '>' : '<'} ($9, $10::uuid))
          ORDER BY ${key} ${order}, id ${order} LIMIT $8`,
       )}) d JOIN tenants t ON t.id = d.tenant_id
       ORDER BY d.${key} ${order}, d.id ${order} LIMIT $8`,
      [...this.valuesOf(channels, filter), limit, after?.at ?? null, after?.id ?? null],
    );
    return rows.map(({ channel, ...job }) => ({ ...job, job: CHANNEL_TRAITS[channel].job }));
  }

  /** @param limit counting stops here, over all channels and tenants */
  async count(
    channels: readonly Channel[],
    filter: DeliveryJobsFilter,
    limit = MAX_COUNTED_JOBS,
  ): Promise<number> {
    const [row] = await this.database.query<{ count: number }>(
      // With the inner LIMIT, the planner uses the index of each part.
      `SELECT count(*) AS count FROM (SELECT FROM (${partsSql(filter.state, 'LIMIT $8')}) d LIMIT $8) counted`,
      [...this.valuesOf(channels, filter), limit],
    );
    return row?.count ?? 0;
  }

  private valuesOf(
    channels: readonly Channel[],
    { tenant_id, since, until, cause, reason }: DeliveryJobsFilter,
  ): SqlValue[] {
    return [channels, this.clock.now(), tenant_id, since, until, cause, reason];
  }
}

const COLUMNS =
  'tenant_id, id, channel, state, attempts, due_at, created_at, ended_at, defer_reason, reason, error';

/** Each part uses its own index. $2 is now. */
const LISTS: Record<JobState, { parts: string[]; key: 'due_at' | 'ended_at'; order: 'ASC' | 'DESC' }> = {
  active: { parts: [`state = 'sending'`], key: 'due_at', order: 'ASC' },
  waiting: { parts: [`state = 'queued'`, `state = 'pending' AND due_at <= $2`], key: 'due_at', order: 'ASC' },
  delayed: { parts: [`state = 'pending' AND due_at > $2`], key: 'due_at', order: 'ASC' },
  pending: { parts: [`state = 'pending'`], key: 'due_at', order: 'ASC' },
  completed: { parts: [`state = 'sent'`], key: 'ended_at', order: 'DESC' },
  failed: { parts: [`state = 'failed'`], key: 'ended_at', order: 'DESC' },
  unknown: { parts: [`state = 'unknown'`], key: 'ended_at', order: 'DESC' },
};

/** The only index for these states, `deliveries_ended`, begins with the tenant. */
const BY_TENANT: ReadonlySet<JobState> = new Set(['completed', 'unknown']);

// $1 channels, $2 now, $3 the tenant or null, $4 since, $5 until, $6 the cause, $7 the reason
function partsSql(state: JobState, end: string): string {
  const { parts, key } = LISTS[state];
  const isByTenant = BY_TENANT.has(state);
  return parts
    .map(
      (condition) => `
      (SELECT o.* FROM ${isByTenant ? 'tenants w CROSS JOIN ' : ''}unnest($1::text[]) AS c (name)
       CROSS JOIN LATERAL (
         SELECT ${COLUMNS} FROM deliveries
         WHERE channel = c.name AND ${condition} AND $2::timestamptz IS NOT NULL
           ${isByTenant ? 'AND tenant_id = w.id' : ''} AND ($3::uuid IS NULL OR tenant_id = $3)
           AND ($4::timestamptz IS NULL OR ${key} >= $4) AND ($5::timestamptz IS NULL OR ${key} < $5)
           AND ($6::text IS NULL OR ${causeSql('error')} = $6)
           AND ($7::text IS NULL OR coalesce(reason, defer_reason, '') = $7)
         ${end}) o)`,
    )
    .join(' UNION ALL ');
}
