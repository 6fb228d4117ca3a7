import { Logger } from '@nestjs/common';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { hours, NotifiedTenant } from './announcements.fixture.js';

const NOW = '2026-03-30T01:15:00.000Z';

const clock = new FixedClock(NOW);
let world: World;
let tenant: NotifiedTenant;

beforeAll(async () => {
  world = await createWorld({
    clock,
    env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' },
  });
});
afterAll(() => world.close());
beforeEach(async () => {
  clock.set(NOW);
  tenant = await NotifiedTenant.create(world, clock);
});

describe('B8: announcements that fail', () => {
  /** PostgreSQL refuses the notifications of this job. */
  const breakFor = (jobId: string) =>
    world.sql(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'refused for ada@example.com'; END $$;
       CREATE TRIGGER refuse BEFORE INSERT ON notifications FOR EACH ROW
         WHEN (NEW.data ->> 'job_id' = '${jobId}') EXECUTE FUNCTION refuse();`,
    );
  const repair = async () => {
    await world.sql('DROP FUNCTION IF EXISTS refuse CASCADE');
  };
  afterEach(repair);

  it('for one job stops no other, is logged with its ids, and is retried by the next call', async () => {
    const jobs = [tenant.compta];
    for (let n = 0; n < 4; n += 1) jobs.push(await tenant.job(`base-${n}`));
    for (const one of jobs) await tenant.found('FAILED', 'agent_failed', one);
    const broken = [...jobs].sort()[1]!;
    await breakFor(broken);
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    expect(await tenant.announceNew()).toEqual({ alerts: 4, recovered: 0, not_announced: 1 });
    expect(error.mock.calls).toEqual([
      [
        expect.objectContaining({
          event: 'backup_not_announced',
          tenant_id: tenant.id,
          backup_job_id: broken,
        }),
      ],
    ]);
    error.mockRestore();
    expect(await tenant.unannounced()).toHaveLength(1);
    expect(await tenant.alerts()).toHaveLength(4);

    await repair();
    expect(await tenant.announceNew()).toEqual({ alerts: 1, recovered: 0, not_announced: 0 });
    expect(await tenant.titles()).toHaveLength(5);
    expect(await tenant.unannounced()).toEqual([]);
  });

  it('a failing reminder does not stop the others', async () => {
    const paie = await tenant.job('paie');
    await tenant.found('FAILED');
    await tenant.found('MISSING', 'no_report', paie);
    await tenant.announceNew();
    clock.advance(hours(24));
    await breakFor(tenant.compta);
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    expect(await tenant.remindAll()).toEqual({ reminded: 1, not_announced: 1 });
    error.mockRestore();
    await repair();
    expect(await tenant.remindAll()).toEqual({ reminded: 1, not_announced: 0 });
  });

  it('stops when its signal is aborted', async () => {
    await tenant.found('FAILED');
    await expect(tenant.announcements.announceNew(tenant.id, AbortSignal.abort())).rejects.toThrow('aborted');
    expect(await tenant.unannounced()).toHaveLength(1);
  });
});

it('two concurrent calls announce each job once, even beyond one batch', async () => {
  const jobs: string[] = [];
  for (let n = 0; n < 230; n += 1) jobs.push(await tenant.job(`base-${n}`));
  for (const one of jobs) await tenant.found('FAILED', 'agent_failed', one);
  const [one, other] = await Promise.all([tenant.announceNew(), tenant.announceNew()]);
  expect([one.alerts + other.alerts, one.not_announced + other.not_announced]).toEqual([230, 0]);
  expect(await tenant.titles()).toHaveLength(230);
  clock.advance(hours(24));
  expect(await tenant.remindAll()).toEqual({ reminded: 230, not_announced: 0 });
});

it('only announces one tenant’s results', async () => {
  await tenant.found('FAILED');
  const other = await NotifiedTenant.create(world, clock);
  expect(await other.announceNew()).toEqual({ alerts: 0, recovered: 0, not_announced: 0 });
  expect(await tenant.unannounced()).toHaveLength(1);
});
