import { RequestError } from '../../../web/client/rest.js';
import { type ListPage, ListState, type Part } from '../../../web/console/list/list-state.js';
import { Resource } from '../../../web/console/resource.js';
import { Live } from '../../../web/console/live.js';
import { Formats } from '../../../web/design/formats.js';

interface Row {
  id: string;
  title: string;
}

interface Asked {
  filters: Readonly<Record<string, string>>;
  part: Part;
  signal: AbortSignal;
  answer: (page: ListPage<Row>) => Promise<void>;
  fail: (error: Error) => Promise<void>;
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
const rows = (...ids: string[]): Row[] => ids.map((id) => ({ id, title: `title ${id}` }));

/** A list whose requests are answered by the test, in any order. */
function aList(limit = 2) {
  const asked: Asked[] = [];
  const list = new ListState<Row>({
    load: (filters, part, signal) =>
      new Promise((resolve, reject) => {
        asked.push({
          filters,
          part,
          signal,
          answer: (page) => (resolve(page), settle()),
          fail: (error) => (reject(error), settle()),
        });
      }),
    idOf: ({ id }) => id,
    filters: ['q', 'status', 'sort'],
    defaults: { status: 'open' },
    onChange: () => undefined,
    limit,
  });
  const last = () => asked.at(-1)!;
  const shown = () => list.rows.map(({ id }) => id);
  return { list, asked, last, shown };
}

describe('V20: a list of the console', () => {
  it('takes its filters from the address, with defaults, and ignores other parameters', async () => {
    const { list, asked, last, shown } = aList();
    list.read(new URLSearchParams('q=tva&other=1'));
    expect(last().filters).toEqual({ q: 'tva', status: 'open' });
    expect(last().part).toEqual({ limit: 2, count: true });
    expect(list.phase).toBe('loading');
    await last().answer({ data: rows('1', '2'), next_cursor: 'c', count: 5 });
    expect([list.phase, list.count, list.hasMore, list.isFiltered, shown()]).toEqual([
      'list',
      5,
      true,
      true,
      ['1', '2'],
    ]);
    // The same filters load nothing; an empty value is no filter at all.
    list.read(new URLSearchParams('q=tva&other=2'));
    expect(asked).toHaveLength(1);
    list.read(new URLSearchParams('q=tva&status='));
    expect(last().filters).toEqual({ q: 'tva' });
  });

  it('writes addresses: leaves out defaults, keeps emptied defaults, drops "shown"', () => {
    const { list } = aList();
    list.read(new URLSearchParams('q=tva&shown=40&sort=title'));
    expect(list.url({ q: null })).toBe('?sort=title');
    expect(list.url({ status: null })).toBe('?q=tva&sort=title&status=');
    expect(list.url({ status: 'open' })).toBe('?q=tva&sort=title');
    expect(list.clearUrl).toBe('?sort=title&status=');
  });

  it('keeps what is typed into its filters to itself, and forgets it when its page is left', () => {
    jest.useFakeTimers();
    try {
      const [people, alerts] = [aList().list, aList().list];
      const applied = jest.fn();
      people.pending.set('q', 'dup', 250, applied);
      alerts.pending.set('status', 'ended', 250, applied);
      people.pending.set('q', 'dupont', 250, applied);
      jest.advanceTimersByTime(250);
      expect(applied.mock.calls).toEqual([[{ status: 'ended' }], [{ q: 'dupont' }]]);
      people.pending.set('q', 'martin', 250, applied);
      people.stop();
      jest.advanceTimersByTime(250);
      expect(applied).toHaveBeenCalledTimes(2);
    } finally {
      jest.useRealTimers();
    }
  });

  it('loads the next page and brings back as many rows after a reload', async () => {
    const { list, asked, last, shown } = aList();
    list.read(new URLSearchParams());
    await last().answer({ data: rows('1', '2'), next_cursor: 'c', count: 3 });
    const more = list.more();
    expect(await list.more()).toBeNull();
    expect(last().part).toEqual({ limit: 2, cursor: 'c' });
    await last().answer({ data: rows('3'), next_cursor: null });
    expect([await more, shown(), list.hasMore]).toEqual(['?shown=3', ['1', '2', '3'], false]);

    const again = aList();
    again.list.read(new URLSearchParams('shown=3'));
    expect(again.last().part).toEqual({ limit: 3, count: true });
    const huge = aList();
    huge.list.read(new URLSearchParams('shown=999999999'));
    expect(huge.last().part.limit).toBe(200);
    expect(asked).toHaveLength(2);
  });

  it('shows the newest answer only, whatever the order they arrive in', async () => {
    const { list, asked, shown } = aList();
    list.read(new URLSearchParams('q=a'));
    list.read(new URLSearchParams('q=ab'));
    expect(asked[0]!.signal.aborted).toBe(true);
    await asked[1]!.answer({ data: rows('new'), next_cursor: null, count: 1 });
    await asked[0]!.answer({ data: rows('old'), next_cursor: null, count: 1 });
    expect(shown()).toEqual(['new']);
  });

  it('an answer that was requested before a change does not undo the change', async () => {
    const { list, asked, last } = aList();
    list.read(new URLSearchParams());
    await last().answer({ data: rows('1', '2'), next_cursor: null, count: 2 });
    void list.refresh();
    list.patch('1', { title: 'done' });
    await last().answer({ data: rows('1', '2'), next_cursor: null, count: 2 });
    expect(list.rows[0]!.title).toBe('done');
    expect(asked).toHaveLength(3);
    await last().answer({ data: [{ id: '1', title: 'saved' }, ...rows('2')], next_cursor: null, count: 2 });
    expect(list.rows[0]!.title).toBe('saved');
    expect(asked).toHaveLength(3);
  });

  it('restores a refused change and a removed row', async () => {
    const { list, last, shown } = aList();
    list.read(new URLSearchParams());
    await last().answer({ data: rows('1', '2'), next_cursor: null, count: 2 });
    const unpatch = list.patch('1', { title: 'done' });
    unpatch();
    expect(list.rows[0]!.title).toBe('title 1');
    list.patch('unknown', { title: 'nothing' })();
    const unremove = list.remove('2');
    expect([shown(), list.count]).toEqual([['1'], 1]);
    unremove();
    expect([shown(), list.count]).toEqual([['1', '2'], 2]);
  });

  it('keeps its rows when a refresh fails; fails as a whole only if no rows are shown', async () => {
    const { list, last, shown } = aList();
    list.read(new URLSearchParams());
    await last().fail(new RequestError('network', null));
    expect(list.phase).toBe('failed');
    list.read(new URLSearchParams());
    await last().answer({ data: rows('1'), next_cursor: null, count: 1 });
    void list.refresh();
    await last().fail(new RequestError('network', null));
    expect([list.phase, shown(), list.fault instanceof RequestError]).toEqual(['list', ['1'], true]);
    // An expired session opens a dialog; the list keeps its rows.
    list.read(new URLSearchParams('q=a'));
    await last().fail(new RequestError('auth', null));
    expect([list.phase, shown()]).toEqual(['loading', ['1']]);
  });

  it('selects rows, those shown, or all that match, and tells the server which', async () => {
    const { list, last } = aList();
    list.read(new URLSearchParams('q=tva&sort=title'));
    await last().answer({ data: rows('1', '2'), next_cursor: 'c', count: 60 });
    list.select(list.rows[0]!, true);
    expect([list.selectedCount, list.target]).toEqual([1, { ids: ['1'] }]);
    list.selectShown(true);
    expect([list.selectedCount, list.isAllShownSelected]).toEqual([2, true]);
    list.selectMatching();
    expect([list.selectedCount, list.target]).toEqual([
      60,
      { filter: { q: 'tva', status: 'open' }, count: 60 },
    ]);
    list.select(list.rows[0]!, false);
    expect(list.target).toEqual({ ids: ['2'] });
    // A row that has gone is not selected any more.
    void list.refresh();
    await last().answer({ data: rows('1'), next_cursor: null, count: 1 });
    expect(list.selectedCount).toBe(0);
  });
});

describe('V20: one thing of the server', () => {
  function aResource() {
    const asked: { answer: (title: string) => Promise<void>; fail: () => Promise<void> }[] = [];
    const resource = new Resource<Row>(
      () =>
        new Promise((resolve, reject) =>
          asked.push({
            answer: (title) => (resolve({ id: '1', title }), settle()),
            fail: () => (reject(new RequestError('network', null)), settle()),
          }),
        ),
      () => undefined,
    );
    return { resource, asked };
  }

  it('an answer that was requested before a change does not undo it', async () => {
    const { resource, asked } = aResource();
    resource.open('1');
    await asked[0]!.answer('open');
    void resource.load();
    const undo = resource.change((row) => ({ ...row, title: 'done' }));
    await asked[1]!.answer('open');
    expect([resource.value?.title, asked.length]).toEqual(['done', 3]);
    await asked[2]!.answer('saved');
    expect([resource.value?.title, asked.length]).toEqual(['saved', 3]);
    undo();
    expect(resource.value?.title).toBe('open');
  });

  it('another one is shown without the value, the fault and the late answers of the first', async () => {
    const { resource, asked } = aResource();
    resource.open('1');
    await asked[0]!.answer('one');
    resource.open('1');
    expect(asked).toHaveLength(1);
    const undo = resource.change((row) => ({ ...row, title: 'done' }));
    void resource.load();
    await asked[1]!.fail();
    expect([resource.value?.title, resource.fault instanceof RequestError]).toEqual(['done', true]);
    void resource.load();
    resource.open('2');
    expect([resource.value, resource.fault]).toEqual([null, null]);
    await asked[3]!.answer('two');
    await asked[2]!.answer('late');
    undo();
    expect(resource.value?.title).toBe('two');
  });
});

describe('V20: numbers, dates and times', () => {
  const now = Date.parse('2026-03-29T00:30:00Z');
  const paris = new Formats('fr', 'Europe/Paris', () => now);
  const newYork = new Formats('en', 'America/New_York', () => now);

  it('civil dates are the same in every zone; today is that of the zone', () => {
    expect([paris.civilDate(), newYork.civilDate()]).toEqual(['2026-03-29', '2026-03-28']);
    expect([paris.date('2026-03-29'), newYork.date('2026-03-29')]).toEqual([
      'dim. 29 mars 2026',
      'Sun, Mar 29, 2026',
    ]);
    expect([paris.daysUntil('2026-03-30'), newYork.daysUntil('2026-03-30')]).toEqual([1, 2]);
    expect([paris.days('2026-03-28'), newYork.days('2026-03-28')]).toEqual(['hier', 'today']);
  });

  it('times of day follow the zone over a change of clocks', () => {
    expect([paris.time('2026-03-29T00:59:00Z'), paris.time('2026-03-29T01:00:00Z')]).toEqual([
      '01:59',
      '03:00',
    ]);
    expect(newYork.full('2026-03-29T01:00:00Z')).toMatch(/Mar 28, 2026, 9:00\sPM/);
  });

  it.each([
    [0, 'maintenant'],
    [-59_999, 'maintenant'],
    [-60_000, 'il y a 1\u00a0min'],
    [-3_600_000, 'il y a 1\u00a0h'],
    [-86_400_000, 'hier'],
    [2 * 3_600_000, 'dans 2\u00a0h'],
  ])('%i ms from now is "%s"', (distance, text) => {
    expect(paris.ago(new Date(now + distance).toISOString())).toBe(text);
  });

  it('moments of a machine with a wrong clock are shown in the time of the server', () => {
    const behind = new Formats('fr', 'Europe/Paris', () => Date.now() - 25 * 3_600_000);
    const at = Date.now() - 5 * 60_000;
    expect(behind.ago(behind.instant(at))).toBe('il y a 5\u00a0min');
    expect(Date.parse(behind.instant(at))).toBeCloseTo(at - 25 * 3_600_000, -2);
  });

  it('sizes have three digits and a unit', () => {
    expect([0, 999, 1_000, 1_234_567, 5e15].map((size) => newYork.bytes(size))).toEqual([
      '0 byte',
      '999 byte',
      '1 kB',
      '1.23 MB',
      '5,000 TB',
    ]);
    expect(paris.number(12_345)).toMatch(/^12\s345$/);
  });
});

describe('V20: live changes', () => {
  const page = {
    visibilityState: 'visible',
    listener: (): void => undefined,
    addEventListener: (_type: string, listener: () => void) => (page.listener = listener),
    removeEventListener: () => undefined,
  };
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const show = (state: 'visible' | 'hidden') => {
    page.visibilityState = state;
    page.listener();
  };

  it('reach a page at most four times a second, and none is lost', () => {
    const live = new Live(() => undefined, page);
    const listener = jest.fn();
    live.subscribe(listener);
    for (let at = 0; at < 1_000; at += 10) {
      live.changed();
      jest.advanceTimersByTime(10);
    }
    jest.runAllTimers();
    expect(listener.mock.calls.length).toBeGreaterThanOrEqual(4);
    expect(listener.mock.calls.length).toBeLessThanOrEqual(5);
    live.changed();
    jest.runAllTimers();
    expect(listener.mock.calls.length).toBeGreaterThanOrEqual(5);
    live.stop();
  });

  it('wait while the tab is hidden, then reach it once; its interval timer pauses too', () => {
    const live = new Live(() => undefined, page);
    const listener = jest.fn();
    const end = live.subscribe(listener, { everyMs: 60_000 });
    show('hidden');
    live.changed();
    live.changed();
    jest.advanceTimersByTime(300_000);
    expect(listener).not.toHaveBeenCalled();
    show('visible');
    jest.advanceTimersByTime(1_000);
    expect(listener).toHaveBeenCalledTimes(1);
    end();
    live.changed();
    jest.advanceTimersByTime(120_000);
    expect(listener).toHaveBeenCalledTimes(1);
    live.stop();
  });

  it('the state is reported at most as often as changes, and not while the tab is hidden', () => {
    const onState = jest.fn();
    const live = new Live(onState, page);
    live.enter('connecting');
    jest.advanceTimersByTime(1_000);
    expect(onState).not.toHaveBeenCalled();
    for (let at = 0; at < 1_000; at += 10) {
      live.heard();
      jest.advanceTimersByTime(10);
    }
    jest.runAllTimers();
    expect(onState.mock.calls.length).toBeGreaterThanOrEqual(4);
    expect(onState.mock.calls.length).toBeLessThanOrEqual(5);
    onState.mockClear();
    show('hidden');
    live.heard();
    live.enter('live');
    jest.advanceTimersByTime(60_000);
    expect(onState).not.toHaveBeenCalled();
    show('visible');
    jest.advanceTimersByTime(1_000);
    expect([live.state, live.heardAt, onState.mock.calls.length]).toEqual(['live', Date.now() - 61_000, 1]);
    live.stop();
  });

  it('a request without an answer counts as a lost connection until the server is heard', () => {
    const live = new Live(() => undefined, page);
    live.enter('live');
    live.missed();
    expect(live.state).toBe('lost');
    live.heard();
    expect(live.state).toBe('live');
    live.enter('lost');
    live.heard();
    expect(live.state).toBe('lost');
    live.stop();
  });

  it('reach a page within a moment although the clock of the machine is set back', () => {
    const live = new Live(() => undefined, page);
    const listener = jest.fn();
    live.subscribe(listener);
    live.changed();
    jest.advanceTimersByTime(1_000);
    jest.setSystemTime(Date.now() - 86_400_000);
    live.changed();
    jest.advanceTimersByTime(1_000);
    expect(listener).toHaveBeenCalledTimes(2);
    live.stop();
  });
});
