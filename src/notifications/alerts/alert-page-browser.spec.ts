import type { Browser } from 'playwright-core';
import { launchBrowser } from '../../../test/support/browser.js';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { axeViolations, contrastFaults, overflow } from '../../../test/web/support/console-page.js';
import { AlertLinks } from '../../auth/alert-links.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';

/** The page of a link in a mail, in a browser and under its policy. */
let world: World;
let cast: Cast;
let browser: Browser;

beforeAll(async () => {
  world = await createWorld({ clock: new FixedClock('2026-03-30T07:00:00Z') });
  cast = await createCast(world);
  await world.app.listen(0, '127.0.0.1');
  browser = await launchBrowser();
}, 60_000);
afterAll(async () => {
  await browser.close();
  await world.close();
});

it('V16: a person without JavaScript presses the button, reads what happened, and undoes it', async () => {
  const { tenant_id, teammate } = cast;
  await world.sql(
    `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, 'TVA CA3', '2026-04-04', $2)`,
    [tenant_id, teammate.id],
  );
  await runJob(world, tenant_id, 'check-notifications');
  const [notification] = await world.sql<{ id: string }>('SELECT id FROM notifications');
  const link = new URL(world.app.get(AlertLinks).url({ tenant_id, notification_id: notification!.id }));
  const acknowledged = () => world.sql('SELECT acknowledged_by FROM alerts');

  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  const faults: string[] = [];
  page.on('console', (message) => faults.push(message.text()));
  await page.goto(`${await world.app.getUrl()}${link.pathname}`);
  expect(await page.getByRole('heading').textContent()).toBe('TVA CA3, échéance dans 5 jours');
  await page.getByRole('button', { name: 'C’est traité' }).click();
  await page.getByRole('status').waitFor();
  expect(await page.getByRole('status').textContent()).toContain('Marqué comme traité par Bob');
  expect(await acknowledged()).toEqual([{ acknowledged_by: teammate.id }]);
  await page.reload();
  await page.getByRole('button', { name: 'Annuler' }).click();
  await page.getByRole('button', { name: 'C’est traité' }).waitFor();
  expect(await acknowledged()).toEqual([{ acknowledged_by: null }]);
  expect(faults).toEqual([]);

  // On a phone, before and after the act. Scripts are on, because axe is one.
  const phone = await browser.newPage({ viewport: { width: 360, height: 640 } });
  await phone.goto(page.url());
  expect(await axeViolations(phone)).toEqual([]);
  await phone.getByRole('button', { name: 'C’est traité' }).click();
  await phone.getByRole('status').waitFor();
  expect(await axeViolations(phone)).toEqual([]);
  expect(await contrastFaults(phone, 'dark')).toEqual([]);
  expect(await overflow(phone)).toBe(0);
}, 60_000);
