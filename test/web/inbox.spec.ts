import { DateTime } from 'luxon';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { runJob } from '../support/watched.js';
import { launchBrowser } from '../support/browser.js';
import { addPerson, type Cast, createCast, type Person } from '../support/cast.js';
import { type Proxy, proxyTo } from '../support/proxy.js';
import { until } from '../support/until.js';
import { createWorld, type World } from '../support/world.js';
import { notify, notifyMany } from '../../src/notifications/alerts/notify.fixture.js';
import { type Host, openHost } from './host-page.js';

let world: World;
let cast: Cast;
let browser: Browser;
let wire: Proxy;
let url: string;
let context: BrowserContext;
let host: Host;
let person: Person;
let names = 0;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  await world.app.listen(0, '127.0.0.1');
  wire = await proxyTo(await world.app.getUrl());
  url = wire.url.replace(/\/$/, '');
  browser = await launchBrowser();
}, 60_000);
beforeEach(async () => {
  wire.restore();
  context = await browser.newContext({ viewport: { width: 1000, height: 700 }, locale: 'fr-FR' });
  context.setDefaultTimeout(8_000);
  person = await addPerson(world, cast.tenant_id, { name: `Person${names++}` });
});
afterEach(async () => {
  await context.close();
});
afterAll(async () => {
  await browser.close();
  await wire.close();
  await world.close();
});

const open = async (attributes?: string, token = person.token) => {
  host = await openHost(context, url, token, attributes);
  return host.page;
};
const bell = (page: Page) => page.locator('vigie-inbox .bell');
const badge = (page: Page) => page.locator('vigie-inbox .badge');
const articles = (page: Page) => page.locator('vigie-inbox article');
const openPanel = async (page: Page) => {
  await bell(page).click();
  await page.locator('vigie-inbox .panel').waitFor();
};
const noFaults = () => expect(host.faults).toEqual([]);

it('V10: the badge is exact, the panel lists, and an act of a person is stored', async () => {
  await notifyMany(world, [person, person, person], { title: 'Relance Dupont' });
  const page = await open();
  await until('the badge', async () => (await badge(page).textContent()) === '3');
  await openPanel(page);
  await articles(page).nth(2).waitFor();
  expect(await page.locator('vigie-inbox h2').innerText()).toContain('3 non lues');
  // Relative time, with the time of day beside it and the date as its title.
  const time = articles(page).first().locator('time');
  expect(await time.innerText()).toMatch(/maintenant|min/);
  expect(await time.getAttribute('title')).toMatch(/^\d{1,2} \S+ \d{4},? (à )?\d\d:\d\d$/);
  expect(await articles(page).first().locator('.facts').innerText()).toMatch(/\d\d:\d\d/);
  await articles(page).first().hover();
  await articles(page).first().getByRole('button', { name: 'Marquer comme lue' }).click();
  await until('the badge', async () => (await badge(page).textContent()) === '2');
  await articles(page).first().getByRole('button', { name: 'Archiver' }).click();
  await until('the list', async () => (await articles(page).count()) === 2);
  await until('the row', async () => {
    const [row] = await world.sql<{ n: number }>(
      'SELECT count(*)::int AS n FROM notifications WHERE user_id = $1 AND archived_at IS NOT NULL AND read_at IS NOT NULL',
      [person.id],
    );
    return row!.n === 1;
  });
  noFaults();
});

