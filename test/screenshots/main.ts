import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { type RunningDemo, startDemo } from './demo.js';

/**
 * Takes the pictures of README and docs from a running demo. With `all` it takes every page instead, light and dark, on
 * a phone, a tablet and a desktop, in French and English, into `.pictures/`, to be looked at.
 * Usage: npm run screenshots [-- all]
 */
const DOCS = 'docs/images';
const ALL = '.pictures';
const FIRM = 'cabinet-horizon';
const SCHEMES = ['light', 'dark'] as const;
const WIDTHS = { phone: 360, tablet: 800, desktop: 1_440 } as const;

interface Shot {
  name: string;
  path: string;
  /** The tenant of the person who looks; null: the operator. */
  as: string | null;
}

async function main(all: boolean): Promise<void> {
  const demo = await startDemo();
  const browser = await launchBrowser();
  try {
    if (all) await takeAll(browser, demo);
    else await takeForDocs(browser, demo);
  } finally {
    await browser.close();
    await demo.stop();
  }
}

/** The tenant of the demo that has backups. */
function companyOf({ logins }: RunningDemo): string {
  const slugs = [...new Set(logins.flatMap(({ tenant }) => tenant ?? []))];
  return slugs.at(-1) ?? FIRM;
}

async function takeForDocs(browser: Browser, demo: RunningDemo): Promise<void> {
  const shots: Shot[] = [
    { name: 'console', path: '/', as: FIRM },
    { name: 'due-items', path: '/due-items', as: FIRM },
    { name: 'backups', path: '/backups', as: companyOf(demo) },
    { name: 'operator', path: '/operator', as: null },
  ];
  for (const colorScheme of SCHEMES) {
    const suffix = colorScheme === 'dark' ? '-dark' : '';
    for (const { name, path, as } of shots) {
      const context = await browser.newContext({
        viewport: { width: 1_280, height: 800 },
        colorScheme,
        locale: 'en-GB',
      });
      const page = await signIn(context, demo, as, path);
      await page.screenshot({ path: join(DOCS, `${name}${suffix}.png`) });
      if (name === 'console') {
        await page.locator('vigie-inbox .bell').click();
        await page.locator('vigie-inbox article').first().waitFor();
        await page.screenshot({
          path: join(DOCS, `inbox${suffix}.png`),
          clip: { x: 740, y: 0, width: 540, height: 640 },
        });
      }
      await context.close();
    }
  }
}

/** Every link of the navigation, and the first links of each list. */
async function takeAll(browser: Browser, demo: RunningDemo): Promise<void> {
  await rm(ALL, { recursive: true, force: true });
  await mkdir(ALL, { recursive: true });
  for (const tenant of [FIRM, companyOf(demo), null]) {
    for (const [device, width] of Object.entries(WIDTHS)) {
      for (const colorScheme of SCHEMES) {
        const context = await browser.newContext({
          viewport: { width, height: 900 },
          colorScheme,
          locale: colorScheme === 'dark' ? 'en-GB' : 'fr-FR',
        });
        const page = await signIn(context, demo, tenant, tenant === null ? '/operator' : '/');
        for (const path of await pathsFrom(page)) {
          await page.goto(demo.url + path);
          await settled(page);
          const name = `${tenant ?? 'operator'}${path.replace(/[/?=&]+/g, '_')}`.slice(0, 80);
          await page.screenshot({ path: join(ALL, `${name}.${device}.${colorScheme}.png`), fullPage: true });
        }
        await context.close();
      }
    }
  }
}

async function pathsFrom(page: Page): Promise<string[]> {
  const hrefs = await page
    .locator('nav a')
    .evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''));
  const paths = new Set(hrefs.filter((href) => href.startsWith('/')));
  for (const path of [...paths]) {
    await page.goto(new URL(path, page.url()).href);
    await settled(page);
    const inside = await page
      .locator('main a')
      .evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''));
    // One page of each kind.
    const seen = new Set<string>();
    for (const href of inside.filter((each) => each.startsWith('/') && !each.includes('?'))) {
      const kind = href.replace(/[0-9a-f-]{20,}/g, ':id').replace(/(templates)\/.*/, '$1/:kind');
      if (!seen.has(kind)) paths.add(href);
      seen.add(kind);
    }
  }
  return [...paths];
}

async function signIn(
  context: BrowserContext,
  { url, logins }: RunningDemo,
  tenant: string | null,
  path: string,
): Promise<Page> {
  const login = logins.find((each) => each.tenant === tenant);
  if (login === undefined) throw new Error(`the demo has no login for ${tenant ?? 'the operator'}`);
  const answer = await context.request.post(`${url}/api/v1/auth/session`, {
    data: { email: login.email, password: login.password, ...(tenant === null ? {} : { tenant }) },
    headers: { origin: url },
  });
  if (!answer.ok()) throw new Error(`sign-in answered ${answer.status()}: ${await answer.text()}`);
  const page = await context.newPage();
  await page.goto(url + path);
  await settled(page);
  return page;
}

/** No request is under way, and no skeleton is shown. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle');
  await page.locator('main .skeleton').first().waitFor({ state: 'detached', timeout: 10_000 });
}

await main(process.argv.includes('all'));
