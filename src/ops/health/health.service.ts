import { Injectable, Logger } from '@nestjs/common';
import { withTimeout } from '../../platform/clock/timeout.js';
import { Database } from '../../platform/database/database.js';
import { Problem } from '../../platform/errors/problem.js';
import { Queues } from '../../platform/queues/queues.js';
import { RedisRefusal } from '../../platform/queues/refusals.js';

const DEADLINE_MS = 2_000;

/** Whether this process can do its work. */
@Injectable()
export class Health {
  private readonly logger = new Logger('Health');
  private stopping = false;
  /** Why it was not ready when it was last asked. */
  private reason: string | null = null;

  constructor(
    private readonly database: Database,
    private readonly queues: Queues,
  ) {}

  /**
   * Resolves when PostgreSQL answers and Redis takes a write, within 2 s. A change is logged; the single answers are not,
   * since balancers ask all the time.
   * @throws Problem unavailable, naming what does not answer, or why Redis refuses; also as soon as the process is to
   * stop, so that balancers look elsewhere while it drains.
   */
  async assertReady(): Promise<void> {
    const reason = this.stopping ? 'this process is stopping' : await this.reasonNotReady();
    if (reason !== this.reason && !this.stopping) {
      if (reason === null) this.logger.log({ event: 'ready_again' });
      else this.logger.warn({ event: 'not_ready', reason });
    }
    this.reason = reason;
    if (reason !== null) throw new Problem('unavailable', reason, { expected: true });
  }

  private async reasonNotReady(): Promise<string | null> {
    const faults = await Promise.all([
      faultOf('PostgreSQL', this.database.ping()),
      faultOf('Redis', this.queues.probe()),
    ]);
    const silent = faults.filter((fault) => fault?.silent === true).map((fault) => fault?.words);
    const words = [
      ...(silent.length > 0 ? [`no answer from ${silent.join(' and ')}`] : []),
      ...faults.flatMap((fault) => (fault?.silent === false ? [fault.words] : [])),
    ];
    return words.length > 0 ? words.join('; ') : null;
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
