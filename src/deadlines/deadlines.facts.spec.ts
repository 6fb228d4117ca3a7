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

  /** A deadline due so many days from today. */
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
    // Not told late, but still a fact.
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
    [3, 'info', 'Échéance dans 3 jours : TVA CA3', 'Due in 3 days: TVA CA3'],
    [1, 'warning', 'Échéance demain : TVA CA3', 'Due tomorrow: TVA CA3'],
    [0, 'warning', "Échéance aujourd'hui : TVA CA3", 'Due today: TVA CA3'],
    [-1, 'warning', 'Échéance dépassée de 1 jour : TVA CA3', 'Overdue by 1 day: TVA CA3'],
    [-12, 'warning', 'Échéance dépassée de 12 jours : TVA CA3', 'Overdue by 12 days: TVA CA3'],
  ])('%i days before it is told in both languages', async (daysLeft, severity, fr, en) => {
    await addDeadline(daysLeft);
    const [fact] = await factsOf(world, tenantId, 'deadline_near', TODAY, [7, -1]);
    expect(fact).toMatchObject({ severity, title: { fr, en } });
  });

  it('names the deadline, its date and nobody else', async () => {
    const id = await addDeadline(3);
    const facts = await factsOf(world, tenantId, 'deadline_near', TODAY, [7]);
    expect(facts).toEqual([
      {
        source_id: id,
        dedupe_key: `deadline:${id}:2026-04-02`,
        stage: 7,
        severity: 'info',
        responsible_id: null,
        title: { fr: 'Échéance dans 3 jours : TVA CA3', en: 'Due in 3 days: TVA CA3' },
        body: {
          fr: 'Boulangerie Martin · Date limite : 02/04/2026',
          en: 'Boulangerie Martin · Due date: 2 April 2026',
        },
        data: {
          deadline_id: id,
          title: 'TVA CA3',
          category: 'tva',
          client_name: 'Boulangerie Martin',
          due_on: '2026-04-02',
          days_left: 3,
        },
      },
    ]);
  });

  it('says nothing of what is done, or of another tenant', async () => {
    const done = await addDeadline(1);
    await world.sql(`UPDATE deadlines SET status = 'done', completed_at = now() WHERE id = $1`, [done]);
    await addDeadline(1, (await addTenant(world)).id);
    expect(await factsOf(world, tenantId, 'deadline_near', TODAY, [7])).toEqual([]);
  });

  it('does not believe the status', async () => {
    const id = await addDeadline(1);
    await world.sql(`UPDATE deadlines SET status = 'overdue' WHERE id = $1`, [id]);
    expect(await factsOf(world, tenantId, 'deadline_near', TODAY, [1])).toHaveLength(1);
  });

  describe('update-statuses', () => {
    const statuses = (tenant: string) =>
      world.sql(`SELECT title, status FROM deadlines WHERE tenant_id = $1 ORDER BY due_on`, [tenant]);

    it('makes deadlines overdue from the day after, and repeats nothing', async () => {
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

    it('takes back what is not late after all', async () => {
      const id = await addDeadline(2);
      await world.sql(`UPDATE deadlines SET status = 'overdue' WHERE id = $1`, [id]);
      await runJob(world, tenantId, 'update-statuses');
      expect(await statuses(tenantId)).toEqual([{ title: 'TVA CA3', status: 'pending' }]);
    });

    it("goes by the tenant's own day", async () => {
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
