import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { createPlatform, type Platform } from '../../test/support/platform.js';
import type { RunCounts, RunJob } from '../contracts/jobs.js';
import { Database } from '../platform/database/database.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { JobHandlers, type ShowProgress } from '../platform/queues/handlers.js';
import { Heartbeat } from './heartbeat.js';
import { OverdueRuns } from './overdue-runs.js';
import { type Run, RunHandlers } from './run-handlers.js';
import { RunRecord } from './run-record.js';

let platform: Platform;
let handlers: JobHandlers;
let tenant: string;
let work: (run: Run) => Promise<RunCounts>;

beforeAll(async () => {
  platform = await createPlatform(() => ({
    providers: [Heartbeat, JobHandlers, OverdueRuns, RunHandlers, RunRecord],
  }));
  handlers = platform.module.get(JobHandlers);
  platform.module.get(RunHandlers).register('cleanup', (run) => work(run));
  tenant = await platform.tenant();
});
afterAll(async () => platform.close());

interface RunRow {
  state: string;
  attempts: number;
  counts: RunCounts | null;
  error: string | null;
  lease_token: string | null;
  started_at: Date | null;
  finished_at: Date | null;
}

async function queued(slot: string | null = null, tenant_id = tenant): Promise<RunJob> {
  const lease_token = randomUUID();
  const [row] = await platform.sql<{ id: string }>(
    `INSERT INTO job_runs (tenant_id, job, slot, due_at, lease_token, lease_until, created_at)
     VALUES ($1, 'cleanup', $2, now(), $3, now() + interval '1 minute', now()) RETURNING id`,
    [tenant_id, slot, lease_token],
  );
  return { tenant_id, run_id: row!.id, lease_token };
}

async function rowOf({ run_id }: RunJob): Promise<RunRow> {
  const [row] = await platform.sql<RunRow>('SELECT * FROM job_runs WHERE id = $1', [run_id]);
  return row!;
}

beforeEach(() => platform.sql('DELETE FROM job_runs'));

const perform = (job: RunJob, show?: ShowProgress) => handlers.run('cleanup', job, show);

