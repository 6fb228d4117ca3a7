import { countsOf, type Queue, worstFirst } from '../../../web/console/operator/problems.js';

describe('V27: the counts of a queue', () => {
  const queue = (postgres: object) => ({ queue: 'mail', postgres }) as unknown as Queue;

  it('counts as waiting all that a purge cancels, and nothing that is being sent or run', () => {
    const deliveries = { due: 3, deferred: 20, queued: 100, sending: 4_000, sent_24h: 1, failed_24h: 2 };
    expect(countsOf(queue(deliveries))).toMatchObject({ waiting: 123, inWork: 4_000, due: 103 });
    const runs = { queued: 5, running: 7, succeeded_24h: 1, failed_24h: 2, oldest_queued_seconds: null };
    expect(countsOf(queue(runs))).toMatchObject({ waiting: 5, inWork: 7, due: 5 });
  });
});

it('V27: the timeline of a job is worse with more missed runs, then with more failed or late ones', () => {
  const strips: Record<string, number>[] = [
    { missed: 3, failed: 9 },
    { missed: 10 },
    { failed: 1 },
    {},
    { missed: 3, caught_up: 1 },
  ];
  const sorted = strips.map((counts) => ({ counts })).toSorted(worstFirst);
  expect(sorted.map(({ counts }) => strips.indexOf(counts))).toEqual([1, 0, 4, 2, 3]);
});
