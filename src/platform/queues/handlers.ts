import { Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import {
  JOBS,
  type JobName,
  type JobPayloads,
  PAYLOAD_FIELDS,
  type RunCounts,
} from '../../contracts/jobs.js';

/** Shows a job's progress in its queue. Not awaited. */
export type ShowProgress = (counts: RunCounts) => void;

/** Maximum length, in the log, of the name of a job that is in no catalog. */
const MAX_NAME = 100;

type Handler<Name extends JobName> = (payload: JobPayloads[Name], show: ShowProgress) => Promise<void>;

/** The handler of each job. Rooms register theirs at start. */
@Injectable()
export class JobHandlers {
  private readonly handlers = new Map<JobName, Handler<never>>();

  /** @throws Error when the job already has a handler. */
  register<Name extends JobName>(name: Name, handler: Handler<Name>): void {
    if (this.handlers.has(name)) throw new Error(`the job ${name} has two handlers`);
    this.handlers.set(name, handler);
  }

  /**
   * Runs the job's handler.
   * @throws Error, without running it, when the payload in Redis does not have the enqueued form: Redis may be shared,
   * and one bad id would fail a whole batch of claims.
   */
  async run(name: string, payload: unknown, show: ShowProgress = () => undefined): Promise<void> {
    const handler = this.handlers.get(name as JobName);
    if (handler === undefined) throw new Error(`the job ${name.slice(0, MAX_NAME)} has no handler`);
    if (!isPayloadOf(name as JobName, payload)) throw new Error(`the job ${name} does not carry its ids`);
    await handler(payload as never, show);
  }

  /** @throws Error naming the jobs of the catalog without a handler. */
  assertComplete(): void {
    const missing = Object.keys(JOBS).filter((name) => !this.handlers.has(name as JobName));
    if (missing.length > 0) throw new Error(`no handler for the jobs ${missing.join(', ')}`);
  }
}

function isPayloadOf(name: JobName, payload: unknown): boolean {
  if (typeof payload !== 'object' || payload === null) return false;
  const fields: readonly string[] = PAYLOAD_FIELDS[JOBS[name].payload];
  return fields.every((field) => isUUID((payload as Record<string, unknown>)[field]));
}
