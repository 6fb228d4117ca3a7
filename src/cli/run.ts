import { ProcessingService } from '../delivery/admin/processing.js';
import { TRIGGERABLE, type Triggerable } from '../ops/scheduler/job-param.js';
import { isFinished, type RunState } from '../runs/run.dto.js';
import { Scheduler } from '../scheduler/scheduler.service.js';
import { audited } from './audited.js';
import { UsageError } from './exit-codes.js';
import { type Environment, tenantOf, withReadableErrors } from './installation.js';
import { tableOf } from './table.js';

export interface RunOptions {
  tenant?: string;
  wait?: boolean;
  json?: boolean;
}

/** How long `--wait` waits: the longest run of a job, in ms. */
const WAIT_MS = 12 * 60 * 60 * 1_000;
/** A round of the dispatcher. */
const DISPATCH_WAIT_MS = 30_000;

/**
 * `vigie run <job>`: triggers a job for one tenant or all; the workers of the installation run it.
 * @returns the text to print, and false if a run that was waited for failed.
 * @throws Error in plain words: an unknown job or tenant, a suspended one.
 */
export async function runJobNow(
  environment: Environment,
  name: string,
  { tenant: slug, wait, json }: RunOptions,
): Promise<{ text: string; ok: boolean }> {
  const job = TRIGGERABLE.find((each) => each === name);
  if (job === undefined)
    throw new UsageError(`there is no job ${name}; the jobs are ${TRIGGERABLE.join(', ')}`);
  return withReadableErrors(environment, async (app) => {
    const tenant = slug === undefined ? null : await tenantOf(app, slug);
    if (tenant !== null && tenant.suspended_at !== null) throw new Error(`the tenant ${slug} is suspended`);
    const act = {
      action: 'vigie run',
      targets: { job },
      ...(tenant === null ? {} : { tenant: { id: tenant.id } }),
    };
    if (isDispatch(job)) {
      const waited = wait === true ? DISPATCH_WAIT_MS : 0;
      const answer = await audited(app, act, () =>
        app.get(ProcessingService, { strict: false }).process(tenant?.id ?? null, waited),
      );
      return { text: JSON.stringify(answer, null, 2), ok: true };
    }
    const scheduler = app.get(Scheduler, { strict: false });
    const tenants = tenant === null ? 'all' : { tenant_ids: [tenant.id] };
    const triggered = await audited(app, act, () => scheduler.trigger(job, tenants, 'cli'));
    const runs = await scheduler.wait(triggered, wait === true ? WAIT_MS : 0);
    return {
      text: json === true ? JSON.stringify({ runs }, null, 2) : describe(runs),
      ok: wait !== true || runs.every((run) => isFinished(run) && run.state === 'succeeded'),
    };
  });
}

function isDispatch(job: Triggerable): job is 'dispatch' {
  return job === 'dispatch';
}

function describe(runs: readonly RunState[]): string {
  if (runs.length === 0) return 'No tenant to run it for.';
  return tableOf(
    ['tenant', 'run', 'state', 'counts'],
    runs.map(({ tenant_id, run_id, state, counts, error }) => [
      tenant_id,
      run_id,
      state,
      error ?? (counts === null ? '' : JSON.stringify(counts)),
    ]),
  );
}
