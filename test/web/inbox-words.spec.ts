import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NOTIFICATION_KINDS, OPTIONAL_KINDS } from '../../src/contracts/kind-lists.js';
import { AUDIENCES } from '../../src/contracts/audiences.js';
import { PEOPLE_CHANNELS } from '../../src/contracts/channels.js';
import { MAX_SNOOZE_DAYS as LONGEST } from '../../src/notifications/alerts/alerts.dto.js';
import { MAX_SNOOZE_DAYS, snoozeTimes } from '../../web/design/snooze-times.js';
import { Times } from '../../web/design/times.js';
import { matches, TABS } from '../../web/inbox/filter.js';
import { placeBeside, type Placement } from '../../web/inbox/placement.js';
import { Rows } from '../../web/inbox/rows.js';
import { completed, type Notification } from '../../web/client/types.js';
import { EN } from '../../web/words/en.js';
import { EXTRAS_EN } from '../../web/words/extras-en.js';
import { EXTRAS_FR } from '../../web/words/extras-fr.js';
import { FR } from '../../web/words/fr.js';
import { filesUnder, ROOT } from '../rules/sources.js';

describe.each([
  ['en', { ...EN, ...EXTRAS_EN }],
  ['fr', { ...FR, ...EXTRAS_FR }],
])('words of the inbox in %s', (_language, words) => {
  it('V10: name every kind, channel, audience and tab', () => {
    const missing = (names: readonly string[], known: Record<string, string>) =>
      names.filter((name) => (known[name] ?? '') === '');
    expect(missing(NOTIFICATION_KINDS, words.kinds)).toEqual([]);
    expect(missing(PEOPLE_CHANNELS, words.channels)).toEqual([]);
    // An endpoint is not a person, and has no inbox.
    expect(missing(AUDIENCES, words.audiences)).toEqual(['endpoint']);
    expect(
      missing(
        TABS.map(({ name }) => name),
        words.tabs,
      ),
    ).toEqual([]);
  });

  it('V10: name nothing that does not exist, and no two optional kinds alike', () => {
    expect(
      Object.keys(words.kinds).filter((kind) => !NOTIFICATION_KINDS.some((one) => one === kind)),
    ).toEqual([]);
    const names = OPTIONAL_KINDS.map((kind) => words.kinds[kind]);
    expect(new Set(names).size).toBe(names.length);
  });
});

it('V10: both languages have the same words', () => {
  const namesOf = (words: object) =>
    Object.entries(words).flatMap(([name, value]) =>
      typeof value === 'object' ? Object.keys(value as object).map((inner) => `${name}.${inner}`) : [name],
    );
  expect(namesOf(FR)).toEqual(namesOf(EN));
  expect(namesOf(EXTRAS_FR)).toEqual(namesOf(EXTRAS_EN));
});

it('V10: the element reads at most 15 variables, and the documentation lists exactly them and its parts', () => {
  const text = [...filesUnder('web/inbox'), 'web/design/tokens.ts']
    .map((path) => readFileSync(join(ROOT, path), 'utf8'))
    .join('\n');
  const docs = readFileSync(join(ROOT, 'docs/inbox.md'), 'utf8');
  const found = (pattern: RegExp, source: string) => [...new Set(source.match(pattern))].sort();
  const variables = found(/--vigie-[\w-]+/g, text);
  expect(variables.length).toBeLessThanOrEqual(15);
  expect(found(/--vigie-[\w-]+/g, docs)).toEqual(variables);
  for (const part of 'bell badge panel header item title body time action empty footer'.split(' ')) {
    expect(text).toMatch(new RegExp(`part="${part}"|'${part}'`));
    expect(docs).toContain(`\`${part}\``);
  }
  // No inline styles: a strict policy refuses them.
  expect(text).not.toMatch(/style=|styleMap|\.style\./);
});

it('V10: the built file imports under Node, for server-side rendering, without error and without a document', () => {
  const script = `import('${join(ROOT, 'dist/web/inbox.js')}').then(() => console.log(typeof document))`;
  expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })).toBe(
    'undefined\n',
  );
});

it('V10: the client alone imports under Node, also as a package', () => {
  const script = `import('vigie/client').then(({ VigieClient }) => {
    const client = new VigieClient({ server: 'http://127.0.0.1:1', getToken: () => 'token' });
    console.log(client.state, client.count);
  })`;
  const ran = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(ran).toBe('stopped null\n');
});

it('V10: fields that an older server does not send get defaults', () => {
  const { url, alert_id, acknowledged_at, snoozed_until, kind } = completed(at(1));
  expect([url, alert_id, acknowledged_at, snoozed_until, kind]).toEqual([null, null, null, null, 'event']);
});

const at = (second: number, fields: Partial<Notification> = {}) =>
  ({
    id: `id-${String(second).padStart(3, '0')}`,
    kind: 'event',
    created_at: new Date(second * 1_000).toISOString(),
    read_at: null,
    archived_at: null,
    cursor: `${second}.id-${second}`,
    ...fields,
  }) as Notification;
const page = (from: number, to: number, next: string | null = null) => ({
  data: Array.from({ length: from - to + 1 }, (_, place) => at(from - place)),
  next_cursor: next,
});
const seconds = (rows: Notification[]) => rows.map(({ created_at }) => Date.parse(created_at) / 1_000);

