import { Injectable } from '@nestjs/common';
import { withTimeout } from '../../platform/clock/timeout.js';
import { Database } from '../../platform/database/database.js';
import { Problem } from '../../platform/errors/problem.js';
import { Queues } from '../../platform/queues/queues.js';
import { RedisRefusal } from '../../platform/queues/refusals.js';

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
   * Resolves if PostgreSQL answers and Redis accepts a write, within 2 s.
   * @throws Problem unavailable, naming the service that does not answer, or why Redis refuses; also during a shutdown,
   *   so that load balancers stop using the process while it drains.
   */
  async assertReady(): Promise<void> {
    if (this.stopping) throw new Problem('unavailable', 'this process is stopping');
    const faults = await Promise.all([
      faultOf('PostgreSQL', this.database.ping()),
      faultOf('Redis', this.queues.probe()),
    ]);
    const silent = faults.filter((fault) => fault?.silent === true).map((fault) => fault?.words);
    const words = [
      ...(silent.length > 0 ? [`no answer from ${silent.join(' and ')}`] : []),
      ...faults.flatMap((fault) => (fault?.silent === false ? [fault.words] : [])),
    ];
    if (words.length > 0) throw new Problem('unavailable', words.join('; '));
  }

  /** Makes the process not ready. The first step of a shutdown. */
  stop(): void {
    this.stopping = true;
  }
}

interface Fault {
  /** No answer: the text is the name of the service. */
  silent: boolean;
  words: string;
}

/** Null if the probe succeeds in time. */
function faultOf(name: string, probe: Promise<void>): Promise<Fault | null> {
  return withTimeout(probe, DEADLINE_MS, 'no answer').then(
    () => null,
    (error: unknown) =>
      error instanceof RedisRefusal ? { silent: false, words: error.message } : { silent: true, words: name },
  );
}
