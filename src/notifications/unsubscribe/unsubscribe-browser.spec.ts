import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../../../test/support/browser.js';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { axeViolations } from '../../../test/web/support/console-page.js';
import { UnsubscribeLinks } from '../../auth/unsubscribe-links.js';

/** The page of the link in a mail's footer, in a browser and under its policy. */
let world: World;
let cast: Cast;
let browser: Browser;
let url: string;

beforeAll(async () => {
  world = await createWorld({ env: { VIGIE_PUBLIC_URL: 'https://vigie.example' } });
  cast = await createCast(world);
  await world.app.listen(0, '127.0.0.1');
  browser = await launchBrowser();
  const { tenant_id, teammate } = cast;
  const link = world.app.get(UnsubscribeLinks).url({
    tenant_id,
    user_id: teammate.id,
    channel: 'email',
    kinds: ['deadline_near', 'documents_missing', 'backup_alert'],
  });
  url = `${await world.app.getUrl()}${new URL(link!).pathname}`;
}, 60_000);
afterAll(async () => {
  await browser.close();
  await world.close();
});
beforeEach(() => world.sql('DELETE FROM preferences'));

const off = () => world.sql('SELECT kind FROM preferences WHERE NOT enabled ORDER BY kind');

it('E6: a person without JavaScript keeps one kind, stops the others, and undoes it', async () => {
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  const faults: string[] = [];
  page.on('console', (message) => faults.push(message.text()));
  await page.goto(url);
  expect(await off()).toEqual([]);
  await page.getByLabel('Sauvegardes manquantes ou en échec').uncheck();
  await page.getByRole('button', { name: 'Ne plus les recevoir' }).click();
  await page.getByRole('status').waitFor();
  expect(await off()).toEqual([{ kind: 'deadline_near' }, { kind: 'documents_missing' }]);
  expect(await page.getByRole('checkbox').count()).toBe(1);
  await page.reload();
  await page.getByRole('button', { name: 'Les recevoir de nouveau' }).click();
  await page.getByRole('checkbox').nth(2).waitFor();
  expect(await off()).toEqual([]);
  expect(faults).toEqual([]);
}, 60_000);

it.each([
  ['a phone', 320, 'light'],
  ['a phone at night', 320, 'dark'],
  ['a desk', 1280, 'light'],
] as const)(
  'E6: fits into %s, and can be used by touch',
  async (_where, width, colorScheme) => {
    const context = await browser.newContext({ viewport: { width, height: 640 }, colorScheme });
    const page = await context.newPage();
    await page.goto(url);
    expect(await overflow(page)).toBe(0);
    expect(await axeViolations(page)).toEqual([]);
    await page.getByRole('checkbox').first().uncheck();
    await page.getByRole('button').click();
    await page.getByRole('status').waitFor();
    expect(await overflow(page)).toBe(0);
    expect(await axeViolations(page)).toEqual([]);
    for (const button of await page.getByRole('button').all())
      expect((await button.boundingBox())!.height).toBeGreaterThanOrEqual(44);
    await context.close();
  },
  60_000,
);

/** How far the page is wider than the screen, in pixels. */
const overflow = (page: Page) =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
