import { Param, type PipeTransform } from '@nestjs/common';
import { SCHEDULED_JOBS, type ScheduledJob } from '../../contracts/jobs.js';
import { notFound } from '../../platform/errors/problem.js';

/** Jobs that can be triggered by name: those of the ledger, and a round of the dispatcher. */
export const TRIGGERABLE = [...SCHEDULED_JOBS, 'dispatch'] as const;
export type Triggerable = ScheduledJob | 'dispatch';

class JobPipe implements PipeTransform<string, string> {
  constructor(private readonly names: readonly string[]) {}

  transform(name: string): string {
    if (!this.names.includes(name)) throw notFound();
    return name;
  }
}

/** A job's name in the path; one that is not in the catalog is a 404. */
export function ScheduledJobParam(): ParameterDecorator {
  return Param('job', new JobPipe(SCHEDULED_JOBS));
}

/** The same, including `dispatch`. */
export function TriggerableParam(): ParameterDecorator {
  return Param('job', new JobPipe(TRIGGERABLE));
}
