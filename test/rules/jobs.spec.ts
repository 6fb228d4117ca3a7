import { JOBS, type JobName, QUEUES, SCHEDULED_JOBS } from '../../src/contracts/jobs.js';
import { CHANNELS } from '../../src/contracts/channels.js';
import { JobHandlers } from '../../src/platform/queues/handlers.js';
import { createWorld, type World } from '../support/world.js';

describe('the job catalog', () => {
  let world: World;

  beforeAll(async () => {
    // Starting is the test: it fails when a job has no handler, or two.
    world = await createWorld();
  });
  afterAll(async () => world.close());

  it('has one handler for each job, in the room that knows it', () => {
    const handlers = world.app.get(JobHandlers, { strict: false });
    expect(() => handlers.assertComplete()).not.toThrow();
    for (const name of Object.keys(JOBS) as JobName[]) {
      expect(() => handlers.register(name, () => Promise.resolve())).toThrow('two handlers');
    }
  });

  it('has every job that a clock starts', () => {
    expect(Object.keys(JOBS)).toEqual(expect.arrayContaining([...SCHEDULED_JOBS]));
  });

  it('names jobs in written words, and uses every queue', () => {
    for (const name of Object.keys(JOBS)) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(new Set(Object.values(JOBS).map(({ queue }) => queue))).toEqual(new Set(QUEUES));
  });

  it('has a turn to take on every channel', async () => {
    const rows = await world.sql<{ channel: string }>('SELECT channel FROM channels ORDER BY channel');
    expect(rows.map(({ channel }) => channel)).toEqual([...CHANNELS].sort());
  });
});
