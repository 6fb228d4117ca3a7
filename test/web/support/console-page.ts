import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, ConsoleMessage, Page } from 'playwright-core';
import { ROOT } from '../../rules/sources.js';
import { until } from '../../support/until.js';

/** A tab with the console. */
export interface ConsoleTab {
  page: Page;
  /** Violations of the policy, and errors of the page: expect none. */
  faults: string[];
}

/** Watches layout shifts and violations of the policy from the first moment. */
const WATCH = `
  document.addEventListener('securitypolicyviolation', (event) => console.error('CSP ' + event.violatedDirective));
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
`;

const AXE = readFileSync(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8');

/** Opens an address of the console. @param url of the server, without a slash at its end */
export async function openConsole(context: BrowserContext, url: string, path = '/'): Promise<ConsoleTab> {
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message: ConsoleMessage) => {
    // A refused or cut request is logged by the browser itself.
    if (message.type() === 'error' && !/Failed to load resource|WebSocket|ERR_/.test(message.text()))
      faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  await page.addInitScript(WATCH);
  await page.goto(url + path);
  return { page, faults };
}

/** Signs a browser in, without the form. @param tenant its slug; null: an operator */
export async function signInByCookie(
  context: BrowserContext,
  url: string,
  { email, password, tenant }: { email: string; password: string; tenant: string | null },
): Promise<void> {
  const answer = await context.request.post(`${url}/api/v1/auth/session`, {
    data: { email, password, ...(tenant === null ? {} : { tenant }) },
    headers: { origin: url },
  });
  if (!answer.ok()) throw new Error(`sign-in answered ${answer.status()}: ${await answer.text()}`);
}

/** What axe finds wrong in the page, as it is shown now. */
export function axeViolations(page: Page): Promise<string[]> {
  return runAxe(page, '{}');
}

/** What axe finds wrong with the page's colours: of all rules only this one depends on the theme. */
export async function contrastFaults(page: Page, colorScheme: 'light' | 'dark'): Promise<string[]> {
  await page.emulateMedia({ colorScheme });
  return runAxe(page, `{ runOnly: ['color-contrast'] }`);
}

async function runAxe(page: Page, options: string): Promise<string[]> {
  // Not a script element: the page's policy refuses it.
  if (!(await page.evaluate<boolean>(`'axe' in window`))) await page.evaluate(AXE);
  return page.evaluate(
    `axe.run(${options}).then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes.map(({ html }) => html).join(' ')))`,
  );
}

/** By how many pixels the page scrolls sideways: expect 0. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - innerWidth');
}

/** The name of the focused element, for a field its label; empty if nothing is focused. */
export function focused(page: Page): Promise<string> {
  return page.evaluate(
    `(() => { const e = document.activeElement; return e === document.body ? '' : (e.getAttribute('aria-label') ?? (e.labels?.[0]?.textContent || e.textContent)).trim() })()`,
  );
}

/** Waits until the heading of the page has the focus: after a link was followed, it takes the focus from the link. */
export async function headingFocused(page: Page): Promise<void> {
  await until('the focus on the heading', () =>
    page.evaluate<boolean>(`document.activeElement.matches('h1')`),
  );
}

/** Presses Tab until an element with this name has the focus. @param keys the most presses */
export async function tabTo(page: Page, name: RegExp, keys = 120): Promise<void> {
  for (let pressed = 0; pressed < keys; pressed += 1) {
    await page.keyboard.press('Tab');
    if (name.test(await focused(page))) return;
  }
  throw new Error(`no Tab reaches ${String(name)}`);
}

/** The no-break spaces within French numbers. */
const GROUPING = /[\u202f\u00a0]/g;

/**
 * Opens each link with a number in a part of the page, and compares the number with the total of the list behind it.
 * Zeros are skipped: their lists are empty.
 * @param within a selector
 * @param lists the addresses that are lists
 * @returns how many different links there were
 */
export async function numbersLead(page: Page, within: string, lists: RegExp): Promise<number> {
  const links = await page
    .locator(`${within} a`)
    .evaluateAll((all) =>
      all.map((a): [string, string] => [a.textContent ?? '', a.getAttribute('href') ?? '']),
    );
  const numbers = links.flatMap(([text, href]): [number, string][] => {
    const number = Number(/\d+/.exec(text.replaceAll(GROUPING, ''))?.[0] ?? 0);
    return number > 0 && lists.test(href) ? [[number, href]] : [];
  });
  const unique = [...new Map(numbers.map((link) => [JSON.stringify(link), link])).values()];
  const origin = new URL(page.url()).origin;
  for (const [number, href] of unique) {
    await page.goto(origin + href);
    const foot = page
      .locator('.list-foot')
      .first()
      .getByText(/\d+ sur \d+/);
    const total = /sur (\d+)/.exec((await foot.innerText()).replaceAll(GROUPING, ''))?.[1];
    expect([href, total]).toEqual([href, String(number)]);
  }
  return unique.length;
}

/** How long `clickTo` waits, in ms. */
const CLICK_LIMIT_MS = 8_000;

/**
 * Clicks a link of the frame. @returns the ms, by the page's clock, until an element is shown. An element that existed
 * before the click does not count.
 * @param text that it must have
 * @throws Error if it is not shown within 8 s
 */
export async function clickTo(page: Page, path: string, selector: string, text = ''): Promise<number> {
  const ms = await page.evaluate<number | null>(`new Promise((resolve) => {
    const before = new Set(document.querySelectorAll(${JSON.stringify(selector)}));
    const begun = performance.now();
    const isShown = () => [...document.querySelectorAll(${JSON.stringify(selector)})]
      .some((one) => (${JSON.stringify(text)} === '' ? !before.has(one) : one.textContent.trim() === ${JSON.stringify(text)}));
    const look = () => {
      const ms = performance.now() - begun;
      if (isShown()) resolve(ms);
      else if (ms > ${CLICK_LIMIT_MS}) resolve(null);
      else requestAnimationFrame(look);
    };
    document.querySelector('vigie-console nav a[href="${path}"], vigie-console a[href="${path}"]').click();
    look();
  })`);
  if (ms === null)
    throw new Error(`a click on ${path} does not show ${selector} ${text} within ${CLICK_LIMIT_MS} ms`);
  return ms;
}

/** Letters and frequent words that English does not have. */
const FRENCH =
  /[éèêàâçùœ]\w*|\b(le|la|les|des|du|une|pour|dans|avec|est|sur|et|aux|pas|sont|cette?|qui|que|vous)\b/gi;

/** French words in the main part of a page, except in names and texts of others. */
export async function frenchWords(page: Page): Promise<string[]> {
  await page.locator('main h1').waitFor();
  await page.locator('main .skeleton').first().waitFor({ state: 'detached' });
  const text = await page.locator('main').innerText();
  // Names of languages are in their own language.
  return text.replaceAll('Français', '').match(FRENCH) ?? [];
}
