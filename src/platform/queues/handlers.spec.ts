import { JOBS, type JobName } from '../../contracts/jobs.js';
import { JobHandlers } from './handlers.js';

const NAMES = Object.keys(JOBS) as JobName[];
const payload = { tenant_id: 't', run_id: 'r', lease_token: 'l' };

describe('JobHandlers', () => {
  it('hands a job to its handler and to no other', async () => {
    const handlers = new JobHandlers();
    const calls: unknown[] = [];
    for (const name of NAMES) {
      handlers.register(name, (job) => {
        calls.push([name, job]);
        return Promise.resolve();
      });
    }
    handlers.assertComplete();
    await handlers.run('cleanup', payload);
    expect(calls).toEqual([['cleanup', payload]]);
  });

  it('takes no second handler', () => {
    const handlers = new JobHandlers();
    handlers.register('cleanup', () => Promise.resolve());
    expect(() => handlers.register('cleanup', () => Promise.resolve())).toThrow(
      'the job cleanup has two handlers',
    );
  });

  it.each(NAMES)('stops the start when nobody does %s', (missing) => {
    const handlers = new JobHandlers();
    for (const name of NAMES) if (name !== missing) handlers.register(name, () => Promise.resolve());
    expect(() => handlers.assertComplete()).toThrow(`no handler for the jobs ${missing}`);
  });

  it.each(['nothing', '__proto__', 'toString', ''])('fails a job that is in no catalog: %p', async (name) => {
    await expect(new JobHandlers().run(name, payload)).rejects.toThrow('has no handler');
  });

  it('passes on what a handler throws', async () => {
    const handlers = new JobHandlers();
    const error = new Error('no');
    handlers.register('cleanup', () => Promise.reject(error));
    await expect(handlers.run('cleanup', payload)).rejects.toBe(error);
  });
});
