import type { components } from '../../../web/client/api.js';
import { afterAct, type Alert, AlertActs } from '../../../web/console/alerts/alert-acts.js';
import { filterOf } from '../../../web/console/alerts/alert-filters.js';
import { BoardLoader } from '../../../web/console/backups/board-loader.js';
import { chosen, counted, rowsOf } from '../../../web/console/backups/board-rows.js';
import {
  draftOf,
  faultsIn,
  NEW_JOB,
  newJob,
  patchOf,
  refusedRule,
} from '../../../web/console/backups/job-draft.js';
import { RequestError } from '../../../web/client/rest.js';
import { fr as jobWords } from '../../../web/words/console/backup-jobs.js';
import { dayStart } from '../../../web/design/day-bounds.js';

type Columns = components['schemas']['BackupBarColumns'];

/** Rows by name: verdict, results, last good one, and the state of its alert. */
function columns(rows: Record<string, Partial<{ [Name in keyof Columns]: Columns[Name][number] }>>): Columns {
  const all = Object.entries(rows).map(([database_name, row]) => ({
    job_id: database_name,
    agent_id: 'paris-01',
    database_name,
    company_name: 'Étude Martin',
    city: 'Lyon',
    verdict: 'SUCCESS' as const,
    last_success_at: '2026-03-01T01:00:00Z',
    next_expected_at: null,
    size_percent: null,
    alert_state: null,
    acknowledged_by: null,
    results: 'S',
    ...row,
  }));
  const names = Object.keys(all[0]!) as (keyof Columns)[];
  return Object.fromEntries(names.map((name) => [name, all.map((row) => row[name])])) as never;
}

describe('V27: the rows of the board', () => {
  const rows = rowsOf(
    columns({
      good: {},
      older: { last_success_at: '2026-02-01T01:00:00Z' },
      missing: {
        verdict: 'MISSING',
        results: 'SM',
        last_success_at: '2026-02-27T01:00:00Z',
        alert_state: 'open',
      },
      handled: { verdict: 'FAILED', results: 'F', last_success_at: null, alert_state: 'acknowledged' },
      never: { verdict: 'FAILED', results: 'F', last_success_at: null },
      doubtful: { results: 'SD' },
      doubtfulWaiting: { results: 'SD.' },
      waiting: { results: 'S.' },
      fresh: { verdict: 'unknown', results: '', last_success_at: null },
      awaited: { verdict: 'unknown', results: '.', last_success_at: null },
    }),
  );
  const names = (filters: Parameters<typeof chosen>[1]) =>
    chosen(rows, filters).map(({ database }) => database);

  it('V27: are sorted worst first: unattended before attended, then by the age of the last good backup', () => {
    expect(names({})).toEqual([
      'never',
      'missing',
      'handled',
      'doubtful',
      'doubtfulWaiting',
      'awaited',
      'waiting',
      'fresh',
      'older',
      'good',
    ]);
    expect(names({ sort: '-verdict' })[0]).toBe('good');
    expect(names({ sort: 'age' }).slice(0, 5)).toEqual(['awaited', 'fresh', 'handled', 'never', 'older']);
    expect(names({ sort: 'name' })[0]).toBe('awaited');
  });

  it('V27: match a part of a name without accents, a condition or a verdict', () => {
    expect(names({ q: 'MISS' })).toEqual(['missing']);
    expect(names({ q: 'etude' })).toHaveLength(10);
    expect(names({ show: 'doubtful' })).toEqual(['doubtful', 'doubtfulWaiting']);
    expect(names({ show: 'FAILED' })).toEqual(['never', 'handled']);
    expect(counted(rows)).toEqual({ bad: 3, doubtful: 2, waiting: 2, unknown: 1, good: 2 });
  });

  it('V27: load all pages once, and serve several filters from them', async () => {
    let now = 0;
    const asked: (string | undefined)[] = [];
    const api = {
      get: (_path: string, { params }: { params: { query: { cursor?: string } } }) => {
        const { cursor } = params.query;
        asked.push(cursor);
        return Promise.resolve({
          as_of: '2026-03-02T08:00:00Z',
          rows: 1,
          columns: columns(cursor === undefined ? { a: {} } : { b: { verdict: 'MISSING', results: 'M' } }),
          next_cursor: cursor === undefined ? 'next' : null,
        });
      },
    };
    const loader = new BoardLoader(api as never, () => now);
    const { signal } = new AbortController();
    expect((await loader.page({}, signal)).data.map(({ database }) => database)).toEqual(['b', 'a']);
    expect((await loader.page({ q: 'a' }, signal)).count).toBe(2);
    expect(asked).toEqual([undefined, 'next']);
    loader.forget();
    await loader.page({}, signal);
    now = 60_000;
    await loader.page({}, signal);
    expect(asked).toHaveLength(6);
    expect(loader.isCut).toBe(false);
  });

  it('V27: says that more rows exist than it loads', async () => {
    const api = {
      get: () => Promise.resolve({ as_of: null, rows: 1, columns: columns({ a: {} }), next_cursor: 'next' }),
    };
    const loader = new BoardLoader(api as never);
    expect((await loader.page({}, new AbortController().signal)).data).toHaveLength(10);
    expect(loader.isCut).toBe(true);
  });
});

