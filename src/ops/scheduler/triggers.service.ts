import { Injectable } from '@nestjs/common';
import type { AnyCaller, OperatorCaller } from '../../platform/http/caller.js';
import type { ScheduledJob } from '../../contracts/jobs.js';
import { ProcessingService } from '../../delivery/admin/processing.js';
import { Problem } from '../../platform/errors/problem.js';
import { type CreatingRequest, Idempotency } from '../../platform/http/idempotency.js';
import { isFinished, type RunState } from '../../runs/run.dto.js';
import { Scheduler, type TriggeredRun } from '../../scheduler/scheduler.service.js';
import type { DispatchAnswer, RunsAnswer } from '../admin.dto.js';
import { AdminTenant } from '../admin-tenant.js';
import type { Triggerable } from './job-param.js';

/** How long `?wait=true` waits, in ms. */
export const WAIT_MS = 30_000;

export interface TriggerRequest {
  job: Triggerable;
  /** Slug of the tenant; without it, an operator means all tenants. */
  tenant?: string;
  wait: boolean;
  /** Aborted when the client disconnects. */
  signal?: AbortSignal;
  creating: CreatingRequest;
}

export interface TriggerOutcome {
  /** Whether the request is completely done. */
  finished: boolean;
  answer: RunState | RunsAnswer | DispatchAnswer;
}

/** Runs jobs on request, for authorized callers. */
@Injectable()
export class Triggers {
  constructor(
    private readonly scheduler: Scheduler,
    private readonly tenants: AdminTenant,
    private readonly idempotency: Idempotency,
    private readonly processing: ProcessingService,
  ) {}

  /** @throws Problem not_found for an unknown tenant or not the caller's, tenant_suspended */
  async trigger(
    caller: AnyCaller,
    { job, tenant, wait, creating, signal }: TriggerRequest,
  ): Promise<TriggerOutcome> {
    if (job === 'dispatch') return this.process(caller, { tenant, wait, signal });
    if (caller.kind === 'operator') {
      const runs = await this.states(await this.triggerAs(caller, job, tenant), wait, signal);
      return { finished: wait && runs.every(isFinished), answer: { runs } };
    }
    await this.tenants.of(caller, tenant);
    const run = await this.idempotency.create(caller, creating, (tx) =>
      this.scheduler.triggerIn(tx, job, caller.principal),
    );
    const [state] = await this.states([run], wait, signal);
    // Cleanup may have deleted the run of an old key.
    if (state === undefined) throw new Problem('not_found');
    return { finished: wait && isFinished(state), answer: state };
  }

  /**
   * Processes pending deliveries now: of the caller's tenant; for an operator, of the named one or of all.
   * @throws Problem as `trigger`.
   */
  async process(
    caller: AnyCaller,
    { tenant, wait, signal }: Pick<TriggerRequest, 'tenant' | 'wait' | 'signal'>,
  ): Promise<{ finished: boolean; answer: DispatchAnswer }> {
    const all = caller.kind === 'operator' && tenant === undefined;
    const tenantId = all ? null : await this.tenants.active(caller, tenant);
    const { processed, paused } = await this.processing.process(tenantId, wait ? WAIT_MS : 0, signal);
    const done = processed.waiting === 0;
    return {
      finished: wait && done,
      answer: { run_id: null, state: done ? 'succeeded' : 'queued', counts: processed, paused },
    };
  }

  private async triggerAs(
    operator: OperatorCaller,
    job: ScheduledJob,
    tenant: string | undefined,
  ): Promise<TriggeredRun[]> {
    if (tenant === undefined) return this.scheduler.trigger(job, 'all', operator.principal);
    const tenant_ids = [await this.tenants.of(operator, tenant)];
    const runs = await this.scheduler.trigger(job, { tenant_ids }, operator.principal);
    if (runs.length === 0) throw new Problem('tenant_suspended');
    return runs;
  }

  private async states(
    runs: readonly TriggeredRun[],
    wait: boolean,
    signal: AbortSignal | undefined,
  ): Promise<RunState[]> {
    return this.scheduler.wait(runs, wait ? WAIT_MS : 0, signal);
  }
}
