import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { addPerson, type Cast, createCast, type Person } from '../support/cast.js';
import { type Proxy, proxyTo } from '../support/proxy.js';
import { until } from '../support/until.js';
import { runJob } from '../support/watched.js';
import { createWorld, type World } from '../support/world.js';
import { notify } from '../../src/notifications/alerts/notify.fixture.js';
import { ROOT } from '../rules/sources.js';
import { type Host, openHost } from './host-page.js';

/** A folder for a picture of each state; unset: none. */
const { INBOX_PICTURES } = process.env;
const AXE = readFileSync(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8');
const FEED = /\/api\/v1\/notifications\?/;
const LOOKS = (['light', 'dark'] as const).flatMap((theme) =>
  (['fr', 'en'] as const).map((lang) => ({ theme, lang })),
);

let world: World;
let cast: Cast;
let browser: Browser;
let wire: Proxy;
let url: string;
let context: BrowserContext;
let host: Host;
let page: Page;
let person: Person;

beforeAll(async () => {
  world = await createWorld({ env: { ITEM_URL: 'https://front.example/{tenant}/{type}/{id}' } });
  cast = await createCast(world);
  await world.app.listen(0, '127.0.0.1');
  wire = await proxyTo(await world.app.getUrl());
  url = wire.url.replace(/\/$/, '');
  browser = await launchBrowser();
  person = await addPerson(world, cast.tenant_id, { name: 'Paula' });
  await fill();
}, 60_000);
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1000, height: 700 }, locale: 'fr-FR' });
  context.setDefaultTimeout(8_000);
});
afterEach(async () => {
  await context.close();
  wire.restore();
});
afterAll(async () => {
  await browser.close();
  await wire.close();
  await world.close();
});

/** Ordinary notifications of a member, and a few hostile texts. */
async function fill(): Promise<void> {
  await world.sql(
    `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES
     ($1, 'TVA CA3, SARL Dupont', current_date + 3, $2), ($1, 'Liasse fiscale, Garage Leroy', current_date, $2)`,
    [cast.tenant_id, person.id],
  );
  await runJob(world, cast.tenant_id, 'check-notifications');
  await notify(world, person, {
    severity: 'warning',
    title: 'Sauvegarde « compta » trop petite',
    body: '1,2 Go au lieu de 48 Go : le dernier fichier est peut-être tronqué.\nServeur : nas-01\nBase : compta_2026\nVolume : /srv',
  });
  await notify(world, person, { title: '<img src=x onerror=alert(1)>', body: '<script>alert(2)</script>' });
  await notify(world, person, { title: '\u202eabc \u05d0\u05d1 \u202d', body: 'W'.repeat(1_000) });
}

const inbox = 'vigie-inbox';
const open = async (attributes = 'lang="fr"') => {
  host = await openHost(context, url, person.token, attributes);
  ({ page } = host);
  page.on('dialog', () => host.faults.push('a script ran'));
  await page.evaluate(AXE);
};
const openPanel = () => page.locator(`${inbox} .bell`).click();
const shown = (text: string) => page.locator(inbox).getByText(text).first().waitFor();
const answer = (status: number, body: string, contentType = 'application/json') =>
  page.route(FEED, (route) => route.fulfill({ status, body, contentType }));
const tab = (name: string) => page.locator(`${inbox} .tabs button`, { hasText: name }).click();

/** What axe finds in this state, in each theme and language. */
async function check(state: string): Promise<void> {
  for (const { theme, lang } of LOOKS) {
    await page.emulateMedia({ colorScheme: theme });
    const found = await page.evaluate(`(async () => {
      const inbox = document.querySelector('vigie-inbox');
      Object.assign(inbox, { lang: '${lang}', theme: '${theme}' });
      await inbox.updateComplete;
      const { violations } = await axe.run('vigie-inbox', { resultTypes: ['violations'] });
      return violations.map(({ id, nodes }) => id + ' ' + nodes.map(({ html }) => html).join(' '));
    })()`);
    expect([state, theme, lang, found]).toEqual([state, theme, lang, []]);
    if (INBOX_PICTURES !== undefined) {
      for (const width of [1000, 320]) {
        await page.setViewportSize({ width, height: 700 });
        await page.screenshot({ path: join(INBOX_PICTURES, `${state}-${width}-${theme}-${lang}.png`) });
      }
      await page.setViewportSize({ width: 1000, height: 700 });
    }
  }
  await page.evaluate(`document.querySelector('vigie-inbox').lang = 'fr'`);
}