it('V16: snoozes for an hour or until a date, acknowledges, undoes both; a refused snooze is rolled back', async () => {
  await world.sql(
    `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, 'TVA CA3', current_date + 3, $2)`,
    [cast.tenant_id, person.id],
  );
  await runJob(world, cast.tenant_id, 'check-notifications');
  const page = await open();
  await openPanel(page);
  const item = articles(page).filter({ hasText: 'TVA CA3' });
  await item.hover();
  let refuse: (() => void) | null = null;
  await page.route('**/snooze', async (route) => {
    await new Promise<void>((resolve) => (refuse = resolve));
    await route.fulfill({ status: 503, body: '{}' });
  });
  await item.getByRole('button', { name: 'Reporter' }).click();
  await page.locator('vigie-inbox .menu button', { hasText: 'Dans une heure' }).click();
  await item.getByText('Reportée').waitFor();
  await until('the request', () => refuse !== null);
  refuse!();
  await page.getByText('L’action n’a pas abouti').first().waitFor();
  await until('the roll-back', async () => (await item.getByText('Reportée').count()) === 0);
  await page.unroute('**/snooze');

  const alert = async () => {
    const [row] = await world.sql<{ snoozed_until: Date | null; acknowledged_by: string | null }>(
      `SELECT snoozed_until, acknowledged_by FROM alerts
       WHERE id = (SELECT alert_id FROM notifications WHERE user_id = $1 AND alert_id IS NOT NULL)`,
      [person.id],
    );
    return row!;
  };
  const act = (name: string) => item.getByRole('button', { name }).click();
  const snoozedUntil = async () => (await alert()).snoozed_until?.getTime() ?? null;
  const inAnHour = Date.now() + 3_600_000;
  await act('Reporter');
  await page.locator('vigie-inbox .menu button', { hasText: 'Dans une heure' }).click();
  await until('the snooze', async () => Math.abs(((await snoozedUntil()) ?? 0) - inAnHour) < 60_000);
  await act('Annuler le report');
  await until('the end of the snooze', async () => (await snoozedUntil()) === null);
  await act('Reporter');
  const apply = page.locator('vigie-inbox .menu form button');
  await apply.click();
  // Without a date, the browser reports the empty field, and the menu stays.
  const date = page.getByLabel('À une autre date');
  expect(await date.evaluate((field) => field.matches(':invalid:focus'))).toBe(true);
  // A date that the server would refuse is not sent either.
  await date.fill('2099-01-01T10:30');
  await apply.click();
  expect(await date.evaluate((field) => field.matches(':invalid:focus'))).toBe(true);
  const inAMonth = DateTime.now().plus({ days: 30 }).set({ hour: 10, minute: 30 }).startOf('minute');
  await date.fill(inAMonth.toFormat("yyyy-MM-dd'T'HH:mm"));
  await apply.click();
  await item.getByText(`Reportée jusqu’au ${inAMonth.setLocale('fr').toFormat('d MMM yyyy')}`).waitFor();
  await until('the date', async () => (await snoozedUntil()) === inAMonth.toMillis());

  await act('C’est traité');
  await item.getByText('Traité par').waitFor();
  expect((await alert()).acknowledged_by).toBe(person.id);
  await act('Pas encore traité');
  await until('the withdrawal', async () => (await alert()).acknowledged_by === null);
  await until('its words', async () => !/Traité/.test(await item.locator('.facts').innerText()));
  noFaults();
});

it('V10: new ones wait behind a pill while the list is open, and nothing moves', async () => {
  await notify(world, person, { title: 'Ancienne' });
  const page = await open();
  await openPanel(page);
  await articles(page).first().focus();
  const before = await articles(page).first().boundingBox();
  await notifyMany(world, [person, person], { title: 'Nouvelle' });
  const pill = page.getByRole('button', { name: '2 nouvelles' });
  await pill.waitFor();
  expect(await articles(page).first().boundingBox()).toEqual(before);
  await pill.click();
  await until('three', async () => (await articles(page).count()) === 3);
  noFaults();
});

it('V10: by keyboard alone: opens, moves in the feed, leaves it, marks, closes, and the focus returns', async () => {
  await notifyMany(world, [person, person], { title: 'Relance' });
  const page = await open();
  const focused = () => page.evaluate(`document.activeElement.shadowRoot?.activeElement?.className ?? ''`);
  await until('the badge', async () => (await badge(page).textContent()) === '2');
  await bell(page).focus();
  await page.keyboard.press('Enter');
  await articles(page).nth(1).waitFor();
  await articles(page).first().focus();
  await page.keyboard.press('PageDown');
  const place = `document.activeElement.shadowRoot.activeElement.getAttribute('aria-posinset')`;
  expect(await page.evaluate(place)).toBe('2');
  await page.keyboard.press('PageUp');
  expect(await page.evaluate(place)).toBe('1');
  await page.keyboard.press('Control+Home');
  const label = `document.activeElement.shadowRoot.activeElement.getAttribute('aria-label')`;
  expect(await page.evaluate(label)).toBe('Tout marquer comme lu');
  await articles(page).first().focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await until('the mark', async () => (await badge(page).textContent()) === '1');
  await articles(page).first().focus();
  await page.keyboard.press('Control+End');
  // Nothing follows the feed that takes the focus: it goes to the panel's end.
  expect(await page.evaluate(`document.activeElement.shadowRoot.activeElement.part.value`)).toBe('footer');
  await page.keyboard.press('Escape');
  await until('the bell', async () => (await focused()) === 'bell');
  await page.keyboard.press('Space');
  await page.locator('vigie-inbox .panel').waitFor();
  noFaults();
});

