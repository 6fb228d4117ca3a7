import { randomUUID } from 'node:crypto';
import { JOBS, type JobName } from '../../contracts/jobs.js';
import { JobHandlers } from './handlers.js';

const NAMES = Object.keys(JOBS) as JobName[];
const payload = { tenant_id: randomUUID(), run_id: randomUUID(), lease_token: randomUUID() };

describe('JobHandlers', () => {
  it('passes a job to its handler and to no other', async () => {
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

  it('refuses a second handler', () => {
    const handlers = new JobHandlers();
    handlers.register('cleanup', () => Promise.resolve());
    expect(() => handlers.register('cleanup', () => Promise.resolve())).toThrow(
      'the job cleanup has two handlers',
    );
  });

  it.each(NAMES)('fails the start without a handler for %s', (missing) => {
    const handlers = new JobHandlers();
    for (const name of NAMES) if (name !== missing) handlers.register(name, () => Promise.resolve());
    expect(() => handlers.assertComplete()).toThrow(`no handler for the jobs ${missing}`);
  });

  it.each(['nothing', '__proto__', 'toString', ''])('fails a job that is in no catalog: %p', async (name) => {
    await expect(new JobHandlers().run(name, payload)).rejects.toThrow('has no handler');
  });

  it.each([
    null,
    undefined,
    'text',
    [],
    {},
    { ...payload, tenant_id: 'no uuid' },
    { ...payload, run_id: { toString: () => payload.run_id } },
    { tenant_id: payload.tenant_id, bundle_id: payload.run_id, lease_token: payload.lease_token },
  ])('S8: does not run a forged job: %j', async (forged) => {
    const handlers = new JobHandlers();
    const run = jest.fn();
    handlers.register('cleanup', run);
    await expect(handlers.run('cleanup', forged)).rejects.toThrow('the job cleanup does not carry its ids');
    expect(run).not.toHaveBeenCalled();
  });

  it("rethrows a handler's error", async () => {
    const handlers = new JobHandlers();
    const error = new Error('no');
    handlers.register('cleanup', () => Promise.reject(error));
    await expect(handlers.run('cleanup', payload)).rejects.toBe(error);
  });
});