it('V10: axe finds nothing in nine states, two themes and two languages, and the policy is kept', async () => {
  await open();
  let release = () => {};
  const held = new Promise<void>((done) => (release = done));
  await page.route(FEED, async (route) => {
    await held;
    await route.fallback();
  });
  await openPanel();
  await page.locator(`${inbox} .skeleton`).first().waitFor();
  await check('1-loading');
  const topOf = async (selector: string) =>
    (await page.locator(`${inbox} ${selector}`).first().boundingBox())!.y;
  const before = await topOf('.skeleton');
  release();
  await page.locator(`${inbox} article`).first().waitFor();
  // The day's name is the only thing above it.
  expect((await topOf('.day')) - before).toBe(0);
  await page.unroute(FEED);
  await page.locator(`${inbox} article`).nth(1).hover();
  await check('2-list');

  await page.locator(`${inbox} article`, { hasText: 'TVA CA3' }).hover();
  const item = page.locator(`${inbox} article`, { hasText: 'TVA CA3' });
  await item.getByRole('button', { name: 'Pourquoi ?' }).click();
  await shown('Vous en êtes responsable.');
  await item.getByRole('button', { name: 'Reporter' }).click();
  await page.locator(`${inbox} .menu button`).first().waitFor();
  await check('2-list-menu');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Préférences' }).click();
  await page.locator('vigie-preferences form').waitFor();
  await check('2-preferences');
  await page.getByRole('button', { name: 'Retour' }).click();

  await context.setOffline(true);
  await shown('Pas de réseau. Mise à jour maintenant.');
  await check('3-offline');
  await context.setOffline(false);
  await until('the network', async () => (await page.locator(`${inbox} .notice`).count()) === 0);
  wire.cut();
  await shown('Reconnexion…');
  await check('4-reconnecting');
  wire.restore();

  await answer(200, '{"data":[],"next_cursor":null}');
  await tab('Tout');
  await shown('Rien à signaler');
  await check('5-empty');
  await page.locator(`${inbox} .toggle`).click();
  await shown('Aucun résultat avec ce filtre');
  await check('6-empty-filter');
  await page.unroute(FEED);
  await answer(503, '');
  await tab('Tout');
  await shown('n’ont pas pu être chargées');
  await check('7-failed');
  await page.unroute(FEED);
  await answer(200, '<html>', 'text/html');
  await page.getByRole('button', { name: 'Réessayer' }).click();
  await shown('ne fonctionne pas avec cette version du serveur');
  await check('8-incompatible');
  await page.unroute(FEED);

  await answer(401, '{"code":"unauthenticated","status":401}');
  await page.evaluate(`window.nextToken = 'not a token'`);
  await page.getByRole('button', { name: 'Réessayer' }).click();
  await page.getByRole('button', { name: 'Réessayer' }).click();
  await shown('Votre session a expiré');
  await check('9-signed-out');
  expect(await page.evaluate(`events.filter(({ name }) => name === 'vigie-auth-required').length`)).toBe(1);
  // After three refusals, no further token is asked for until a person retries.
  const asked = await page.evaluate('asked');
  await page.unroute(FEED);
  await page.evaluate(`window.nextToken = undefined`);
  await page.getByRole('button', { name: 'Réessayer' }).click();
  await page.locator(`${inbox} article`).first().waitFor();
  expect(await page.evaluate('asked')).toBe((asked as number) + 1);
  expect(host.faults).toEqual([]);
}, 120_000);

