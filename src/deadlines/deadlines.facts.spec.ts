import { addTenant } from '../../test/support/cast.js';
import { factsOf, runJob } from '../../test/support/watched.js';
import { createWorld, type World } from '../../test/support/world.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';

const TODAY = '2026-03-30';

describe('deadlines that are near', () => {
  let world: World;
  let tenantId: string;

  beforeAll(async () => {
    world = await createWorld({ clock: new FixedClock(`${TODAY}T08:00:00Z`) });
  });
  afterAll(() => world.close());

  beforeEach(async () => {
    await world.sql(`DELETE FROM tenants`);
    tenantId = (await addTenant(world)).id;
  });

  /** A deadline due this many days from today. */
  async function addDeadline(daysLeft: number, tenant = tenantId): Promise<string> {
    const [deadline] = await world.sql<{ id: string }>(
      `INSERT INTO deadlines (tenant_id, title, client_name, category, due_on)
       VALUES ($1, 'TVA CA3', 'Boulangerie Martin', 'tva', $2::date + $3::int) RETURNING id`,
      [tenant, TODAY, daysLeft],
    );
    return deadline!.id;
  }

  it.each([
    [8, [7, 3, 1, 0, -1], null],
    [7, [7, 3, 1, 0, -1], 7],
    [5, [7, 3, 1, 0, -1], 7],
    [4, [7, 3, 1, 0, -1], 7],
    [3, [7, 3, 1, 0, -1], 3],
    [2, [7, 3, 1, 0, -1], 3],
    [1, [7, 3, 1, 0, -1], 1],
    [0, [7, 3, 1, 0, -1], 0],
    [-1, [7, 3, 1, 0, -1], -1],
    [-40, [7, 3, 1, 0, -1], -1],
    // No stage after the date, but still a fact.
    [-2, [7, 3, 1, 0], 0],
    [-6, [-1, -5, 10], -5],
    [-4, [-1, -5, 10], -1],
    [10, [-1, -5, 10], 10],
    [0, [-1], null],
  ])('%i days before it, of the stages %j, the nearest reached is %j', async (daysLeft, stages, stage) => {
    await addDeadline(daysLeft);
    const facts = await factsOf(world, tenantId, 'deadline_near', TODAY, stages);
    expect(facts.map((fact) => fact.stage)).toEqual(stage === null ? [] : [stage]);
  });

  it.each([
    [3, 'info'],
    [1, 'warning'],
    [0, 'warning'],
    [-12, 'warning'],
  ])('%i days before it is %s', async (daysLeft, severity) => {
    await addDeadline(daysLeft);
    const [fact] = await factsOf(world, tenantId, 'deadline_near', TODAY, [7, -1]);
    expect(fact).toMatchObject({ severity });
  });

  it('M1: names the deadline and its date, and nothing that is only true today', async () => {
    const id = await addDeadline(3);
    const facts = await factsOf(world, tenantId, 'deadline_near', TODAY, [7]);
    expect(facts).toEqual([
      {
        source_id: id,
        dedupe_key: `deadline:${id}:2026-04-02`,
        stage: 7,
        severity: 'info',
        responsible_id: null,
        data: {
          deadline_id: id,
          title: 'TVA CA3',
          description: null,
          category: 'tva',
          client_name: 'Boulangerie Martin',
          due_on: '2026-04-02',
        },
      },
    ]);
  });

  it('excludes deadlines that are done, and those of another tenant', async () => {
    const done = await addDeadline(1);
    await world.sql(`UPDATE deadlines SET status = 'done', completed_at = now() WHERE id = $1`, [done]);
    await addDeadline(1, (await addTenant(world)).id);
    expect(await factsOf(world, tenantId, 'deadline_near', TODAY, [7])).toEqual([]);
  });

  it('does not trust the stored status', async () => {
    const id = await addDeadline(1);
    await world.sql(`UPDATE deadlines SET status = 'overdue' WHERE id = $1`, [id]);
    expect(await factsOf(world, tenantId, 'deadline_near', TODAY, [1])).toHaveLength(1);
  });

  describe('update-statuses', () => {
    const statuses = (tenant: string) =>
      world.sql(`SELECT title, status FROM deadlines WHERE tenant_id = $1 ORDER BY due_on`, [tenant]);

    it('makes deadlines overdue from the day after, once', async () => {
      await addDeadline(-1);
      await addDeadline(0);
      const done = await addDeadline(-5);
      await world.sql(`UPDATE deadlines SET status = 'done', completed_at = now() WHERE id = $1`, [done]);

      expect(await runJob(world, tenantId, 'update-statuses')).toMatchObject({ deadline: 1 });
      expect((await statuses(tenantId)).map(({ status }) => String(status))).toEqual([
        'done',
        'overdue',
        'pending',
      ]);
      expect(await runJob(world, tenantId, 'update-statuses')).toMatchObject({ deadline: 0 });
    });

    it('resets a status that is no longer late', async () => {
      const id = await addDeadline(2);
      await world.sql(`UPDATE deadlines SET status = 'overdue' WHERE id = $1`, [id]);
      await runJob(world, tenantId, 'update-statuses');
      expect(await statuses(tenantId)).toEqual([{ title: 'TVA CA3', status: 'pending' }]);
    });

    it("uses the tenant's own day", async () => {
      // At 08:00 UTC it is still yesterday in Pago Pago (UTC-11).
      const farWest = (await addTenant(world, { time_zone: 'Pacific/Pago_Pago' })).id;
      await addDeadline(-1, farWest);
      await addDeadline(-1);
      await runJob(world, farWest, 'update-statuses');
      await runJob(world, tenantId, 'update-statuses');
      expect(await statuses(farWest)).toEqual([{ title: 'TVA CA3', status: 'pending' }]);
      expect(await statuses(tenantId)).toEqual([{ title: 'TVA CA3', status: 'overdue' }]);
    });
  });
});