it('V10: 25 items are read in two requests, Control+End requests the second, and a filter shows the unread ones', async () => {
  await notifyMany(world, Array<Person>(25).fill(person), { title: 'Relance' });
  const page = await open();
  const asked: URLSearchParams[] = [];
  page.on('request', (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname === '/api/v1/notifications') asked.push(searchParams);
  });
  const count = (expected: number) =>
    until(`${expected} items`, async () => (await articles(page).count()) === expected);
  await until('the badge', async () => (await badge(page).textContent()) === '25');
  await openPanel(page);
  await count(20);
  await articles(page).first().focus();
  await page.keyboard.press('Control+End');
  const text = `document.activeElement.shadowRoot.activeElement.textContent.trim()`;
  expect(await page.evaluate(text)).toBe('Afficher la suite');
  await page.keyboard.press('Enter');
  await count(25);
  expect(await articles(page).last().getAttribute('aria-posinset')).toBe('25');
  expect(await page.getByRole('button', { name: 'Afficher la suite' }).count()).toBe(0);
  expect(asked.map((query) => [query.get('limit'), query.has('cursor')])).toEqual([
    ['20', false],
    ['20', true],
  ]);

  const first = articles(page).first();
  const isRead = async () => {
    const [row] = await world.sql<{ is_read: boolean }>(
      'SELECT read_at IS NOT NULL AS is_read FROM notifications WHERE id = $1',
      [await first.getAttribute('data-id')],
    );
    return row!.is_read;
  };
  await first.hover();
  await first.getByRole('button', { name: 'Marquer comme lue' }).click();
  await until('the mark', isRead);
  const onlyUnread = page.getByRole('button', { name: 'Non lues seulement' });
  await onlyUnread.click();
  await count(20);
  await page.getByRole('button', { name: 'Afficher la suite' }).click();
  await count(24);
  expect(await page.locator('vigie-inbox article.unread').count()).toBe(24);
  expect(asked.at(-1)!.get('unread')).toBe('true');
  await onlyUnread.click();
  await count(20);
  expect(await page.locator('vigie-inbox article.unread').count()).toBe(19);
  await first.hover();
  await first.getByRole('button', { name: 'Marquer comme non lue' }).click();
  await until('the badge', async () => (await badge(page).textContent()) === '25');
  expect(await isRead()).toBe(false);
  noFaults();
});

it('V10: hostile titles are shown as text and stay inside; long texts are truncated until they are opened', async () => {
  await notify(world, person, { title: '<img src=x onerror=alert(1)>', body: '<script>alert(2)</script>' });
  await notify(world, person, { title: '\u202eabc \u05d0\u05d1', body: 'x' });
  await notify(world, person, { title: 'W'.repeat(200), body: 'y'.repeat(1_000) });
  const page = await open();
  page.on('dialog', () => host.faults.push('a script ran'));
  await openPanel(page);
  await articles(page).nth(2).waitFor();
  expect(await page.locator('vigie-inbox article img, vigie-inbox article script').count()).toBe(0);
  const scroll = `document.querySelector('vigie-inbox').shadowRoot.querySelector('.scroll')`;
  expect(await page.evaluate(`${scroll}.scrollWidth - ${scroll}.clientWidth`)).toBe(0);
  const long = articles(page).first();
  /** How many lines of the title and of the body are visible. */
  const lines = () =>
    page.evaluate<number[]>(`['.title > *', '.body'].map((selector) => {
      const node = document.querySelector('vigie-inbox').shadowRoot.querySelector('article ' + selector);
      return Math.floor(node.clientHeight / Number.parseFloat(getComputedStyle(node).lineHeight));
    })`);
  expect(await lines()).toEqual([2, 3]);
  await long.getByRole('button', { name: /^W+$/ }).click();
  await until('all of it', async () => (await lines()).every((count) => count > 3));
  await long.getByRole('button', { name: /^W+$/ }).click();
  await until('the cut', async () => (await lines()).join() === '2,3');
  noFaults();
});

