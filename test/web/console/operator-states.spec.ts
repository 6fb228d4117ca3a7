import { countsOf, type Queue } from '../../../web/console/operator/problems.js';

describe('V27: the counts of a queue', () => {
  const queue = (postgres: object) => ({ queue: 'mail', postgres }) as unknown as Queue;

  it('counts as waiting all that a purge cancels, and nothing that is being sent or run', () => {
    const deliveries = { due: 3, deferred: 20, queued: 100, sending: 4_000, sent_24h: 1, failed_24h: 2 };
    expect(countsOf(queue(deliveries))).toMatchObject({ waiting: 123, inWork: 4_100, due: 3 });
    const runs = { queued: 5, running: 7, succeeded_24h: 1, failed_24h: 2, oldest_queued_seconds: null };
    expect(countsOf(queue(runs))).toMatchObject({ waiting: 5, inWork: 7, due: 5 });
  });
});
