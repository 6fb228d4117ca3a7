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
   * Resolves when PostgreSQL answers and Redis takes a write, within 2 s.
   * @throws Problem unavailable, naming what does not answer, or why Redis refuses; also as soon as the process is to
   * stop, so that balancers look elsewhere while it drains.
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

  /** From now on the process is not ready. The first thing to do when it is to stop. */
  stop(): void {
    this.stopping = true;
  }
}

interface Fault {
  /** No answer: the words are the name of the service. */
  silent: boolean;
  words: string;
}

/** Null when the probe succeeds in time. */
function faultOf(name: string, probe: Promise<void>): Promise<Fault | null> {
  return withTimeout(probe, DEADLINE_MS, 'no answer').then(
    () => null,
    (error: unknown) =>
      error instanceof RedisRefusal ? { silent: false, words: error.message } : { silent: true, words: name },
  );
}
