import { until } from '../../test/support/until.js';
import { createInstallation, type Installation, type Replica } from './scheduler.fixture.js';

/** A Wednesday, 10:00 in Paris. */
const NOW = '2026-03-04T09:00:00Z';
const WORKER = { env: { VIGIE_ROLES: 'worker' } };

let vigie: Installation;
let tenant: string;
let web: Replica;

beforeEach(async () => {
  vigie = await createInstallation(NOW);
  tenant = await vigie.tenant();
  web = await vigie.replica();
});
afterEach(() => vigie.close());

const onlyRun = async () => (await vigie.runs())[0]!;
const trigger = () => web.scheduler.trigger('cleanup', { tenant_ids: [tenant] }, 'user:1');
const finished = () => until('the run to end', async () => (await onlyRun()).state === 'succeeded');

describe('lost runs', () => {
  test('one that vanished from Redis is enqueued again, and the old job is invalid', async () => {
    await trigger();
    const lost = await onlyRun();
    await vigie.expireLeases();
    await web.poller.reap();
    const again = await onlyRun();
    expect(again).toMatchObject({ id: lost.id, state: 'queued', attempts: 0 });
    expect(again.lease_token).not.toBe(lost.lease_token);

    // Both Bull jobs exist: no run has the first one's token.
    await vigie.replica(WORKER);
    await finished();
    await until('both jobs to be taken', async () => {
      const { maintenance } = await web.queues.counts();
      return maintenance.waiting + maintenance.active === 0;
    });
    expect(vigie.begun.map(({ id }) => id)).toEqual([lost.id]);
    expect(await onlyRun()).toMatchObject({ attempts: 1 });
  });

  test('a run with a valid lease is not changed', async () => {
    await trigger();
    const before = await onlyRun();
    await web.poller.reap();
    expect(await onlyRun()).toEqual(before);
  });

  test('if Redis refuses it, the run is kept and the reaper enqueues it in its next round', async () => {
    jest.spyOn(web.queues, 'enqueue').mockRejectedValueOnce(new Error('Redis is unreachable'));
    const [run] = await trigger();
    expect(await onlyRun()).toMatchObject({ id: run!.run_id, state: 'queued' });
    await web.poller.reap();
    await vigie.replica(WORKER);
    await finished();
    expect(vigie.begun).toHaveLength(1);
  });

  test('due slots survive it as well', async () => {
    jest.spyOn(web.queues, 'enqueue').mockRejectedValue(new Error('Redis is unreachable'));
    await web.poller.poll();
    await web.poller.reap();
    jest.restoreAllMocks();
    await web.poller.reap();
    await vigie.replica(WORKER);
    await until('all runs', async () => {
      // A scan and a check of backups of one tenant wait for each other.
      await web.poller.reap();
      return (await vigie.runs()).every(({ state }) => state === 'succeeded');
    });
    expect(vigie.begun).toHaveLength(7);
  });

  test('one whose process died runs again; the third time it is quarantined', async () => {
    await trigger();
    const dies = () =>
      vigie.sql(
        `UPDATE job_runs SET state = 'running', attempts = attempts + 1, started_at = now(),
                             lease_until = now() - interval '1 second'`,
      );
    for (const attempts of [1, 2]) {
      await dies();
      await web.poller.reap();
      expect(await onlyRun()).toMatchObject({ state: 'queued', attempts, error: null });
    }
    await dies();
    await web.poller.reap();
    expect(await onlyRun()).toMatchObject({
      state: 'failed',
      attempts: 3,
      error: 'its process was lost 3 times',
      lease_token: null,
      finished_at: new Date(NOW),
    });
    await web.poller.reap();
    expect((await onlyRun()).state).toBe('failed');
  });

  test('a process that was only asleep cannot overwrite the result of its successor', async () => {
    const gates: (() => void)[] = [];
    vigie.work = () => {
      const turn = gates.length + 1;
      return new Promise((resolve) => gates.push(() => resolve({ turn })));
    };
    await vigie.replica(WORKER);
    await trigger();
    await until('the first to begin', () => gates.length === 1);
    await vigie.expireLeases();
    await web.poller.reap();
    await until('the second to begin', () => gates.length === 2);
    gates[0]!();
    const stale = (await onlyRun()).state;
    gates[1]!();
    await finished();
    expect(stale).toBe('running');
    expect(await onlyRun()).toMatchObject({ attempts: 2, counts: { turn: 2 } });
  });
});

