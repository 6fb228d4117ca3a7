import { type Ending, Failure, type Step } from './step.js';

interface Run {
  state: string;
  counts: Record<string, number> | null;
  error: string | null;
}

/** Operators get a list, here of one tenant; others their own run. */
type Answer = Run | { runs: Run[] };

/** A manual run of a scheduled job: through the ledger, its queue and a worker. */
export const trigger: Step = {
  name: 'trigger',
  async run({ operator, writer, tenant }): Promise<Ending> {
    // With an API key the tenant is a real one: run a job that notifies nobody.
    const job = tenant === null ? 'update-statuses' : 'check-notifications';
    const where = tenant === null ? '' : `&tenant=${tenant}`;
    const path = `admin/scheduler/${job}/trigger?wait=true${where}`;
    const answer = await (operator ?? writer).call<Answer>('POST', path);
    const run = 'runs' in answer ? answer.runs[0] : answer;
    if (run?.state === 'succeeded') {
      const counts = Object.entries(run.counts ?? {}).map(([name, count]) => `${name} ${count}`);
      return { ok: `${job} ran${counts.length === 0 ? '' : `: ${counts.join(', ')}`}` };
    }
    if (run?.state === 'failed') {
      const advice = 'The log of the worker has the cause: look for run_failed.';
      throw new Failure(`${job} failed: ${run.error ?? 'no reason'}`, advice);
    }
    throw new Failure(
      `${job} is still ${run?.state ?? 'unknown'}`,
      'Is a process with the role worker running? Are the queues paused?',
    );
  },
};
