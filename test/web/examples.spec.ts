import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { addPerson, type Cast, createCast } from '../support/cast.js';
import { until } from '../support/until.js';
import { createWorld, type World } from '../support/world.js';
import { notify } from '../../src/notifications/alerts/notify.fixture.js';
import { ROOT } from '../rules/sources.js';

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'";
const TYPES: Record<string, string> = { html: 'text/html', js: 'text/javascript', css: 'text/css' };

let world: World;
let cast: Cast;
let browser: Browser;
let url: string;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  await world.app.listen(0, '127.0.0.1');
  url = await world.app.getUrl();
  browser = await launchBrowser();
}, 60_000);
afterAll(async () => {
  await browser.close();
  await world.close();
});

/** Builds an example. @returns the folder of its files. */
async function build(name: string): Promise<string> {
  const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
  const args = ['build', '--config', 'examples/vite.config.mjs', '--mode', name, '--logLevel', 'warn'];
  // With the tests' NODE_ENV, Vite would make a development build.
  await promisify(execFile)(process.execPath, [vite, ...args], {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: 'production' },
  });
  return join(ROOT, 'node_modules/.cache/examples', name);
}

// Plain HTML needs no build: the files are opened as they are.
it.each(['html', 'react', 'vue'])(
  'V10: the example in %s has a bell, gets its token and events, and keeps to the policy',
  async (name) => {
    const folder = name === 'html' ? join(ROOT, 'examples/html') : await build(name);
    const person = await addPerson(world, cast.tenant_id, { name });
    await notify(world, person, { title: 'Première' });
    const context = await browser.newContext({ locale: 'fr-FR' });
    const faults: string[] = [];
    try {
      await context.route(`${url}/example/**`, (route) => {
        const path = new URL(route.request().url()).pathname.slice('/example/'.length) || 'index.html';
        const contentType = TYPES[path.split('.').at(-1)!] ?? 'application/octet-stream';
        const headers = { 'content-security-policy': POLICY };
        return route.fulfill({ body: readFileSync(join(folder, path)), contentType, headers });
      });
      let asked = 0;
      await context.route(`${url}/vigie-token`, (route) => {
        asked++;
        return route.fulfill({ body: person.token });
      });
      const page = await context.newPage();
      page.setDefaultTimeout(10_000);
      page.on('pageerror', (error) => faults.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
      });
      await page.goto(`${url}/example/`);
      const status = (text: string) =>
        until(text, async () => (await page.locator('#status').innerText()) === text);
      await status('1 à lire');
      await notify(world, person, { title: 'Seconde' });
      await status('2 à lire');
      if (name === 'html') expect(await page.title()).toBe('(2) Cabinet Martin');
      else await until('the event', async () => (await page.locator('#last').innerText()) === 'Seconde');
      await page.locator('vigie-inbox .bell').click();
      const item = page.locator('vigie-inbox article', { hasText: 'Première' });
      await item.getByRole('button', { name: 'Première' }).click();
      await status('1 à lire');
      if (name !== 'html') await page.locator('vigie-inbox .tabs', { hasText: 'Sauvegardes' }).waitFor();
      // Rendering again does not connect again.
      expect(asked).toBe(1);
      expect(faults).toEqual([]);
    } finally {
      await context.close();
    }
  },
  60_000,
);
