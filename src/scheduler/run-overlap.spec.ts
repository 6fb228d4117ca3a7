import { Logger } from '@nestjs/common';
import type { ScheduledJob } from '../contracts/jobs.js';
import { until } from '../../test/support/until.js';
import { createInstallation, type Installation, type Replica } from './scheduler.fixture.js';

const NOW = '2026-03-04T09:00:00Z';

let vigie: Installation;
let web: Replica;
/** Ends the started runs, and lets later ones end at once. */
let open: () => void;

beforeEach(async () => {
  vigie = await createInstallation(NOW);
  web = await vigie.replica();
  const gate = new Promise<void>((resolve) => (open = resolve));
  vigie.work = async () => {
    await gate;
    return {};
  };
});
afterEach(async () => {
  open();
  await vigie.close();
});

const worker = (slots = 4) =>
  vigie.replica({ env: { VIGIE_ROLES: 'worker', CHECKS_CONCURRENCY: String(slots) } });
const trigger = (job: ScheduledJob, ...tenant_ids: string[]) =>
  web.scheduler.trigger(job, { tenant_ids }, 'user:1');
const begun = () => vigie.begun.map(({ job, tenant_id }) => [job, tenant_id]);
/** Nothing of it is in Bull. */
const taken = () =>
  until('workers to take all', async () => {
    const { checks } = await web.queues.counts();
    return checks.waiting === 0 && checks.active === vigie.begun.length;
  });
const waiting = async () => (await vigie.runs()).filter(({ state }) => state === 'queued');
const allSucceed = async () => {
  await until('all to succeed', async () => {
    await vigie.sql(`UPDATE job_runs SET lease_until = now() - interval '1 second' WHERE state = 'queued'`);
    await web.poller.reap();
    return (await vigie.runs()).every(({ state }) => state === 'succeeded');
  });
  // However often it had to wait, each started once.
  expect((await vigie.runs()).map(({ attempts }) => attempts)).toEqual(vigie.begun.map(() => 1));
};

test('D8: a scan that waits for another does not count as a recovered run', async () => {
  const warn = jest.spyOn(Logger.prototype, 'warn');
  const tenant = await vigie.tenant();
  await worker();
  await trigger('scan-backups', tenant);
  await until('the first to begin', () => vigie.begun.length === 1);
  await trigger('check-backups', tenant);
  for (let round = 0; round < 3; round++) {
    await until('the second to be released', async () => {
      const [run] = await vigie.sql<{ postponed: boolean }>(
        `SELECT postponed FROM job_runs WHERE state = 'queued'`,
      );
      return run?.postponed === true;
    });
    await vigie.sql(`UPDATE job_runs SET lease_until = now() - interval '1 second' WHERE state = 'queued'`);
    await web.poller.reap();
  }
  const recovered = () =>
    warn.mock.calls.filter(([line]) => (line as { event?: string }).event === 'runs_recovered');
  expect(recovered()).toEqual([]);
  // One that is lost in Redis does.
  await until('the second to be released again', async () => {
    const [run] = await vigie.sql<{ postponed: boolean }>(
      `SELECT postponed FROM job_runs WHERE state = 'queued'`,
    );
    return run?.postponed === true;
  });
  await vigie.sql(
    `UPDATE job_runs SET lease_until = now() - interval '1 second', postponed = false WHERE state = 'queued'`,
  );
  await web.poller.reap();
  expect(recovered()).toHaveLength(1);
  warn.mockRestore();
  open();
  await allSucceed();
});