it('V10: looks: 320 px, targets, forced colours, reduced motion, and no style leaks in or out', async () => {
  await open();
  await openPanel();
  await page.locator(`${inbox} article`).first().waitFor();
  const targets = () =>
    page.evaluate<{ small: string[]; right: number }>(`(() => {
      const root = document.querySelector('vigie-inbox').shadowRoot;
      const boxes = [...root.querySelectorAll('button, a, input')]
        .filter((node) => node.checkVisibility())
        .map((node) => ({ name: node.getAttribute('aria-label') ?? node.textContent.trim(), ...node.getBoundingClientRect().toJSON() }));
      return {
        small: boxes.filter(({ width, height }) => width < 24 || height < 24).map(({ name }) => name),
        right: Math.max(...boxes.filter(({ name }) => !/^(Tâches|Sauvegardes|Messages)$/.test(name)).map(({ right }) => right)),
      };
    })()`);
  expect((await targets()).small).toEqual([]);
  // All tabs are in reach of a mouse, which cannot scroll sideways.
  expect(await page.evaluate(overflowOf('.tabs'))).toBe(0);
  const styleOf = (selector: string, name: string) =>
    page.evaluate<string>(
      `getComputedStyle(document.querySelector('vigie-inbox').shadowRoot.querySelector('${selector}')).${name}`,
    );
  // The page colours all its buttons, and sets a serif.
  expect(await styleOf('.title a, .title button', 'color')).not.toBe('rgb(255, 0, 0)');
  expect(await styleOf('.tabs button', 'textTransform')).toBe('none');
  expect(await styleOf('article', 'fontFamily')).toBe('system-ui, sans-serif');
  expect(await page.evaluate(`getComputedStyle(document.querySelector('h1')).fontFamily`)).toBe('serif');

  await page.setViewportSize({ width: 320, height: 568 });
  await page.locator(`${inbox} article`).first().scrollIntoViewIfNeeded();
  const narrow = await targets();
  expect(narrow.small).toEqual([]);
  expect(narrow.right).toBeLessThanOrEqual(320);
  expect(await page.evaluate(overflowOf('.scroll'))).toBe(0);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);

  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  // Without colours, dots have a border and warnings are bold.
  expect(await styleOf('article .dot', 'borderStyle')).toBe('solid');
  expect(await styleOf('.facts .warning', 'fontWeight')).toBe('600');
  await page.route(FEED, () => undefined);
  await tab('Documents');
  await page.locator(`${inbox} .skeleton`).first().waitFor();
  expect(await styleOf('.skeleton', 'animationName')).toBe('none');
  if (INBOX_PICTURES !== undefined)
    await page.screenshot({ path: join(INBOX_PICTURES, 'forced-colours.png') });
  expect(host.faults).toEqual([]);
});

const overflowOf = (selector: string) => `(() => {
  const node = document.querySelector('vigie-inbox').shadowRoot.querySelector('${selector}');
  return node.scrollWidth - node.clientWidth;
})()`;

