import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { ScheduledJob } from '../contracts/jobs.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { Metrics } from '../platform/metrics/metrics.js';

const DEADLINE_MS = 10_000;
/** Time limits of a heartbeat, in ms. */
export const HEARTBEAT_TIMES = {
  /** Between two calls of one address: a thousand tenants have as many runs within a minute. */
  interval_ms: 30_000,
  retry_after_ms: 5_000,
};

/**
 * Calls HEARTBEAT_URL after successful runs, so that an outside service notices when Vigie stops. The call
 * runs in the background, and its failure does not affect the run. The address is the operator's, so it may
 * be private, unlike that of a webhook.
 */
@Injectable()
export class Heartbeat implements OnApplicationShutdown {
  private readonly logger = new Logger('Heartbeat');
  private readonly stopping = new AbortController();
  /** When each address was last called, in ms of `performance.now()`. */
  private readonly calledAt = new Map<string, number>();
  private failing = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly metrics: Metrics,
  ) {}

  /** Returns at once; throws nothing. */
  send(job: ScheduledJob): void {
    if (this.config.heartbeatUrl === null || this.stopping.signal.aborted) return;
    const url = this.config.heartbeatUrl.replaceAll('{job}', job);
    const now = performance.now();
    if (now - (this.calledAt.get(url) ?? -Infinity) < HEARTBEAT_TIMES.interval_ms) return;
    this.calledAt.set(url, now);
    void this.callTwice(url, job);
  }

  onApplicationShutdown(): void {
    this.stopping.abort();
  }

  private async callTwice(url: string, job: ScheduledJob): Promise<void> {
    const { signal } = this.stopping;
    try {
      await this.call(url).catch(async () => {
        await delay(HEARTBEAT_TIMES.retry_after_ms, undefined, { signal, ref: false });
        await this.call(url);
      });
      this.note('answered');
      if (this.failing) this.logger.warn({ event: 'outside_heartbeat_answered', job });
      this.failing = false;
    } catch (error) {
      if (signal.aborted) return;
      this.note('failed');
      // Logged once until it answers again: the outside service raises the alarm.
      if (!this.failing)
        this.logger.warn({ event: 'outside_heartbeat_failed', job, reason: reasonOf(error) });
      this.failing = true;
    }
  }

  /** @throws Error if it is not answered with 2xx within 10 s. */
  private async call(url: string): Promise<void> {
    const response = await fetch(url, {
      method: this.config.heartbeatMethod.toUpperCase(),
      redirect: 'manual',
      signal: AbortSignal.any([this.stopping.signal, AbortSignal.timeout(DEADLINE_MS)]),
      headers: { 'user-agent': 'Vigie' },
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
  }

  private note(outcome: 'answered' | 'failed'): void {
    this.metrics.count('vigie_heartbeats_total', { outcome });
  }
}

/** Without the address, which is a secret. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  if (error.name === 'TimeoutError') return 'no answer within 10 s';
  return error.message.startsWith('HTTP ') ? error.message : error.name;
}
