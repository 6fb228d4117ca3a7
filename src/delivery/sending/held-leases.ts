import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { DeliveryJob } from '../../contracts/jobs.js';
import type { ClaimedMessage, SendLease } from '../channels/sender.js';
import { Leases, SENDING_LEASE_SECONDS } from './leases.js';

const RENEWAL_INTERVAL_MS = 5_000;

/**
 * A lease as its holder sees it. Measured on this process's own monotonic clock, from before the request: a process
 * that was stopped for a minute knows at once that it is too late.
 */
class HeldLease implements SendLease {
  private readonly lost = new AbortController();
  readonly signal = this.lost.signal;

  constructor(
    readonly job: DeliveryJob,
    private validUntil: number,
  ) {}

  isValid(): boolean {
    return !this.signal.aborted && performance.now() < this.validUntil;
  }

  prolong(validUntil: number): void {
    this.validUntil = validUntil;
  }

  lose(): void {
    this.lost.abort();
  }
}

/** The leases of this process: claimed one by one, renewed together, one statement every 5 s. */
@Injectable()
export class HeldLeases implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Leases');
  private readonly held = new Map<string, HeldLease>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly leases: Leases) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.renewAll(), RENEWAL_INTERVAL_MS);
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Claims the message and does `work` while its lease is renewed; false if it could not be claimed. */
  async withLease(
    job: DeliveryJob,
    work: (message: ClaimedMessage, lease: SendLease) => Promise<void>,
  ): Promise<boolean> {
    const validUntil = leaseEnd();
    const message = await this.leases.claim(job);
    if (message === false) return false;
    const lease = new HeldLease(job, validUntil);
    this.held.set(job.lease_token, lease);
    try {
      await work(message, lease);
    } finally {
      this.held.delete(job.lease_token);
    }
    return true;
  }

  private async renewAll(): Promise<void> {
    const leases = [...this.held.values()];
    if (leases.length === 0) return;
    const validUntil = leaseEnd();
    try {
      const { renewed, locked } = await this.leases.renew(leases.map(({ job }) => job));
      for (const lease of leases) {
        if (renewed.has(lease.job.lease_token)) lease.prolong(validUntil);
        // A missing entry means that its outcome was recorded meanwhile. Locked rows wait for the next renewal.
        else if (this.held.has(lease.job.lease_token) && !locked.has(lease.job.lease_token)) lease.lose();
      }
    } catch (error) {
      // They expire unless a later renewal succeeds.
      this.logger.warn({ event: 'lease_renewal_failed', leases: leases.length, err: error });
    }
  }
}

function leaseEnd(): number {
  return performance.now() + SENDING_LEASE_SECONDS * 1_000;
}