describe('a run', () => {
  it('is claimed, done and recorded with its counts and times', async () => {
    const job = await queued('2026-03-02T02:00');
    const states: unknown[] = [];
    work = async (run) => {
      states.push([run.id, run.tenant_id, run.job, run.slot, (await rowOf(job)).state]);
      return { deleted: 3 };
    };
    await perform(job);
    expect(states).toEqual([[job.run_id, tenant, 'cleanup', '2026-03-02T02:00', 'running']]);
    expect(await rowOf(job)).toMatchObject({
      state: 'succeeded',
      attempts: 1,
      counts: { deleted: 3 },
      error: null,
      lease_token: null,
      started_at: platform.clock.now(),
      finished_at: platform.clock.now(),
    });
  });

  it('that fails is retried later, and fails permanently the third time', async () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const job = await queued('2026-03-03T02:00');
    work = () => Promise.reject(new Error('the disk is full'));
    for (const attempts of [1, 2]) {
      await expect(perform(job)).resolves.toBeUndefined();
      expect(await rowOf(job)).toMatchObject({ state: 'queued', attempts, error: 'the disk is full' });
    }
    expect(error).not.toHaveBeenCalled();
    await expect(perform(job)).resolves.toBeUndefined();
    expect(await rowOf(job)).toMatchObject({ state: 'failed', counts: null, error: 'the disk is full' });
    expect(error).toHaveBeenCalledWith(expect.objectContaining({ event: 'run_failed', run_id: job.run_id }));
    const byHand = await queued();
    await perform(byHand);
    expect(await rowOf(byHand)).toMatchObject({ state: 'failed', attempts: 1, error: 'the disk is full' });
    warn.mockRestore();
    error.mockRestore();
  });

  it('is done once, however often it is delivered', async () => {
    const job = await queued();
    const calls = jest.fn(() => Promise.resolve({}));
    work = calls;
    await Promise.all([perform(job), perform(job), perform(job)]);
    await perform(job);
    expect(calls).toHaveBeenCalledTimes(1);
    expect((await rowOf(job)).attempts).toBe(1);
  });

  it('waits for another run of its job and tenant, but not for other tenants', async () => {
    const [first, second] = [await queued(), await queued()];
    const elsewhere = await platform.tenant();
    const begun: string[] = [];
    let end: () => void = () => undefined;
    work = async ({ id, tenant_id }) => {
      begun.push(id);
      if (tenant_id === tenant) await new Promise<void>((resolve) => (end = resolve));
      return {};
    };
    const going = perform(first);
    await eventually(() => begun.length === 1);
    await perform(second);
    const theirs = await queued(null, elsewhere);
    await perform(theirs);
    expect(begun).toEqual([first.run_id, theirs.run_id]);
    // Neither lost nor failed: the reaper finds its lease expired, and enqueues it again.
    expect(await rowOf(second)).toMatchObject({ state: 'queued', attempts: 0, error: null });
    const [row] = await platform.sql('SELECT lease_until <= now() AS over FROM job_runs WHERE id = $1', [
      second.run_id,
    ]);
    expect(row).toEqual({ over: true });
    end();
    await going;
    work = () => Promise.resolve({});
    await perform(second);
    expect(await rowOf(second)).toMatchObject({ state: 'succeeded', attempts: 1 });
  });

  it('two claims at the same moment do not overlap either', async () => {
    const jobs = await Promise.all(Array.from({ length: 8 }, () => queued()));
    let now = 0;
    let most = 0;
    work = async () => {
      most = Math.max(most, (now += 1));
      await platform.sql('SELECT pg_sleep(0.05)');
      now -= 1;
      return {};
    };
    await Promise.all(jobs.map((job) => perform(job)));
    expect(most).toBe(1);
  });

  it('is not done with an old lease token, for another tenant, or after it was deleted', async () => {
    const job = await queued();
    const calls = jest.fn(() => Promise.resolve({}));
    work = calls;
    await perform({ ...job, lease_token: randomUUID() });
    await perform({ ...job, tenant_id: await platform.tenant() });
    await perform({ ...job, run_id: randomUUID() });
    expect(calls).not.toHaveBeenCalled();
    expect((await rowOf(job)).state).toBe('queued');
  });

  it('F12: writes no outcome once another process has its lease', async () => {
    const job = await queued();
    const other = randomUUID();
    work = async () => {
      await platform.sql('UPDATE job_runs SET lease_token = $2 WHERE id = $1', [job.run_id, other]);
      return { stale: 1 };
    };
    await perform(job);
    expect(await rowOf(job)).toMatchObject({ state: 'running', counts: null, lease_token: other });
  });

  it('keeps its lease while it works, and is aborted after losing it', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'performance'] });
    try {
      const job = await queued();
      const leases: Date[] = [];
      const leaseUntil = async () => {
        const [row] = await platform.sql<{ lease_until: Date }>(
          'SELECT lease_until FROM job_runs WHERE id = $1',
          [job.run_id],
        );
        return row!.lease_until;
      };
      work = async (run) => {
        await platform.sql(`UPDATE job_runs SET lease_until = now() - interval '1 second' WHERE id = $1`, [
          job.run_id,
        ]);
        leases.push(await leaseUntil());
        jest.advanceTimersByTime(20_000);
        await eventually(async () => (await leaseUntil()).getTime() > leases[0]!.getTime());
        expect(run.signal.aborted).toBe(false);
        await platform.sql('UPDATE job_runs SET lease_token = $2 WHERE id = $1', [job.run_id, randomUUID()]);
        jest.advanceTimersByTime(20_000);
        await eventually(() => run.signal.aborted);
        return {};
      };
      await perform(job);
      expect.assertions(1);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('a run whose lease ends', () => {
  /** Freezes timers and the monotonic clock; the test advances them. */
  async function withFakeTime(
    test: (advance: (ms: number) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
    try {
      await test(async (ms) => {
        // Step by step, so that each renewal ends before the next one is due.
        for (let left = ms; left > 0; left -= 20_000) {
          jest.advanceTimersByTime(Math.min(left, 20_000));
          await new Promise(setImmediate);
        }
      });
    } finally {
      jest.useRealTimers();
      jest.restoreAllMocks();
    }
  }

  it('H5: is aborted when its renewals fail, before another process may take it over', async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const job = await queued('2026-03-05T02:00');
    await withFakeTime(async (advance) => {
      jest.spyOn(platform.module.get(RunRecord), 'renew').mockRejectedValue(new Error('no route to host'));
      const aborted: [number, boolean][] = [];
      work = async (run) => {
        for (const seconds of [20, 40, 59, 60]) {
          await advance((seconds - (aborted.at(-1)?.[0] ?? 0)) * 1_000);
          aborted.push([seconds, run.signal.aborted]);
        }
        run.signal.throwIfAborted();
        return {};
      };
      await perform(job);
      expect(aborted).toEqual([
        [20, false],
        [40, false],
        [59, false],
        [60, true],
      ]);
    });
    expect(await rowOf(job)).toMatchObject({ state: 'queued', error: 'its lease could not be renewed' });
  });

  it('H5: is not aborted while some renewals succeed', async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const job = await queued('2026-03-06T02:00');
    await withFakeTime(async (advance) => {
      let renewals = 0;
      jest.spyOn(platform.module.get(RunRecord), 'renew').mockImplementation(() => {
        renewals += 1;
        return renewals % 2 === 0 ? Promise.resolve(true) : Promise.reject(new Error('no route to host'));
      });
      work = async (run) => {
        await advance(400_000);
        return { aborted: Number(run.signal.aborted) };
      };
      await perform(job);
    });
    expect(await rowOf(job)).toMatchObject({ state: 'succeeded', counts: { aborted: 0 } });
  });

  it('H23: is aborted after its time limit, stops renewing, and is reported to operators', async () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const [job, next] = [await queued('2026-03-07T02:00'), await queued('2026-03-08T02:00')];
    const elsewhere = await queued('2026-03-08T02:00', await platform.tenant());
    const metric = async () =>
      /vigie_runs_overdue\{job="cleanup"\} (\d+)/.exec(await platform.module.get(Metrics).text())?.[1];
    const begun: string[] = [];
    await withFakeTime(async (advance) => {
      const renew = jest.spyOn(platform.module.get(RunRecord), 'renew').mockResolvedValue(true);
      let signal: AbortSignal | undefined;
      let giveUp: () => void = () => undefined;
      work = async (run) => {
        begun.push(run.id);
        signal ??= run.signal;
        // Like a read from a network disk, which ignores the signal.
        if (run.id === job.run_id) await new Promise<void>((resolve) => (giveUp = resolve));
        return {};
      };
      const going = perform(job);
      await eventually(() => begun.length === 1);
      await advance(179 * 60_000);
      expect([signal?.aborted, renew.mock.calls.length > 100]).toEqual([false, true]);
      await advance(60_000);
      expect(signal?.aborted).toBe(true);
      expect(error).toHaveBeenCalledWith(
        expect.objectContaining({ event: 'run_overdue', run_id: job.run_id, max_minutes: 180 }),
      );
      expect(await metric()).toBe('1');
      const renewed = renew.mock.calls.length;
      await advance(600_000);
      expect(renew.mock.calls.length).toBe(renewed);

      // Its successor takes no other slot of this process; other tenants' runs continue.
      await platform.sql(`UPDATE job_runs SET lease_until = now() - interval '1 second' WHERE id = $1`, [
        job.run_id,
      ]);
      await perform(next);
      await perform(elsewhere);
      expect(begun).toEqual([job.run_id, elsewhere.run_id]);
      expect(await rowOf(next)).toMatchObject({ state: 'queued', attempts: 0 });
      giveUp();
      await going;
    });
    expect(await metric()).toBe('0');
    await perform(next);
    expect(await rowOf(next)).toMatchObject({ state: 'succeeded', attempts: 1 });
    error.mockRestore();
  });

  it('H23: is retried if its handler reacts to the signal', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation();
    jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const job = await queued('2026-03-09T02:00');
    await withFakeTime(async (advance) => {
      jest.spyOn(platform.module.get(RunRecord), 'renew').mockResolvedValue(true);
      work = async (run) => {
        await advance(180 * 60_000);
        run.signal.throwIfAborted();
        return {};
      };
      await perform(job);
    });
    expect(await rowOf(job)).toMatchObject({ state: 'queued', error: 'it took longer than 180 minutes' });
  });
});

