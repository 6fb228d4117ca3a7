import { Inject, Injectable } from '@nestjs/common';
import type { QueueName } from '../../contracts/jobs.js';
import { Clock } from '../../platform/clock/clock.js';
import { SystemDatabase } from '../../platform/database/database.js';
import type { JobsQuery, JobState, JobView } from '../../platform/queues/job-view.js';
import { CHANNEL_TRAITS, channelOf } from '../channels/channels.js';

/** Lists the deliveries of a queue, of all tenants, for operators: ids and times, without addresses or contents. */
@Injectable()
export class DeliveryJobs {
  constructor(
    private readonly database: SystemDatabase,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async list(queue: QueueName, { state, limit, after, tenant_id }: JobsQuery): Promise<JobView[]> {
    const channel = channelOf(queue);
    const { parts, key, order } = LISTS[state];
    const one = (condition: string) => `
      (SELECT tenant_id, id, state, attempts, due_at, created_at, ended_at, defer_reason FROM deliveries
       WHERE channel = $1 AND ${condition} AND $2::timestamptz IS NOT NULL
         AND ($3::timestamptz IS NULL OR (${key}, id) ${order === 'ASC' ? '>' : '<'} ($3, $4::uuid))
         AND ($5::uuid IS NULL OR tenant_id = $5)
       ORDER BY ${key} ${order}, id ${order} LIMIT $6)`;
    return this.database.query<JobView>(
      `SELECT d.*, t.slug AS tenant, $7::text AS job
       FROM (${parts.map(one).join(' UNION ALL ')}) d JOIN tenants t ON t.id = d.tenant_id
       ORDER BY d.${key} ${order}, d.id ${order} LIMIT $6`,
      [
        channel,
        this.clock.now(),
        after?.at ?? null,
        after?.id ?? null,
        tenant_id,
        limit,
        CHANNEL_TRAITS[channel].job,
      ],
    );
  }
}

/** Each part uses its own index. $2 is now. */
const LISTS: Record<JobState, { parts: string[]; key: 'due_at' | 'ended_at'; order: 'ASC' | 'DESC' }> = {
  active: { parts: [`state = 'sending'`], key: 'due_at', order: 'ASC' },
  waiting: { parts: [`state = 'queued'`, `state = 'pending' AND due_at <= $2`], key: 'due_at', order: 'ASC' },
  delayed: { parts: [`state = 'pending' AND due_at > $2`], key: 'due_at', order: 'ASC' },
  failed: { parts: [`state = 'failed'`], key: 'ended_at', order: 'DESC' },
};
