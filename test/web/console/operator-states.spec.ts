import { REASON_CODES, REASONS } from '../../../src/contracts/reasons.js';
import { jobsQuery } from '../../../web/console/operator/jobs-query.js';
import {
  DEFERRALS,
  dueUrl,
  jobsUrl,
  NO_REASON,
  reasonsOf,
  STATES,
} from '../../../web/console/operator/jobs-url.js';
import { countsOf, type Queue } from '../../../web/console/operator/queue-counts.js';
import { worstFirst } from '../../../web/console/operator/worst-first.js';

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

describe('V27: the address of a list of jobs', () => {
  const now = Date.parse('2026-03-30T08:00:00Z');
  const asked = (url: string, isOfDeliveries = true) => {
    const filters = Object.fromEntries(new URL(url, 'http://localhost').searchParams);
    return jobsQuery(filters, 'Europe/Paris', now, isOfDeliveries);
  };

  it('requests what its number counts', () => {
    expect(dueUrl('mail')).toBe('/operator/queues/mail?state=waiting');
    // A run that waits for another attempt counts as due.
    for (const queue of ['checks', 'maintenance', 'runs'])
      expect(dueUrl(queue)).toBe(`/operator/queues/${queue}?state=pending`);
    expect(
      asked(jobsUrl('mail', { state: 'failed', within: '24h', cause: '550', reason: 'expired' })),
    ).toEqual({
      state: 'failed',
      since: '2026-03-29T08:00:00.000Z',
      cause: '550',
      reason: 'expired',
    });
    expect(asked(jobsUrl('mail', { state: 'failed', cause: '', reason: null }))).toEqual({
      state: 'failed',
      cause: '',
      reason: '',
    });
    // All reasons.
    expect(asked(jobsUrl('mail', { state: 'failed', cause: '550' }))).toEqual({
      state: 'failed',
      cause: '550',
    });
    // Only failures have a cause, and sent deliveries have no reason: these filters were chosen for another state.
    expect(asked('?state=waiting&cause=550&reason=retry')).toEqual({ state: 'waiting', reason: 'retry' });
    expect(asked('?state=completed&no_cause=yes&reason=expired')).toEqual({ state: 'completed' });
    expect(asked('?state=lost&tenant=martin')).toEqual({ state: 'waiting', tenant: 'martin' });
    // The server refuses both for runs.
    expect(asked('?state=failed&cause=550&reason=expired', false)).toEqual({ state: 'failed' });
  });

  it('combines the time since the end with the days of the period', () => {
    const since = (query: string) => asked(`?state=failed&${query}`).since;
    expect(since('within=24h&since=2026-03-01')).toBe('2026-03-29T08:00:00.000Z');
    expect(since('within=7d&since=2026-03-30')).toBe('2026-03-29T22:00:00.000Z');
    expect(since('since=2026-03-30')).toBe('2026-03-29T22:00:00.000Z');
    expect(since('within=ever')).toBeUndefined();
    expect(asked('?state=failed&within=24h&until=2026-03-29')).toEqual({
      state: 'failed',
      since: '2026-03-29T08:00:00.000Z',
      until: '2026-03-29T22:00:00.000Z',
    });
  });

  it('offers only reasons that the server has', () => {
    for (const reason of DEFERRALS) expect([reason, REASONS[reason].outcome]).toEqual([reason, 'waits']);
    for (const reason of STATES.flatMap(reasonsOf)) expect(REASON_CODES).toContain(reason);
    expect(REASON_CODES).not.toContain(NO_REASON);
  });
});