describe('V27: the form of an expected backup', () => {
  const draft = {
    ...NEW_JOB,
    agent_id: 'paris-01',
    database_name: ' ged ',
    company_name: ' Étude Martin ',
    city: 'Lyon',
    expected_time: '02:00',
  };

  it.each([
    [[], {}],
    [
      ['agent_id', 'database_name', 'company_name'],
      { agent_id: '../x', database_name: ' ', company_name: '' },
    ],
    [['agent_id', 'city'], { agent_id: 'W'.repeat(101), city: 'W'.repeat(101) }],
    [['neighborhood', 'expected_time'], { neighborhood: 'W'.repeat(101), expected_time: '25:00' }],
    [['days_of_week', 'grace_minutes'], { days_of_week: [], grace_minutes: null }],
    [['grace_minutes'], { grace_minutes: 10_081 }],
    [['grace_minutes'], { grace_minutes: 1.5 }],
    // Characters, as the server counts them: not UTF-16 units.
    [[], { city: '𝔏'.repeat(100), grace_minutes: 0 }],
  ])('V27: has the faults %j', (fields, changes) => {
    expect([...faultsIn({ ...draft, ...changes }, jobWords).keys()]).toEqual(fields);
  });

  it('V27: sends trimmed names and sorted days; a change sends only what differs', () => {
    const body = {
      agent_id: 'paris-01',
      database_name: 'ged',
      company_name: 'Étude Martin',
      city: 'Lyon',
      neighborhood: null,
      expected_time: '02:00',
      days_of_week: [1, 5],
      grace_minutes: 120,
    };
    expect(newJob({ ...draft, days_of_week: [5, 1] })).toEqual(body);
    const job = body as unknown as Parameters<typeof draftOf>[0];
    expect(patchOf(job, draftOf(job))).toEqual({});
    expect(patchOf(job, { ...draftOf(job), city: 'Lille ', days_of_week: [5, 1] })).toEqual({
      city: 'Lille',
    });
    expect(patchOf({ ...job, neighborhood: 'Croix-Rousse' }, draftOf(job))).toEqual({ neighborhood: null });
  });

  it('V27: names the field that the server refused', () => {
    const conflict = new RequestError('refused', 'conflict');
    expect(refusedRule('database_name', conflict, jobWords)).toBe(jobWords.taken);
    const invalid = new RequestError('refused', 'validation_failed');
    expect(refusedRule('city', invalid, jobWords)).toBe(jobWords.rules.city);
    expect(refusedRule('something_else', invalid, jobWords)).toBeNull();
  });
});

describe('V16: acts on an alert', () => {
  const alert = {
    id: 'a',
    state: 'open',
    acknowledged_at: null,
    acknowledged_by: null,
    snoozed_until: null,
  } as Alert;
  const now = new Date('2026-03-02T08:00:00Z');

  it('V16: show at once, run one at a time, and are rolled back when the server refuses', async () => {
    let shown: Partial<Alert> = {};
    let answer: (changes: Partial<Alert>) => void = () => undefined;
    let refuse: (error: Error) => void = () => undefined;
    const post = () =>
      new Promise((resolve, reject) => {
        answer = resolve;
        refuse = reject;
      });
    const acts = new AlertActs({ post, now: () => now.getTime() } as never, 'Alice', (_id, changes) => {
      const before = shown;
      shown = { ...shown, ...changes };
      return () => (shown = before);
    });
    const first = acts.run(alert, 'acknowledge');
    expect(shown).toMatchObject({ state: 'acknowledged', acknowledged_by: 'Alice' });
    expect(await acts.run(alert, 'acknowledge')).toBeNull();
    answer({ state: 'acknowledged', acknowledged_by: 'Bob' });
    await first;
    expect(shown).toMatchObject({ acknowledged_by: 'Bob' });
    const second = acts.run(alert, 'resolve');
    expect(shown.state).toBe('resolved');
    refuse(new Error('refused'));
    await expect(second).rejects.toThrow('refused');
    expect(shown.state).toBe('acknowledged');
  });

  it('V16: acknowledging and snoozing do not change each other', () => {
    const until = new Date('2026-03-03T08:00:00Z');
    const both = { ...alert, acknowledged_at: now.toISOString(), snoozed_until: until.toISOString() };
    expect(afterAct('unacknowledge', both, 'Alice', now)).toMatchObject({ state: 'snoozed' });
    expect(afterAct('unsnooze', both, 'Alice', now)).toEqual({ state: 'acknowledged', snoozed_until: null });
    expect(afterAct({ until }, alert, 'Alice', now)).toEqual({
      state: 'snoozed',
      snoozed_until: until.toISOString(),
    });
  });

  it('V16: filters of the address become those of the API; unknown values are left out', () => {
    const zone = 'Europe/Paris';
    expect(filterOf({ q: 'x', state: 'open', kind: 'gossip', severity: 'critical' }, zone)).toEqual({
      q: 'x',
      state: 'open',
      severity: 'critical',
    });
    expect(filterOf({ since: '2026-03-29', until: '2026-03-30', state: 'lost' }, zone)).toEqual({
      since: '2026-03-28T23:00:00.000Z',
      until: '2026-03-30T22:00:00.000Z',
    });
    expect(filterOf({ since: 'yesterday', until: '2026-02-31x' }, zone)).toEqual({});
  });

  it.each([
    ['2026-10-25', 'Europe/Paris', '2026-10-24T22:00:00.000Z'],
    ['2026-10-26', 'Europe/Paris', '2026-10-25T23:00:00.000Z'],
    ['2026-03-02', 'Pacific/Auckland', '2026-03-01T11:00:00.000Z'],
    ['2026-03-02', 'America/St_Johns', '2026-03-02T03:30:00.000Z'],
  ])('V16: the day %s begins in %s at %s', (date, zone, at) => {
    expect(dayStart(date, zone).toISOString()).toBe(at);
  });
});