describe('B3: scans of one tenant, for any job, on any replica', () => {
  test.each([
    ['scan-backups', 'check-backups'],
    ['check-backups', 'scan-backups'],
  ] as const)('%s and %s: one waits for the other, but not for other tenants', async (first, second) => {
    const [here, elsewhere] = [await vigie.tenant(), await vigie.tenant()];
    await Promise.all([worker(), worker()]);
    await trigger(first, here);
    await until('the first to begin', () => vigie.begun.length === 1);
    await trigger(second, here);
    await trigger('scan-backups', elsewhere);
    await trigger('check-notifications', here);
    await until('the others to begin', () => vigie.begun.length === 3);
    await taken();
    expect(begun()).toEqual(
      expect.arrayContaining([
        ['scan-backups', elsewhere],
        ['check-notifications', here],
      ]),
    );
    expect(await waiting()).toMatchObject([{ job: second, attempts: 0, error: null }]);
    open();
    await allSucceed();
    expect(begun()[3]).toEqual([second, here]);
  });

  test('never overlap, even if many are claimed at the same moment', async () => {
    const tenant = await vigie.tenant();
    let now = 0;
    let most = 0;
    vigie.work = async () => {
      most = Math.max(most, (now += 1));
      await vigie.sql('SELECT pg_sleep(0.02)');
      now -= 1;
      return {};
    };
    for (let count = 0; count < 5; count += 1) {
      await trigger('scan-backups', tenant);
      await trigger('check-backups', tenant);
    }
    await Promise.all([worker(), worker()]);
    await allSucceed();
    expect(vigie.begun).toHaveLength(10);
    expect(most).toBe(1);
  });
});

describe('long runs', () => {
  test('leave one slot of each worker to the short ones, without losing an attempt', async () => {
    const tenants = [await vigie.tenant(), await vigie.tenant(), await vigie.tenant()];
    await worker(2);
    await trigger('scan-backups', ...tenants);
    await until('the first to begin', () => vigie.begun.length === 1);
    await taken();
    const given = await waiting();
    expect(given.map(({ attempts, error }) => [attempts, error])).toEqual([
      [0, null],
      [0, null],
    ]);
    // Another worker need not take them at once: there may be none.
    await web.poller.reap();
    expect(await waiting()).toEqual(given);
    const [short] = await trigger('check-notifications', tenants[0]!);
    await until('the short one to begin', () => vigie.begun.length === 2);
    expect(vigie.begun[1]).toMatchObject({ id: short!.run_id });
    open();
    await allSucceed();
  });

  test('use the only slot of a worker with one', async () => {
    const tenant = await vigie.tenant();
    await worker(1);
    await trigger('check-backups', tenant);
    open();
    await allSucceed();
  });

  test('that end at once take turns: none is requeued for lack of a slot', async () => {
    const tenants = await Promise.all(Array.from({ length: 30 }, () => vigie.tenant()));
    let now = 0;
    let most = 0;
    vigie.work = async () => {
      most = Math.max(most, (now += 1));
      await vigie.sql('SELECT pg_sleep(0.01)');
      now -= 1;
      return {};
    };
    await trigger('scan-backups', ...tenants);
    await worker(3);
    await until('all to succeed', async () =>
      (await vigie.runs()).every(({ state }) => state === 'succeeded'),
    );
    expect(most).toBe(2);
  });
});

test('the progress of a run is in the ledger, in the list of runs, and in Bull', async () => {
  const tenant = await vigie.tenant();
  const gate = new Promise<void>((resolve) => (open = resolve));
  vigie.work = async (run) => {
    run.progress({ files: 3, bytes: 1_048_576 });
    await gate;
    return { files: 4 };
  };
  await worker();
  const runs = await trigger('scan-backups', tenant);
  const [state] = await until('the progress', async () => {
    const states = await web.scheduler.wait(runs, 0);
    return states[0]?.counts == null ? null : states;
  });
  const progress = { files: 3, bytes: 1_048_576 };
  expect(state).toMatchObject({ state: 'running', counts: progress });
  const listed = await web.scheduler.runs(tenant, { limit: 1 });
  expect(listed.data).toMatchObject([{ state: 'running', counts: progress }]);
  const checks = web.queues.forBoard().find(({ name }) => name === 'checks');
  await until('the progress in Bull', async () => {
    const [job] = (await checks?.getActive()) ?? [];
    return typeof job?.progress() === 'object';
  });
  const [job] = (await checks?.getActive()) ?? [];
  expect(job?.progress()).toEqual(progress);
  open();
  expect(await web.scheduler.wait(runs, 10_000)).toMatchObject([
    { state: 'succeeded', counts: { files: 4 } },
  ]);
});