it('V10: a page sets words, tabs, items, slots and parts; an error in its code breaks nothing', async () => {
  await open('lang="en" max="2" placement="bottom-start"');
  await page.evaluate(`(() => {
    const inbox = document.querySelector('vigie-inbox');
    inbox.messages = { title: 'Inbox', kinds: { event: 'News' }, new_ones: () => 'more', why_inbox_only: 'Only here' };
    inbox.filters = ['event', { name: 'Dates', kinds: ['deadline_near', 'reminder'] }];
    inbox.renderItem = ({ title, kind }) => {
      if (title.includes('compta')) throw new Error('a fault of the page');
      return kind === 'event' ? 'Rendered by the page' : null;
    };
    inbox.innerHTML = '<b slot="header">Own header</b><i slot="footer">Own footer</i><u slot="empty">Own empty</u>';
    document.addEventListener('vigie-click', (event) => event.preventDefault(), { once: true });
  })()`);
  // Frameworks set properties, and would overwrite a method of that name.
  const methods = `(() => {
    const { observedAttributes, prototype } = customElements.get('vigie-inbox');
    return observedAttributes.filter((name) => typeof Object.getOwnPropertyDescriptor(prototype, name)?.value === 'function');
  })()`;
  expect(await page.evaluate(methods)).toEqual([]);
  const texts = (selector: string) => page.locator(`${inbox} ${selector}`).allInnerTexts();
  await until('the badge', async () => (await texts('.badge')).join('') === '2+');
  await openPanel();
  await page.locator(`${inbox} article`).nth(4).waitFor();
  expect((await texts('h2')).join('')).toContain('Inbox');
  expect(await texts('.tabs button')).toEqual(['All', 'News', 'Dates']);
  expect((await page.getByText('Rendered by the page').count()) > 1).toBe(true);
  await shown('1,2 Go au lieu de 48 Go');
  for (const text of ['Own header', 'Own footer']) await page.getByText(text).waitFor();
  expect(host.faults.splice(0).every((fault) => fault.includes('a fault of the page'))).toBe(true);

  // The page prevents the first click: nothing is marked, and no link is followed.
  const item = page.locator(`${inbox} article`, { hasText: 'TVA CA3' });
  const link = item.getByRole('link');
  expect(await link.getAttribute('href')).toMatch(/^https:\/\/front\.example\/cabinet-martin\/deadline\//);
  await link.click();
  expect(page.url()).toContain('/host');
  expect(await item.getAttribute('class')).toBe('unread');
  // The second click of a double click is a click, too.
  await page.evaluate(`(() => {
    const stop = (event) => event.preventDefault();
    window.prevented = [];
    document.addEventListener('vigie-click', stop);
    document.addEventListener('click', function note(event) {
      if (window.prevented.push(event.defaultPrevented) < 2) return;
      document.removeEventListener('vigie-click', stop);
      document.removeEventListener('click', note);
    });
  })()`);
  await link.dblclick();
  expect(await page.evaluate('prevented')).toEqual([true, true]);
  expect(page.url()).toContain('/host');
  expect(await item.getAttribute('class')).toBe('unread');
  await tab('Dates');
  await until('the tab', async () => (await page.locator(`${inbox} article`).count()) === 2);
  await page.route('https://front.example/**', (route) => route.fulfill({ body: 'the item' }));
  await link.click();
  await page.waitForURL('https://front.example/**');
  await until('the mark', async () => {
    const [row] = await world.sql<{ n: number }>(
      `SELECT count(*)::int AS n FROM notifications WHERE user_id = $1 AND kind = 'deadline_near' AND read_at IS NOT NULL`,
      [person.id],
    );
    return row!.n === 1;
  });

  await open();
  await answer(200, '{"data":[],"next_cursor":null}');
  await page.evaluate(`document.querySelector('vigie-inbox').innerHTML = '<u slot="empty">Own empty</u>'`);
  await openPanel();
  await page.getByText('Own empty').waitFor();
  expect(host.faults).toEqual([]);
});

it('V10: attributes, a variable, a part and the slot of the bell take effect; a token alone is enough', async () => {
  await open();
  await page.emulateMedia({ colorScheme: 'light' });
  await page.evaluate(`(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(\`
      vigie-inbox { position: fixed; left: 300px; bottom: 10px; --vigie-surface: rgb(1, 2, 3); --vigie-panel-width: 400px }
      vigie-inbox::part(bell) { width: 90px; border: 2px solid rgb(4, 5, 6) }\`);
    document.adoptedStyleSheets.push(sheet);
    document.querySelector('main').innerHTML = '<vigie-inbox theme="dark" placement="top-start" token="${person.token}">' +
      '<span slot="bell">Mes avis</span></vigie-inbox>';
  })()`);
  await page.locator(`${inbox} .badge`).waitFor();
  await page.getByText('Mes avis').click();
  await page.locator(`${inbox} article`).first().waitFor();
  expect(await page.locator(`${inbox} .bell svg`).isVisible()).toBe(false);
  const styleOf = (selector: string, names: string[]) =>
    page.evaluate<string[]>(`(() => {
      const node = document.querySelector('vigie-inbox').shadowRoot.querySelector('${selector}');
      return ${JSON.stringify(names)}.map((name) => getComputedStyle(node).getPropertyValue(name));
    })()`);
  expect(await styleOf('.panel', ['color-scheme', 'background-color', 'color', 'width'])).toEqual([
    'dark',
    'rgb(1, 2, 3)',
    'rgb(230, 233, 239)',
    '400px',
  ]);
  expect(await styleOf('.bell', ['width', 'border-color'])).toEqual(['90px', 'rgb(4, 5, 6)']);
  const boxOf = async (selector: string) => (await page.locator(`${inbox} ${selector}`).boundingBox())!;
  const [panel, bell] = [await boxOf('.panel'), await boxOf('.bell')];
  expect(panel.y + panel.height).toBeLessThanOrEqual(bell.y);
  expect(panel.x).toBe(bell.x);

  await page.keyboard.press('Escape');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.evaluate(`(() => {
    const inbox = document.querySelector('vigie-inbox');
    inbox.setAttribute('theme', 'light');
    inbox.setAttribute('placement', 'top-end');
  })()`);
  await page.getByText('Mes avis').click();
  expect(await styleOf('.panel', ['color-scheme', 'color'])).toEqual(['light', 'rgb(27, 31, 39)']);
  const { x, width } = await boxOf('.panel');
  expect(x).toBe(Math.max(8, bell.x + bell.width - width));
  expect(host.faults).toEqual([]);
});

it('V10: on a small touch screen the actions are visible, and what they open fits the screen', async () => {
  await context.close();
  context = await browser.newContext({
    viewport: { width: 320, height: 568 },
    hasTouch: true,
    isMobile: true,
    locale: 'fr-FR',
  });
  context.setDefaultTimeout(8_000);
  await open();
  await page.locator(`${inbox} .bell`).tap();
  const item = page.locator(`${inbox} article`, { hasText: 'Liasse fiscale' });
  await item.waitFor();
  const acts = item.locator('.acts');
  const opacity = `getComputedStyle(document.querySelector('vigie-inbox').shadowRoot.querySelector('.acts')).opacity`;
  expect(await page.evaluate(opacity)).toBe('1');
  // Beside or below the facts, not over them.
  const [facts, buttons] = [(await item.locator('.facts').boundingBox())!, (await acts.boundingBox())!];
  expect(buttons.x >= facts.x + facts.width || buttons.y >= facts.y + facts.height).toBe(true);
  const heights = await item.locator('.facts > *').evaluateAll((all) => all.map((one) => one.clientHeight));
  expect(heights.length).toBeGreaterThan(2);
  expect(Math.max(...heights)).toBeLessThan(24);
  await item.getByRole('button', { name: 'Pourquoi ?' }).tap();
  await shown('Vous en êtes responsable.');
  const why = (await item.locator('.why').boundingBox())!;
  expect(why.y + why.height).toBeLessThanOrEqual(568);
  await item.getByRole('button', { name: 'Reporter' }).tap();
  await page.locator(`${inbox} .menu button`).first().waitFor();
  const menu = (await page.locator(`${inbox} .menu`).boundingBox())!;
  const apply = (await page.locator(`${inbox} .menu form button`).boundingBox())!;
  expect(menu.x).toBeGreaterThanOrEqual(0);
  expect(Math.max(menu.x + menu.width, apply.x + apply.width)).toBeLessThanOrEqual(320);
  await page.locator(`${inbox} .menu button`).first().tap();
  await item.getByText('Reportée jusqu’au').waitFor();
  await item.getByRole('button', { name: 'Annuler le report' }).tap();
  await until('the end', async () => (await item.getByText('Reportée').count()) === 0);
  expect(host.faults).toEqual([]);
});

it('V10: with a server older than the component, list and badge work, and missing routes are requested only once', async () => {
  const asked: string[] = [];
  let countsUnseen = false;
  const notFound = JSON.stringify({ code: 'not_found', status: 404 });
  await context.routeWebSocket(/socket\.io/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) =>
      socket.send(countsUnseen ? message : String(message).replace(/,"unseen":\d+/g, '')),
    );
  });
  await context.route(FEED, async (route) => {
    const { data, next_cursor } = (await (await route.fetch()).json()) as {
      data: object[];
      next_cursor: null;
    };
    const added = ['alert_id', 'acknowledged_at', 'acknowledged_by', 'snoozed_until', 'url'];
    const older = data.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => !added.includes(name))),
    );
    await route.fulfill({ json: { data: older, next_cursor } });
  });
  await context.route(/\/(seen|trace)$/, (route) => {
    asked.push(new URL(route.request().url()).pathname.split('/').at(-1)!);
    return route.fulfill({ status: 404, contentType: 'application/problem+json', body: notFound });
  });
  await open();
  const badge = () => page.locator(`${inbox} .badge`).innerText();
  const unread = async () => {
    const { body } = await world.http('GET', '/api/v1/notifications/unread-count', { token: person.token });
    return String(body.unread_count);
  };
  await page.locator(`${inbox} .badge`).waitFor();
  expect(await badge()).toBe(await unread());
  expect(await page.locator(`${inbox} .unseen`).count()).toBe(0);
  await openPanel();
  const item = page.locator(`${inbox} article`, { hasText: 'TVA CA3' });
  await item.waitFor();
  expect(await item.locator('.acts button').count()).toBe(3);
  await item.hover();
  await item.getByRole('button', { name: 'Pourquoi ?' }).click();
  await shown('L’action n’a pas abouti');
  await notify(world, person, { title: 'Depuis' });
  await until('the badge', async () => (await badge()) === (await unread()));
  expect(asked).toEqual(['trace']);

  // This server counts unseen notifications, but has no watermark.
  countsUnseen = true;
  await page.reload();
  await page.locator(`${inbox} .unseen`).waitFor();
  const refused = page.waitForResponse(/\/seen$/);
  await openPanel();
  expect((await refused).status()).toBe(404);
  await item.waitFor();
  await page.keyboard.press('Escape');
  await page.locator(`${inbox} .unseen`).waitFor();
  // A request of the second opening would be sent before that of the button.
  await openPanel();
  const since = page.locator(`${inbox} article`, { hasText: 'Depuis' });
  await since.hover();
  const marked = page.waitForRequest(/\/read$/);
  await since.getByRole('button', { name: 'Marquer comme lue' }).click();
  await marked;
  expect(asked).toEqual(['trace', 'seen']);
  expect(host.faults).toEqual([]);
});
