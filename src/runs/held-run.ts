import { Logger } from '@nestjs/common';
import { RUN_LEASE_SECONDS } from './run-record.js';

const LEASE_MS = RUN_LEASE_SECONDS * 1_000;
const RENEWAL_INTERVAL_MS = LEASE_MS / 3;

/** The reason of a run's aborted signal. */
export class RunAbortedError extends Error {}

export interface HeldRunOptions {
  run_id: string;
  /** `performance.now()` from before the lease was requested. */
  asked_at: number;
  /** How long the run may take, in ms. */
  max_ms: number;
  /** Renews the lease; false when it belongs to another process. May throw. */
  renew: () => Promise<boolean>;
  /** Called once if the run exceeds `max_ms`. */
  onOverdue: () => void;
}

/**
 * The lease of a run as its holder sees it. The holder measures it on its own monotonic clock, from before the request:
 * a process that cannot reach PostgreSQL stops working on the run before another process may take it over.
 */
export class HeldRun {
  private readonly logger = new Logger('Runs');
  private readonly controller = new AbortController();
  readonly signal = this.controller.signal;
  private readonly renewals: NodeJS.Timeout;
  private readonly limit: NodeJS.Timeout;
  private expiry: NodeJS.Timeout;
  private validUntil: number;
  private renewing = false;
  private ended = false;

  constructor(private readonly options: HeldRunOptions) {
    this.validUntil = options.asked_at + LEASE_MS;
    this.renewals = setInterval(() => void this.renew(), RENEWAL_INTERVAL_MS);
    this.limit = setTimeout(() => this.overdue(), options.max_ms);
    this.expiry = this.expireLater();
  }

  /** Stops renewing: the work has ended. */
  end(): void {
    this.ended = true;
    clearInterval(this.renewals);
    clearTimeout(this.limit);
    clearTimeout(this.expiry);
  }

  private async renew(): Promise<void> {
    // The previous renewal still waits for PostgreSQL.
    if (this.renewing) return;
    this.renewing = true;
    const validUntil = performance.now() + LEASE_MS;
    try {
      if (await this.options.renew()) this.validUntil = validUntil;
      else this.abort('its lease belongs to another process');
    } catch (error) {
      // The next renewal may succeed. If none does, `expire` aborts the run.
      this.logger.warn({ event: 'run_renewal_failed', run_id: this.options.run_id, err: error });
    } finally {
      this.renewing = false;
    }
  }

  private expireLater(): NodeJS.Timeout {
    return setTimeout(() => this.expire(), Math.max(0, this.validUntil - performance.now()));
  }

  private expire(): void {
    if (this.ended || this.signal.aborted) return;
    // A renewal has extended the lease meanwhile.
    if (performance.now() < this.validUntil) this.expiry = this.expireLater();
    else this.abort('its lease could not be renewed');
  }

  /** A hanging run must not keep its lease for ever. */
  private overdue(): void {
    this.options.onOverdue();
    this.abort(`it took longer than ${this.options.max_ms / 60_000} minutes`);
  }

  private abort(reason: string): void {
    clearInterval(this.renewals);
    clearTimeout(this.limit);
    if (!this.ended) this.controller.abort(new RunAbortedError(reason));
  }
}
