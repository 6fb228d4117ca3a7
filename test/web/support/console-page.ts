import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, ConsoleMessage, Page } from 'playwright-core';
import { ROOT } from '../../rules/sources.js';

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

/** Presses Tab until an element with this name has the focus. @param keys the most presses */
export async function tabTo(page: Page, name: RegExp, keys = 120): Promise<void> {
  for (let pressed = 0; pressed < keys; pressed += 1) {
    await page.keyboard.press('Tab');
    if (name.test(await focused(page))) return;
  }
  throw new Error(`no Tab reaches ${String(name)}`);
}
