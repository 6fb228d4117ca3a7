import type pg from 'pg';
import { until } from '../../../test/support/until.js';
import type { World } from '../../../test/support/world.js';
import type { Channel } from '../../contracts/channels.js';
import type { DeliveryJob } from '../../contracts/jobs.js';
import { DeliverySending } from '../sending/delivery-sending.js';
import { Dispatcher } from './dispatcher.js';

/** Runs a world's dispatcher and worker step by step. */
export class StepwiseDelivery {
  constructor(
    readonly world: World,
    private readonly channel: Channel = 'email',
  ) {}

  /** The admitted messages that are not claimed yet. */
  async queued(): Promise<(DeliveryJob & { size: number })[]> {
    return this.world.sql<DeliveryJob & { size: number } & pg.QueryResultRow>(
      `SELECT tenant_id, bundle_id, lease_token, count(*) AS size FROM deliveries WHERE state = 'queued' AND channel = $1
       GROUP BY 1, 2, 3 ORDER BY min(due_at), bundle_id`,
      [this.channel],
    );
  }

  /** Runs a round of the dispatcher. @returns the number of deliveries in each admitted message */
  async admit(): Promise<number[]> {
    await this.world.app.get(Dispatcher).round(this.channel);
    return (await this.queued()).map(({ size }) => size);
  }

  /** Sends the admitted messages, as a worker would. */
  async send(): Promise<void> {
    const sending = this.world.app.get(DeliverySending);
    await Promise.all((await this.queued()).map((job) => sending.deliver(job)));
  }

  /** Admits and sends until nothing more may leave. @returns the sizes of all messages. */
  async leave(): Promise<number[]> {
    const sizes: number[] = [];
    await until(
      'everything to leave',
      async () => {
        const { admitted, deferred } = await this.world.app.get(Dispatcher).round(this.channel);
        sizes.push(...(await this.queued()).map(({ size }) => size));
        await this.send();
        return admitted + deferred === 0;
      },
      60_000,
    );
    return sizes;
  }
}
