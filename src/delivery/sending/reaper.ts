import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import { BackgroundWork } from '../../platform/queues/background-work.js';
import { WakeUps } from '../../platform/queues/wake-ups.js';
import { activeChannels } from '../channels/channels.js';
import { Leases, SENDING_LEASE_SECONDS } from './leases.js';
import { Wakeable } from '../dispatch/wakeable.js';

const REAP_INTERVAL_MS = 5_000;

/** Requeues the deliveries whose lease expired: their process was killed, or Redis lost them. */
@Injectable()
export class Reaper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Reaper');
  private readonly wake = new Wakeable();
  private stopping = false;
  private notBefore = 0;
  private ended: Promise<void> = Promise.resolve();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly leases: Leases,
    private readonly wakeUps: WakeUps,
    private readonly metrics: Metrics,
    private readonly background: BackgroundWork,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.config.roles.includes('scheduler')) return;
    this.background.onBegin(() => {
      this.ended = this.loop();
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    this.wake.wake();
    await this.ended;
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      await this.round();
      await this.wake.sleep(REAP_INTERVAL_MS);
    }
  }

  private async round(): Promise<void> {
    if (performance.now() < this.notBefore) return;
    try {
      const reaped = await this.leases.reap();
      if (reaped.requeued + reaped.ambiguous === 0) return;
      this.metrics.count('vigie_leases_expired_total', { state: 'queued' }, reaped.requeued);
      this.metrics.count('vigie_leases_expired_total', { state: 'sending' }, reaped.ambiguous);
      this.logger.warn({ event: 'leases_expired', ...reaped });
      for (const channel of activeChannels(this.config)) this.wakeUps.send('dispatch.kick', { channel });
    } catch (error) {
      // While PostgreSQL was unreachable no lease could be renewed: give live workers the time to renew theirs.
      this.notBefore = performance.now() + SENDING_LEASE_SECONDS * 1_000;
      this.logger.error({ event: 'reaping_failed', err: error });
    }
  }
}
