import { Injectable, Logger } from '@nestjs/common';
import { withTimeout } from '../../platform/clock/timeout.js';
import { Database } from '../../platform/database/database.js';
import { ReadOnlyPostgres } from '../../platform/database/read-only.js';
import { Problem } from '../../platform/errors/problem.js';
import { Queues } from '../../platform/queues/queues.js';
import { RedisRefusal } from '../../platform/redis/refusals.js';

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
   * Resolves if PostgreSQL accepts changes and Redis accepts a write, within 2 s. Only changes are logged: load
   * balancers ask all the time.
   * @throws Problem unavailable, naming the service that does not answer, or why one of them refuses; also during a
   *   shutdown, so that load balancers stop using the process while it drains.
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
      error instanceof RedisRefusal || error instanceof ReadOnlyPostgres
        ? { silent: false, words: error.message }
        : { silent: true, words: name },
  );
}