it('C6: a token function that throws is called three times and then no more', async () => {
  const page = await open('lang="en"', 'throws');
  const ended = `events.filter(({ name }) => name === 'vigie-auth-required').length`;
  await until('the event', async () => (await page.evaluate(ended)) === 1);
  expect(await page.evaluate('asked')).toBe(3);
  await openPanel(page);
  await page.getByText('Your session has ended.').waitFor();
  // Opening asks for nothing: only a person, or a new function, begins again.
  expect(await page.evaluate('asked')).toBe(3);
  await page.evaluate(
    `document.querySelector('vigie-inbox').getToken = () => ${JSON.stringify(person.token)}`,
  );
  await page.getByText('Nothing to report').waitFor();
  expect(await page.evaluate(ended)).toBe(1);
  noFaults();
});

it('V10: preferences load on demand and are stored', async () => {
  const page = await open('lang="en"');
  await openPanel(page);
  await page.getByRole('button', { name: 'Preferences' }).click();
  await page.getByRole('checkbox', { name: 'Tasks, E-mail' }).uncheck();
  // Quiet hours with one time are refused at the empty field, not stored as none.
  const [from, to] = [page.getByLabel('From', { exact: true }), page.getByLabel('To', { exact: true })];
  await from.fill('22:00');
  await page.getByRole('button', { name: 'Save' }).click();
  expect(await to.evaluate((field) => field.matches(':invalid:focus'))).toBe(true);
  await to.fill('07:00');
  await page.getByRole('button', { name: 'Save' }).click();
  await until('the row', async () => {
    const { body } = await world.http('GET', '/api/v1/preferences', { token: person.token });
    const isStored = body.preferences.some(
      ({ kind, channel, enabled }: Record<string, unknown>) =>
        kind === 'tasks_overdue' && channel === 'email' && enabled === false,
    );
    return isStored && body.quiet_hours?.from === '22:00' && body.quiet_hours.to === '07:00';
  });
  noFaults();
});

it('V10: a double click acts once, on everything that acts', async () => {
  await world.sql(
    `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, 'IS acompte', current_date + 3, $2)`,
    [cast.tenant_id, person.id],
  );
  await runJob(world, cast.tenant_id, 'check-notifications');
  await notifyMany(world, [person, person, person], { title: 'Relance' });
  const page = await open();
  await until('the badge', async () => (await badge(page).textContent()) === '4');
  const puts: string[] = [];
  page.on('request', (request) => {
    if (/PUT|POST/.test(request.method())) puts.push(new URL(request.url()).pathname.split('/').at(-1)!);
  });
  const acts = () => puts.filter((act) => act !== 'seen');
  await bell(page).dblclick();
  await articles(page).nth(3).waitFor();
  const item = articles(page).filter({ hasText: 'IS acompte' });
  await item.hover();
  await item.getByRole('button', { name: 'C’est traité' }).dblclick();
  await item.getByText('Traité par').waitFor();
  await articles(page).first().hover();
  await articles(page).first().getByRole('button', { name: 'Archiver' }).dblclick();
  await until('the list', async () => (await articles(page).count()) === 3);
  await articles(page).first().getByRole('button', { name: 'Marquer comme lue' }).dblclick();
  await until('the badge', async () => (await badge(page).textContent()) === '2');
  await item.getByRole('button', { name: 'Pourquoi ?' }).dblclick();
  await item.getByText('Vous en êtes responsable.').waitFor();
  expect(await page.locator('vigie-inbox .panel').isVisible()).toBe(true);
  await until('the answers', () => acts().length >= 3);
  expect(acts()).toEqual(['acknowledge', 'archive', 'read']);
  noFaults();
});

it('V10: "mark all as read" marks only the open tab, and nothing that arrives after the click', async () => {
  const kept = await notify(world, person, { title: 'D’un autre onglet', kind: 'test' });
  await notifyMany(world, [person, person], { title: 'Relance' });
  const page = await open();
  await openPanel(page);
  await articles(page).nth(2).waitFor();
  await page.locator('vigie-inbox .tabs button', { hasText: 'Messages' }).click();
  await until('the tab', async () => (await articles(page).count()) === 2);
  await page.route('**/read-all*', async (route) => {
    // Arrives after the click, before the server marks.
    await notify(world, person, { title: 'Après le clic' });
    await route.fallback();
  });
  await page.getByRole('button', { name: 'Tout marquer comme lu' }).click();
  await until('the badge', async () => (await badge(page).textContent()) === '2');
  const left = await world.sql<{ id: string; title: string | null }>(
    `SELECT id, data->>'title' AS title FROM notifications WHERE user_id = $1 AND read_at IS NULL ORDER BY created_at`,
    [person.id],
  );
  expect(left).toMatchObject([{ id: kept }, { title: 'Après le clic' }]);
  await page.getByRole('button', { name: '1 nouvelle' }).waitFor();
  expect(await page.locator('vigie-inbox article.unread').count()).toBe(0);
  noFaults();
});

