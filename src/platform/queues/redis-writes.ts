import { Logger } from '@nestjs/common';
import { refusalOf } from './refusals.js';

/** While Redis refuses writes this process tries one this often, in ms, so that the log says when it is over. */
const TRY_AGAIN_MS = 5_000;

/**
 * Whether Redis takes writes, as this process last saw it. Logs once when it begins to refuse them, and once when it
 * takes them again. A Redis that does not answer at all is another matter: each command reports it.
 */
export class RedisWrites {
  private readonly logger = new Logger('Redis');
  private refusal: string | null = null;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  /** @param write writes a key; throws what Redis answers. */
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

  /** Redis took a write. */
  accepted(): void {
    if (this.refusal === null) return;
    this.logger.warn({ event: 'redis_takes_writes' });
    this.refusal = null;
    clearTimeout(this.timer);
  }

  /** A command failed, for whatever reason. */
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
