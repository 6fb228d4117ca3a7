import {
  groupOf,
  JOB_NAMES,
  JOBS,
  type JobName,
  QUEUES,
  runDeclaration,
  SCHEDULED_JOBS,
} from '../../src/contracts/jobs.js';
import { CHANNELS } from '../../src/contracts/channels.js';
import { JobHandlers } from '../../src/platform/queues/handlers.js';
import { nextSlot } from '../../src/scheduler/slots.js';
import { effectiveSettings } from '../../src/tenants/settings/tenant-settings.js';
import { createWorld, type World } from '../support/world.js';

describe('the job catalog', () => {
  let world: World;

  beforeAll(async () => {
    // Starting is the test: it fails if a job has no handler, or two.
    world = await createWorld();
  });
  afterAll(async () => world.close());

  it('has one handler for each job, in the right room', () => {
    const handlers = world.app.get(JobHandlers, { strict: false });
    expect(() => handlers.assertComplete()).not.toThrow();
    for (const name of Object.keys(JOBS) as JobName[]) {
      expect(() => handlers.register(name, () => Promise.resolve())).toThrow('two handlers');
    }
  });

  it('H12: derives the scheduled jobs, the groups and the long jobs from one declaration', () => {
    expect(SCHEDULED_JOBS).toEqual(
      JOB_NAMES.filter((name) => JOBS[name].payload === 'run').map((name): string => name),
    );
    for (const job of SCHEDULED_JOBS) expect(groupOf(job)).toContain(job);
    expect(groupOf('scan-backups')).toEqual(['check-backups', 'scan-backups']);
    expect(groupOf('cleanup')).toEqual(['cleanup']);
  });

  it('H12: has a schedule from the settings’ hours, and a time limit, for each of them', () => {
    const { schedule } = effectiveSettings({});
    for (const job of SCHEDULED_JOBS) {
      const { max_minutes, schedule: scheduleOf } = runDeclaration(job);
      expect(max_minutes).toBeGreaterThan(0);
      expect(nextSlot(scheduleOf(schedule), 'Europe/Paris', new Date('2026-03-04T09:00:00Z'))).not.toBeNull();
    }
  });

  it('uses literal names for jobs, and uses every queue', () => {
    for (const name of Object.keys(JOBS)) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(new Set(Object.values(JOBS).map(({ queue }) => queue))).toEqual(new Set(QUEUES));
  });

  it('has a row for each channel’s round', async () => {
    const rows = await world.sql<{ channel: string }>('SELECT channel FROM channels ORDER BY channel');
    expect(rows.map(({ channel }) => channel)).toEqual([...CHANNELS].sort());
  });
});
