import { Injectable } from '@nestjs/common';
import { JOBS, type JobName, type JobPayloads, type RunCounts } from '../../contracts/jobs.js';

/** Shows a job's progress in its queue. Not awaited. */
export type ShowProgress = (counts: RunCounts) => void;

type Handler<Name extends JobName> = (payload: JobPayloads[Name], show: ShowProgress) => Promise<void>;

/** Which function does which job. Rooms register theirs while they start. */
@Injectable()
export class JobHandlers {
  private readonly handlers = new Map<JobName, Handler<never>>();

  /** @throws Error when the job already has a handler. */
  register<Name extends JobName>(name: Name, handler: Handler<Name>): void {
    if (this.handlers.has(name)) throw new Error(`the job ${name} has two handlers`);
    this.handlers.set(name, handler);
  }

  /** Runs the job's handler. The payload is what was enqueued under that name. */
  async run(name: string, payload: unknown, show: ShowProgress = () => undefined): Promise<void> {
    const handler = this.handlers.get(name as JobName);
    if (handler === undefined) throw new Error(`the job ${name} has no handler`);
    await handler(payload as never, show);
  }

  /** @throws Error naming the jobs of the catalog that nobody does. */
  assertComplete(): void {
    const missing = Object.keys(JOBS).filter((name) => !this.handlers.has(name as JobName));
    if (missing.length > 0) throw new Error(`no handler for the jobs ${missing.join(', ')}`);
  }
}