describe('manual runs', () => {
  test('run for each tenant, and the caller waits for them', async () => {
    const other = await vigie.tenant();
    vigie.work = ({ tenant_id }) => Promise.resolve({ own: tenant_id === tenant ? 1 : 0 });
    await vigie.replica(WORKER);
    const runs = await web.scheduler.trigger('update-statuses', 'all', 'operator:1');
    expect(new Set(runs.map(({ tenant_id }) => tenant_id))).toEqual(new Set([tenant, other]));
    const states = await web.scheduler.wait(runs, 10_000);
    expect(states).toEqual(
      runs.map(({ run_id, tenant_id }) => ({
        run_id,
        tenant_id,
        state: 'succeeded',
        counts: { own: tenant_id === tenant ? 1 : 0 },
        error: null,
      })),
    );
    expect(vigie.begun.every(({ slot }) => slot === null)).toBe(true);
  });

  test('waiting stops after the requested time', async () => {
    const states = await web.scheduler.wait(await trigger(), 50);
    expect(states).toMatchObject([{ state: 'queued', counts: null }]);
  });

  test('that fail say why', async () => {
    vigie.work = () => Promise.reject(new Error('the disk is full'));
    const quiet = await vigie.replica(WORKER);
    const states = await web.scheduler.wait(await trigger(), 10_000);
    expect(states).toMatchObject([{ state: 'failed', counts: null, error: 'the disk is full' }]);
    await quiet.close();
  });

  test('waiting stops when the process shuts down', async () => {
    const waiting = web.scheduler.wait(await trigger(), 60_000);
    web.scheduler.beforeApplicationShutdown();
    expect(await waiting).toMatchObject([{ state: 'queued' }]);
  });
});

describe('status and preview', () => {
  test('status shows hours, the last run and the next slot of each job', async () => {
    await web.poller.poll();
    const status = await web.scheduler.status(tenant);
    expect(status).toMatchObject({ enabled: true, time_zone: 'Europe/Paris' });
    expect(status.jobs.map(({ job, next }) => [job, next?.slot])).toEqual([
      ['check-notifications', '2026-03-04T14:00'],
      ['weekly-summary', '2026-03-09T08:00'],
      ['check-backups', '2026-03-05T09:00'],
      ['scan-backups', '2026-03-04T09:15Z'],
      ['process-reminders', '2026-03-04T10:00Z'],
      ['update-statuses', '2026-03-05T00:00'],
      ['cleanup', '2026-03-05T02:00'],
    ]);
    expect(status.jobs[0]).toMatchObject({
      schedule: { kind: 'fixed', times: ['09:00', '14:00'] },
      last_run: { slot: '2026-03-04T09:00', state: 'queued' },
    });
    expect(status.jobs[3]).toMatchObject({
      schedule: { kind: 'interval', minutes: 15 },
      last_run: { slot: '2026-03-04T09:00Z', state: 'queued' },
    });
  });

  test('a suspended tenant has no next slot', async () => {
    await vigie.sql('UPDATE tenants SET suspended_at = now()');
    const { jobs } = await web.scheduler.status(tenant);
    expect(jobs.map(({ next }) => next)).toEqual(jobs.map(() => null));
  });

  test('preview lists the slots that run', async () => {
    const preview = await web.scheduler.preview('cleanup', tenant, '2026-03-29');
    expect(preview).toEqual({
      job: 'cleanup',
      date: '2026-03-29',
      time_zone: 'Europe/Paris',
      slots: [
        {
          slot: '2026-03-29T02:00',
          instant: new Date('2026-03-29T01:00:00Z'),
          run_id: null,
          will_run: true,
        },
      ],
    });
    expect((await web.scheduler.preview('check-notifications', tenant, '2026-03-04')).slots).toHaveLength(2);
    expect((await web.scheduler.preview('weekly-summary', tenant, '2026-03-04')).slots).toEqual([]);
    const scans = (date: string) => web.scheduler.preview('scan-backups', tenant, date);
    expect((await scans('2026-03-04')).slots).toHaveLength(96);
    // Clocks go forward, then back.
    expect((await scans('2026-03-29')).slots).toHaveLength(92);
    expect((await scans('2026-10-25')).slots).toHaveLength(100);
    for (const date of ['0001-01-01', '9999-12-31']) {
      expect((await web.scheduler.preview('cleanup', tenant, date)).slots).toHaveLength(1);
    }
  });

  test('the list of runs is the tenant’s own, filtered, in pages', async () => {
    await vigie.tenant();
    await web.scheduler.trigger('cleanup', 'all', 'operator:1');
    for (const job of ['cleanup', 'update-statuses', 'cleanup'] as const) {
      await web.scheduler.trigger(job, { tenant_ids: [tenant] }, 'user:1');
    }
    const first = await web.scheduler.runs(tenant, { limit: 2, job: 'cleanup' });
    expect(first.data).toHaveLength(2);
    const rest = await web.scheduler.runs(tenant, { limit: 2, job: 'cleanup', cursor: first.next_cursor! });
    expect(rest).toMatchObject({ data: [{ triggered_by: 'operator:1' }], next_cursor: null });
    expect((await web.scheduler.runs(tenant, { limit: 9, state: 'failed' })).data).toEqual([]);
    expect((await web.scheduler.runs(tenant, { limit: 9 })).data).toHaveLength(4);
    await expect(web.scheduler.runs(tenant, { limit: 2, cursor: 'nonsense' })).rejects.toMatchObject({
      code: 'invalid_cursor',
    });
  });
});
