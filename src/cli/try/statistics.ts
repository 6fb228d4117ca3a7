import { type Ending, Failure, type Step } from './step.js';

interface OwnStatistics {
  created: number;
  by_status: { pending: number; sent: number; failed: number };
}

interface TenantStatistics {
  channels: Record<string, unknown>;
}

/** The user's own statistics and the tenant's: they must include what was just created. */
export const statistics: Step = {
  name: 'statistics',
  async run({ writer, operator, tenant, notification_id }): Promise<Ending> {
    const own = await writer.call<OwnStatistics>('GET', 'notifications/statistics');
    if (notification_id !== null && own.created < 1) {
      throw new Failure(
        'what was just created is not counted',
        'This is a fault of Vigie: please report it.',
      );
    }
    const { pending, sent, failed } = own.by_status;
    const counted = `${own.created} created: ${sent} sent, ${pending} pending, ${failed} failed`;
    if (operator === null || tenant === null) return { ok: counted };
    const { channels } = await operator.call<TenantStatistics>('GET', `admin/statistics?tenant=${tenant}`);
    return { ok: `${counted}; channels ${Object.keys(channels).join(', ')}` };
  },
};
