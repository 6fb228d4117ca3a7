import { addTenant } from '../../test/support/cast.js';
import { factsOf, runJob } from '../../test/support/watched.js';
import { createWorld, type World } from '../../test/support/world.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';

const TODAY = '2026-03-30';

describe('tasks that are overdue', () => {
  let world: World;
  let tenantId: string;

  beforeAll(async () => {
    world = await createWorld({ clock: new FixedClock(`${TODAY}T08:00:00Z`) });
    tenantId = (await addTenant(world)).id;
  });
  afterAll(() => world.close());
  afterEach(() => world.sql(`DELETE FROM tasks`));

  async function addTask(daysLeft: number, state = `'open', NULL`): Promise<string> {
    const [task] = await world.sql<{ id: string }>(
      `INSERT INTO tasks (tenant_id, title, due_on, status, completed_at)
       VALUES ($1, 'Saisir les factures', $2::date + $3::int, ${state}) RETURNING id`,
      [tenantId, TODAY, daysLeft],
    );
    return task!.id;
  }

  it.each([
    [0, [-1], []],
    [-1, [-1], [-1]],
    [-30, [-1], [-1]],
    [-2, [-1, -3], [-1]],
    [-3, [-1, -3], [-3]],
    [-1, [-3], []],
  ])('due in %i days, of the stages %j: %j', async (daysLeft, stages, reached) => {
    await addTask(daysLeft);
    const facts = await factsOf(world, tenantId, 'tasks_overdue', TODAY, stages);
    expect(facts.map(({ stage }) => stage)).toEqual(reached);
  });

  it('M1: names the task and its date, and nothing that is only true today', async () => {
    const id = await addTask(-2);
    expect(await factsOf(world, tenantId, 'tasks_overdue', TODAY, [-1])).toEqual([
      {
        source_id: id,
        dedupe_key: `task:${id}:2026-03-28`,
        stage: -1,
        severity: 'warning',
        responsible_id: null,
        data: {
          task_id: id,
          title: 'Saisir les factures',
          description: null,
          client_name: null,
          due_on: '2026-03-28',
        },
      },
    ]);
  });

  it('excludes tasks that are done', async () => {
    await addTask(-2, `'done', now()`);
    expect(await factsOf(world, tenantId, 'tasks_overdue', TODAY, [-1])).toEqual([]);
  });

  it('makes tasks overdue at night, and resets them', async () => {
    const late = await addTask(-1);
    const today = await addTask(0);
    const moved = await addTask(5, `'overdue', NULL`);
    const done = await addTask(-1, `'done', now()`);
    expect(await runJob(world, tenantId, 'update-statuses')).toMatchObject({ task: 2 });
    const rows = await world.sql<{ id: string; status: string }>(`SELECT id, status FROM tasks`);
    expect(Object.fromEntries(rows.map(({ id, status }) => [id, status]))).toEqual({
      [late]: 'overdue',
      [today]: 'open',
      [moved]: 'open',
      [done]: 'done',
    });
    expect(await runJob(world, tenantId, 'update-statuses')).toMatchObject({ task: 0 });
  });
});
