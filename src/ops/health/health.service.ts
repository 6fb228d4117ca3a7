import { Injectable } from '@nestjs/common';
import { withTimeout } from '../../platform/clock/timeout.js';
import { Database } from '../../platform/database/database.js';
import { Problem } from '../../platform/errors/problem.js';
import { Queues } from '../../platform/queues/queues.js';

const DEADLINE_MS = 2_000;

/** Whether this process can do its work. */
@Injectable()
export class Health {
  private stopping = false;

  constructor(
    private readonly database: Database,
    private readonly queues: Queues,
  ) {}

  /**
   * Resolves when PostgreSQL and Redis answer within 2 s.
   * @throws Problem unavailable, naming what does not answer; also as soon as the process is to stop, so that
   * balancers look elsewhere while it drains.
   */
  async assertReady(): Promise<void> {
    if (this.stopping) throw new Problem('unavailable', 'this process is stopping');
    const silent = await Promise.all([
      silentName('PostgreSQL', this.database.ping()),
      silentName('Redis', this.queues.ping()),
    ]);
    const names = silent.filter((name) => name !== null);
    if (names.length > 0) throw new Problem('unavailable', `no answer from ${names.join(' and ')}`);
  }

  /** From now on the process is not ready. The first thing to do when it is to stop. */
  stop(): void {
    this.stopping = true;
  }
}

/** `name` when the probe fails or takes too long, null when it succeeds. */
function silentName(name: string, probe: Promise<void>): Promise<string | null> {
  return withTimeout(probe, DEADLINE_MS, 'no answer').then(
    () => null,
    () => name,
  );
}
