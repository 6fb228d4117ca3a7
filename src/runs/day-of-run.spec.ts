import { addPerson, addTenant } from '../../test/support/cast.js';
import { insertRow } from '../../test/support/rows.js';
import { runJob } from '../../test/support/watched.js';
import { createWorld, type World } from '../../test/support/world.js';
import type { NotificationData } from '../contracts/kinds.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';

/** 23:59:58 in Paris on Monday 30 March: the worker's clock is 2 s behind the scheduler's. */
const BEFORE_MIDNIGHT = '2026-03-30T21:59:58Z';

describe('T3: a run takes its day from its slot, not from the worker’s clock', () => {
  const clock = new FixedClock(BEFORE_MIDNIGHT);
  let world: World;
  let tenant_id: string;
  let responsible_id: string;

  beforeAll(async () => {
    world = await createWorld({ clock });
  });
  afterAll(() => world.close());

  beforeEach(async () => {
    clock.set(BEFORE_MIDNIGHT);
    await world.sql('DELETE FROM tenants');
    tenant_id = (await addTenant(world)).id;
    responsible_id = (await addPerson(world, tenant_id, { name: 'Marie' })).id;
  });

  const deadline = (due_on: string) =>
    insertRow(world, 'deadlines', { tenant_id, title: 'TVA', due_on, responsible_id });

  it('T3: the status update of 00:00 makes the previous day’s deadlines overdue', async () => {
    const id = await deadline('2026-03-30');
    await runJob(world, tenant_id, 'update-statuses', '2026-03-31T00:00');
    expect(await world.sql('SELECT status FROM deadlines WHERE id = $1', [id])).toEqual([
      { status: 'overdue' },
    ]);
  });

  it('T3: a check finds the items that are near on the day of its slot', async () => {
    await deadline('2026-04-03');
    await runJob(world, tenant_id, 'check-notifications', '2026-03-30T14:00');
    expect(await world.sql('SELECT stage FROM alerts')).toEqual([{ stage: 7 }]);
    await runJob(world, tenant_id, 'check-notifications', '2026-03-31T00:00');
    expect(await world.sql('SELECT stage FROM alerts')).toEqual([{ stage: 3 }]);
  });

  it('T3: a manual run has the current day in the tenant’s zone', async () => {
    const id = await deadline('2026-03-30');
    await runJob(world, tenant_id, 'update-statuses');
    expect(await world.sql('SELECT status FROM deadlines WHERE id = $1', [id])).toEqual([
      { status: 'pending' },
    ]);
    clock.advance(2_000);
    await runJob(world, tenant_id, 'update-statuses');
    expect(await world.sql('SELECT status FROM deadlines WHERE id = $1', [id])).toEqual([
      { status: 'overdue' },
    ]);
  });

  it.each([
    ['2026-04-06T08:00', '2026-04-06', '2026-04-13'],
    ['2026-01-04T08:00', '2026-01-04', '2026-01-11'],
  ])('T5: the summary of %s lists %s to %s', async (slot, from, to) => {
    await deadline(from);
    await deadline(to);
    await runJob(world, tenant_id, 'weekly-summary', slot);
    const [summary] = await world.sql<{ data: NotificationData['weekly_summary'] }>(
      `SELECT data FROM notifications WHERE kind = 'weekly_summary'`,
    );
    expect(summary?.data.period).toEqual({ from, to });
    const listed = summary?.data.upcoming.flatMap(({ lines }) => lines.map(({ due_on }) => due_on));
    expect(listed).toEqual([from, to]);
  });
});