it('V10: a screen reader hears one message per 5 s, and the roles of a feed', async () => {
  await notify(world, person, { title: 'Relance' });
  const page = await open();
  await openPanel(page);
  await articles(page).first().waitFor();
  await page.evaluate(`(() => {
    const live = document.querySelector('vigie-inbox').shadowRoot.querySelector('[role=status]');
    window.said = [];
    new MutationObserver(() => said.push({ text: live.textContent, at: performance.now() }))
      .observe(live, { characterData: true, childList: true, subtree: true });
  })()`);
  for (let number = 0; number < 4; number++) await notify(world, person, { title: 'Nouvelle' });
  const said = () => page.evaluate<{ text: string; at: number }[]>('said');
  await until('two messages', async () => (await said()).length === 2);
  const [first, second] = await said();
  expect([first!.text, second!.text]).toEqual(['1 nouvelle', '4 nouvelles']);
  expect(second!.at - first!.at).toBeGreaterThan(4_900);
  const feed = page.locator('vigie-inbox [role=feed]');
  expect(await feed.getAttribute('aria-busy')).toBe('false');
  const article = articles(page).first();
  expect([await article.getAttribute('aria-posinset'), await article.getAttribute('aria-setsize')]).toEqual([
    '1',
    '-1',
  ]);
  // Every id that is referred to is in the same root.
  const missing = `(() => {
    const root = document.querySelector('vigie-inbox').shadowRoot;
    return [...root.querySelectorAll('[aria-labelledby], [aria-describedby], [popovertarget], label[for]')]
      .flatMap((node) => ['aria-labelledby', 'aria-describedby', 'popovertarget', 'for'].map((name) => node.getAttribute(name)))
      .filter((id) => id !== null && root.getElementById(id) === null);
  })()`;
  expect(await page.evaluate(missing)).toEqual([]);
  noFaults();
});

it('V10: back and forward in the browser keep the open panel, its list and one badge; another page closes it', async () => {
  await notifyMany(world, [person, person], { title: 'Relance Dupont' });
  const page = await open();
  await page.evaluate(`history.pushState(null, '', '#two')`);
  await openPanel(page);
  await articles(page).nth(1).waitFor();
  await page.goBack();
  expect(new URL(page.url()).hash).toBe('');
  await notify(world, person, { title: 'Nouvelle' });
  await until('the badge', async () => (await badge(page).textContent()) === '3');
  expect(await page.locator('vigie-inbox .panel').isVisible()).toBe(true);
  expect(await articles(page).count()).toBe(2);
  await page.goForward();
  expect(await page.locator('vigie-inbox .panel').isVisible()).toBe(true);
  await page.goto(`${url}/host?token=${encodeURIComponent(person.token)}&page=3`);
  await until('the badge', async () => (await badge(page).textContent()) === '3');
  expect(await page.locator('vigie-inbox .panel').isVisible()).toBe(false);
  await page.goBack();
  await until('the badge', async () => (await badge(page).textContent()) === '3');
  // The browser of the tests loads the page again.
  expect(await page.locator('vigie-inbox .panel').isVisible()).toBe(false);
  await openPanel(page);
  await until('the list', async () => (await articles(page).count()) === 3);
  noFaults();
});

it('V10: an element without a token idles: it does not request updates forever', async () => {
  const page = await open();
  await bell(page).waitFor();
  const updates = await page.evaluate<number>(`new Promise((done) => {
    const inbox = document.createElement('vigie-inbox');
    let updates = 0;
    const requestUpdate = inbox.requestUpdate;
    inbox.requestUpdate = function (...change) { updates += 1; return requestUpdate.apply(this, change); };
    document.body.append(inbox);
    let frames = 60;
    const frame = () => (frames-- === 0 ? done(updates) : requestAnimationFrame(frame));
    frame();
  })`);
  expect(updates).toBeLessThan(20);
  noFaults();
});
