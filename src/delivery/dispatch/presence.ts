import { randomUUID } from 'node:crypto';
import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { SystemDatabase } from '../../platform/database/database.js';
import { BackgroundWork } from '../../platform/queues/background-work.js';
import { concurrencyOf } from '../../platform/queues/concurrency.js';
import { WakeUps } from '../../platform/queues/wake-ups.js';
import { activeChannels, queueOf } from '../channels/channels.js';

const HEARTBEAT_INTERVAL_MS = 5_000;

/**
 * Announces that this process sends, and its concurrency: the dispatcher admits as much as the live workers can take.
 */
@Injectable()
export class Presence implements OnApplicationBootstrap {
  private readonly logger = new Logger('Presence');
  private readonly id = randomUUID();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly database: SystemDatabase,
    private readonly wakeUps: WakeUps,
    private readonly background: BackgroundWork,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.roles.includes('worker')) this.background.onBegin(() => this.begin());
  }

  private async begin(): Promise<void> {
    await this.sendHeartbeat();
    for (const channel of activeChannels(this.config)) this.wakeUps.send('dispatch.kick', { channel });
    this.timer = setInterval(() => {
      this.sendHeartbeat().catch((error: unknown) =>
        this.logger.warn({ event: 'heartbeat_failed', err: error }),
      );
    }, HEARTBEAT_INTERVAL_MS);
  }

  /** The dispatcher stops counting this process. Called before it drains. */
  async leave(): Promise<void> {
    clearInterval(this.timer);
    await this.database
      .query(`DELETE FROM workers WHERE id = $1`, [this.id])
      .catch((error: unknown) => this.logger.warn({ event: 'farewell_failed', err: error }));
  }

  private async sendHeartbeat(): Promise<void> {
    const channels = activeChannels(this.config);
    await this.database.query(
      `WITH forgotten AS (DELETE FROM workers WHERE seen_at < now() - interval '1 hour')
       INSERT INTO workers (id, channel, concurrency, seen_at)
       SELECT $1, channel, concurrency, now() FROM unnest($2::text[], $3::integer[]) AS c (channel, concurrency)
       ON CONFLICT (id, channel) DO UPDATE SET seen_at = excluded.seen_at`,
      [this.id, channels, channels.map((channel) => concurrencyOf(queueOf(channel), this.config))],
    );
  }
}
