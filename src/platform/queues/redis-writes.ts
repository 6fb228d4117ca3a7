import { Logger } from '@nestjs/common';
import { refusalOf } from '../redis/refusals.js';

/** While Redis refuses writes this process retries at this interval, in ms, so that the log shows the recovery. */
const TRY_AGAIN_MS = 5_000;

/**
 * Whether Redis accepts writes, as last seen by this process. Logs once when refusals start, and once when they end.
 * Each command reports a Redis that does not answer at all.
 */
export class RedisWrites {
  private readonly logger = new Logger('Redis');
  private refusal: string | null = null;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  /** @param write writes a key; throws Redis' answer. */
  constructor(private readonly write: () => Promise<void>) {}

  /** Writes a key. @throws what `write` throws. */
  async probe(): Promise<void> {
    try {
      await this.write();
      this.accepted();
    } catch (error) {
      this.failed(error);
      throw error;
    }
  }

  /** Redis accepted a write. */
  accepted(): void {
    if (this.refusal === null) return;
    this.logger.warn({ event: 'redis_takes_writes' });
    this.refusal = null;
    clearTimeout(this.timer);
  }

  /** A command failed for any reason. */
  failed(error: unknown): void {
    const refusal = refusalOf(error);
    if (refusal === null || refusal === this.refusal || this.stopped) return;
    this.logger.error({ event: 'redis_refuses_writes', detail: refusal });
    this.refusal = refusal;
    this.tryAgainLater();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private tryAgainLater(): void {
    clearTimeout(this.timer);
    if (this.stopped || this.refusal === null) return;
    this.timer = setTimeout(() => {
      void this.probe()
        .catch(() => undefined)
        .finally(() => this.tryAgainLater());
    }, TRY_AGAIN_MS);
  }
}
