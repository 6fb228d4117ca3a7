import { Param, type PipeTransform } from '@nestjs/common';
import { SCHEDULED_JOBS, type ScheduledJob } from '../../contracts/jobs.js';
import { invalid, notFound } from '../../platform/errors/problem.js';

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

class PreviewablePipe extends JobPipe {
  override transform(name: string): string {
    const job = super.transform(name);
    if (job !== 'dispatch') return job;
    throw invalid('/job', 'has no preview: the dispatcher sends what is waiting, which GET deliveries lists');
  }
}

/** The name of a job that has slots; `dispatch` has none, and one that is not in the catalog is a 404. */
export function PreviewableParam(): ParameterDecorator {
  return Param('job', new PreviewablePipe(TRIGGERABLE));
}

/** A job's name in the path; one that is not in the catalog is a 404. */
export function TriggerableParam(): ParameterDecorator {
  return Param('job', new JobPipe(TRIGGERABLE));
}