describe('rows of an open list', () => {
  it('V10: stay where they are when the list is read again: newer ones wait', () => {
    const rows = new Rows();
    rows.refresh(page(3, 1), true);
    rows.refresh(page(5, 1), true);
    expect([seconds(rows.shown), seconds(rows.arrived)]).toEqual([
      [3, 2, 1],
      [5, 4],
    ]);
    rows.add(at(6), true);
    rows.showArrived();
    expect(seconds(rows.shown)).toEqual([6, 5, 4, 3, 2, 1]);
  });

  it('V10: stay, too, when more arrived than one request returns; the list then continues after those', () => {
    const rows = new Rows();
    rows.refresh(page(3, 1, null), true);
    rows.refresh(page(40, 21, 'after 21'), true);
    expect([seconds(rows.shown), rows.arrived.length, rows.next]).toEqual([[3, 2, 1], 20, null]);
    rows.showArrived();
    expect([rows.shown.length, rows.next]).toEqual([20, 'after 21']);
  });

  it('V10: of a closed list are replaced, and an older one that changed waits for its page', () => {
    const rows = new Rows();
    rows.refresh(page(3, 1), false);
    rows.refresh(page(5, 4), false);
    rows.add(at(2), false);
    expect(seconds(rows.shown)).toEqual([5, 4]);
    expect(rows.newestCursor).toBe('5.id-5');
  });
});

it('V10: tabs combine kinds, and the filter of the list is that of the server', () => {
  const tab = { name: 'Dates', kinds: ['reminder', 'deadline_near'] as const };
  expect(matches({ tab, unread: false }, at(1, { kind: 'reminder' }))).toBe(true);
  expect(matches({ tab, unread: false }, at(1))).toBe(false);
  expect(matches({ tab: null, unread: true }, at(1, { read_at: 'now' }))).toBe(false);
  expect(matches({ tab: null, unread: false }, at(1, { archived_at: 'now' }))).toBe(false);
});

describe('snooze', () => {
  it('V10: lasts at most as long as the server allows', () => {
    expect(MAX_SNOOZE_DAYS).toBe(LONGEST);
  });

  const local = (text: string) => new Date(text).getTime();
  const choices = (now: string) =>
    snoozeTimes(local(now)).map(({ name, at: date }) => [name, date.getTime()]);

  it('V10: in an hour, tonight, tomorrow at 9:00, on Monday at 9:00', () => {
    expect(choices('2026-11-26T10:00')).toEqual([
      ['hour', local('2026-11-26T11:00')],
      ['tonight', local('2026-11-26T19:00')],
      ['tomorrow', local('2026-11-27T09:00')],
      ['monday', local('2026-11-30T09:00')],
    ]);
  });

  it('V10: no tonight in the evening, no Monday on a Sunday, and the next Monday on a Monday', () => {
    expect(choices('2026-11-26T21:00').map(([name]) => name)).toEqual(['hour', 'tomorrow', 'monday']);
    expect(choices('2026-11-29T10:00').map(([name]) => name)).toEqual(['hour', 'tonight', 'tomorrow']);
    expect(choices('2026-11-30T10:00').at(-1)).toEqual(['monday', local('2026-12-07T09:00')]);
  });
});

describe('a popover beside its anchor', () => {
  const anchorAt = (left: number, top: number) => ({ left, top, right: left + 36, bottom: top + 36 });
  const place = (anchor: ReturnType<typeof anchorAt>, placement: Placement) => {
    const { left, top } = placeBeside(
      anchor,
      { width: 480, height: 300 },
      { width: 1000, height: 700 },
      placement,
    );
    return [left, top];
  };

  it('V10: is on the requested side and edge', () => {
    const middle = anchorAt(490, 340);
    expect(place(middle, 'bottom-start')).toEqual([490, 382]);
    expect(place(middle, 'bottom-end')).toEqual([46, 382]);
    expect(place(middle, 'top-start')).toEqual([490, 34]);
    expect(place(middle, 'top-end')).toEqual([46, 34]);
  });

  it('V10: is on the other side if it does not fit, and never outside', () => {
    expect(place(anchorAt(490, 600), 'bottom-start')).toEqual([490, 294]);
    expect(place(anchorAt(490, 100), 'top-start')).toEqual([490, 142]);
    expect(place(anchorAt(900, 20), 'bottom-start')).toEqual([512, 62]);
    expect(place(anchorAt(10, 20), 'bottom-end')).toEqual([8, 62]);
  });
});

it('V10: times are never in the future, and days are those of the reader', () => {
  const times = new Times('en');
  const now = Date.parse('2026-11-26T12:00:00Z');
  const ago = (ms: number) => times.ago(new Date(now - ms).toISOString(), now);
  expect([ago(-86_400_000), ago(0), ago(300_000), ago(7_200_000), ago(172_800_000)]).toEqual([
    'now',
    'now',
    '5 min. ago',
    '2 hr. ago',
    '2 days ago',
  ]);
});

it('V10: days and times are those of the zone that the page sets', () => {
  const words = { today: 'today', yesterday: 'yesterday' };
  const now = Date.parse('2026-03-29T01:30:00Z');
  const of = (zone: string, iso: string) => {
    const times = new Times('en', zone);
    return [times.dayKey(iso), times.dayName(iso, now, words), times.time(iso).replace(/\s/, ' ')];
  };
  // The clocks change in Paris in this night.
  expect(of('Europe/Paris', '2026-03-28T23:30:00Z')).toEqual(['2026-03-29', 'today', '12:30 AM']);
  expect(of('Europe/Paris', '2026-03-28T22:30:00Z')).toEqual(['2026-03-28', 'yesterday', '11:30 PM']);
  expect(of('America/New_York', '2026-03-27T23:30:00Z')).toEqual(['2026-03-27', 'yesterday', '7:30 PM']);
  expect(of('America/New_York', '2026-03-26T23:30:00Z')[1]).toBe('Thursday, March 26');
  // A zone that does not exist breaks nothing.
  expect(of('Nowhere/Else', '2026-03-28T22:30:00Z')).toEqual(of('', '2026-03-28T22:30:00Z'));
});