describe('the progress of a run', () => {
  const countsOf = async (job: RunJob) => (await rowOf(job)).counts;

  it('is shown while it runs, at most every 2 s, and replaced by the final counts', async () => {
    const job = await queued();
    const shown: RunCounts[] = [];
    const seen: unknown[] = [];
    work = async (run) => {
      const counts = { read: 1 };
      run.progress(counts);
      await eventually(async () => (await countsOf(job)) !== null);
      seen.push(await countsOf(job));
      const began = performance.now();
      counts.read = 2;
      for (const read of [2, 3, 4]) run.progress({ read });
      await eventually(async () => (await countsOf(job))?.read !== 1);
      expect(performance.now() - began).toBeGreaterThan(1_000);
      seen.push(await countsOf(job));
      run.progress({ read: 5 });
      return { read: 6, kept: 1 };
    };
    await perform(job, (counts) => shown.push(counts));
    expect(seen).toEqual([{ read: 1 }, { read: 4 }]);
    expect(shown).toEqual(seen);
    expect(await rowOf(job)).toMatchObject({ state: 'succeeded', counts: { read: 6, kept: 1 } });
  });

  it('shows how far a failed one got, and starts again with the next attempt', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const job = await queued('2026-03-04T02:00');
    work = (run) => {
      run.progress({ read: 1 });
      return Promise.reject(new Error('the disk is full'));
    };
    await perform(job);
    expect(await rowOf(job)).toMatchObject({ state: 'queued', attempts: 1, counts: { read: 1 } });
    let atFirst: RunCounts | null | undefined;
    work = async () => {
      atFirst = await countsOf(job);
      return {};
    };
    await perform(job);
    expect(atFirst).toBeNull();
    warn.mockRestore();
  });

  it('is not written after the process has lost the run, nor after its end', async () => {
    const job = await queued();
    let late: () => void = () => undefined;
    work = async (run) => {
      late = () => run.progress({ late: 1 });
      await platform.sql('UPDATE job_runs SET lease_token = $2 WHERE id = $1', [job.run_id, randomUUID()]);
      run.progress({ stale: 1 });
      return {};
    };
    const shown: RunCounts[] = [];
    await perform(job, (counts) => shown.push(counts));
    expect(shown).toEqual([{ stale: 1 }]);
    late();
    expect(shown).toHaveLength(1);
    expect(await rowOf(job)).toMatchObject({ state: 'running', counts: null });
  });

  it('that cannot be written stops nothing', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const job = await queued();
    work = (run) => {
      jest.spyOn(platform.module.get(Database), 'single').mockImplementationOnce(() => {
        throw new Error('the connection was lost');
      });
      run.progress({ read: 1 });
      return Promise.resolve({ read: 2 });
    };
    await perform(job);
    expect(await rowOf(job)).toMatchObject({ state: 'succeeded', counts: { read: 2 } });
    expect(warn).toHaveBeenCalledWith(expect.objectContaining({ event: 'run_progress_failed' }));
    warn.mockRestore();
  });
});

/** `until` without a timer, because the test controls the timers. */
async function eventually(probe: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await probe())) {
    if (performance.now() > deadline) throw new Error('waited 10 s');
    await new Promise(setImmediate);
  }
}

describe('the heartbeat to a service outside', () => {
  it('is sent after a run has succeeded, and not after a failed one', async () => {
    const send = jest.spyOn(platform.module.get(Heartbeat), 'send');
    work = () => Promise.reject(new Error('no'));
    await perform(await queued());
    expect(send).not.toHaveBeenCalled();
    work = () => Promise.resolve({});
    const job = await queued();
    send.mockImplementation(() => undefined);
    await perform(job);
    expect(send.mock.calls).toEqual([['cleanup']]);
    expect((await rowOf(job)).state).toBe('succeeded');
    send.mockRestore();
  });
});
