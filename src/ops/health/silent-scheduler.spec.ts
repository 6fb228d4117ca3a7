import { createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { SchedulerPoller } from '../../scheduler/scheduler.poller.js';
import { LOOK_INTERVAL_MS, SchedulerWatch } from '../../scheduler/scheduler-watch.js';

const START = new Date('2026-03-02T09:00:00Z');

let clock: FixedClock;
let world: World;
let operator: string;
beforeAll(async () => {
  clock = new FixedClock(START.toISOString());
  // A process without the role scheduler: nothing polls unless the test does.
  world = await createWorld({
    clock,
    env: { SCHEDULER_ENABLED: 'true', LOG_LEVEL: 'warn', ACCESS_TOKEN_MINUTES: '1440' },
  });
  operator = (await createCast(world)).operator.token;
});
afterAll(() => world.close());

const poll = () => world.app.get(SchedulerPoller, { strict: false }).poll();

/** Moves the clock by this many seconds, with the looks that the timer would make. */
async function pass(seconds: number): Promise<void> {
  const watch = world.app.get(SchedulerWatch, { strict: false });
  for (let passed = 0; passed < seconds * 1_000; passed += LOOK_INTERVAL_MS) {
    clock.set(new Date(clock.now().getTime() + LOOK_INTERVAL_MS));
    await watch.look();
  }
}

/** Everywhere that people and programs look. */
async function seen() {
  const ready = await world.http('GET', '/readyz');
  const connections = await world.http('GET', '/api/v1/admin/connections', { token: operator });
  const metrics = await world.http('GET', '/metrics');
  return {
    status: ready.status,
    scheduler: ready.body.scheduler,
    error: connections.body.data.find(({ service }: { service: string }) => service === 'scheduler').error,
    up: /^vigie_scheduler_up (\d)$/m.exec(metrics.text)?.[1],
    events: (globalThis.logged ?? []).flatMap(
      (line) => /"(scheduler_(?:silent|polls_again))"/.exec(line)?.[1] ?? [],
    ),
  };
}

const POLLING = { status: 200, scheduler: 'polling', error: null, up: '1' };

test('a scheduler that stops polling is seen within 2 minutes by the other processes, and when it polls again', async () => {
  await poll();
  await pass(10);
  const polled_at = START.toISOString();
  // Polls may be 60 s apart, and a round takes some time.
  await pass(80);
  expect(await seen()).toEqual({ ...POLLING, events: [] });
  await pass(30);
  expect(clock.now().getTime() - START.getTime()).toBe(120_000);
  const silent = {
    status: 200,
    scheduler: 'silent',
    error: `no scheduler has polled since ${polled_at}`,
    up: '0',
  };
  expect(await seen()).toEqual({ ...silent, events: ['scheduler_silent'] });
  // It is logged once.
  await pass(300);
  expect(await seen()).toEqual({ ...silent, events: ['scheduler_silent'] });

  await poll();
  const { text } = await world.http('GET', '/metrics');
  await pass(10);
  expect(await seen()).toEqual({ ...POLLING, events: ['scheduler_silent', 'scheduler_polls_again'] });
  expect(text).toMatch(/^vigie_scheduler_last_poll_timestamp_seconds \d+$/m);
});

test('a scheduler whose clock differs is not silent while it polls', async () => {
  const now = clock.now();
  for (let round = 0; round < 15; round += 1) {
    // Its clock is 10 minutes late.
    await world.sql('UPDATE scheduler_polls SET polled_at = $1', [
      new Date(now.getTime() - 600_000 + round * 10_000),
    ]);
    await pass(10);
  }
  expect(await seen()).toEqual({ ...POLLING, events: [] });
});

test('a process that was suspended itself gives the scheduler time to poll', async () => {
  clock.set(new Date(clock.now().getTime() + 3_600_000));
  await pass(90);
  expect(await seen()).toEqual({ ...POLLING, events: [] });
  await pass(30);
  expect((await seen()).scheduler).toBe('silent');
});

test('with SCHEDULER_ENABLED=false no poll is expected', async () => {
  const off = await createWorld({ join: world, clock });
  try {
    const { body } = await off.http('GET', '/readyz');
    expect(body).toEqual({ status: 'ok', scheduler: 'off', last_poll_at: null });
    expect((await off.http('GET', '/metrics')).text).not.toMatch(/^vigie_scheduler_up \d/m);
  } finally {
    await off.close();
  }
});
