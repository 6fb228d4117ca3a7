import { byAgent, byLateness, countDue, degreeOf, linesOf } from './item-groups.js';

const TODAY = '2025-11-03';

test.each([
  [-400, 'long_overdue'],
  [-8, 'long_overdue'],
  [-7, 'overdue'],
  [-1, 'overdue'],
  [0, 'today'],
  [1, 'soon'],
  [7, 'soon'],
  [8, 'later'],
  [null, 'undated'],
])('M11: %p days from its date an item is %s', (days, degree) => {
  expect(degreeOf(days)).toBe(degree);
});

test('clients are sorted by the language’s rules, ignoring case and accents', () => {
  const items = ['Zoé', 'École', 'eau 10', 'Eau 9', null].map((client_name) => ({
    client_name,
    due_on: TODAY,
  }));
  const [group] = byLateness(items, TODAY, 'fr');
  expect(group?.clients.map(({ client_name }) => client_name)).toEqual([
    'Eau 9',
    'eau 10',
    'École',
    'Zoé',
    null,
  ]);
});

test('the date decides, not a number of days counted on another day', () => {
  const [group] = byLateness([{ due_on: '2025-11-02', days_left: 5 }], TODAY, 'fr');
  expect(group).toMatchObject({ degree: 'overdue', clients: [{ items: [{ days_left: -1 }] }] });
});

test('items are counted as late, due today or ahead; items without a date are not counted', () => {
  const items = ['2025-10-01', '2025-11-02', TODAY, '2025-11-04', '2025-02-30', null].map((due_on) => ({
    due_on,
  }));
  expect(['late', 'today', 'ahead'].map((when) => countDue(items, when, TODAY))).toEqual([2, 1, 1]);
});

test('the lines of a summary have the names of their clients', () => {
  const late = [{ client_name: 'Ana', lines: [{ title: 'a' }, { title: 'b' }] }];
  expect(linesOf([late, [{ client_name: null, lines: [{ title: 'c' }] }]])).toEqual([
    { client_name: 'Ana', title: 'a' },
    { client_name: 'Ana', title: 'b' },
    { client_name: null, title: 'c' },
  ]);
});

test('backups are grouped by agent', () => {
  const backup = (agent_id: string, city: string) => ({ data: { agent_id, city, company_name: 'X' } });
  const groups = byAgent([backup('b', 'Nantes'), backup('a', 'Brest'), backup('b', 'Nantes')], 'fr');
  expect(groups.map(({ agent_id, items }) => [agent_id, items.length])).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
});

test.each([undefined, null, 'x', 7, {}, [null, 1, 'x', []]])('%p produces no groups', (items) => {
  expect(byLateness(items, TODAY, 'fr')).toEqual([]);
  expect(byAgent(items, 'fr')).toEqual([]);
  expect(linesOf([items])).toEqual([]);
  expect(countDue(items, 'late', TODAY)).toBe(0);
});
