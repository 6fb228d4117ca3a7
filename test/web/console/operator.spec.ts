import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchBrowser } from '../../support/browser.js';
import type { Cast } from '../../support/cast.js';
import { until } from '../../support/until.js';
import { createWorld, type World } from '../../support/world.js';
import { CaughtMailFolder } from '../../../src/ops/caught-mails/caught-mail-folder.js';
import {
  axeViolations,
  contrastFaults,
  headingFocused,
  frenchWords,
  type ConsoleTab,
  numbersLead,
  openConsole,
  overflow,
  signInByCookie,
} from '../support/console-page.js';
import { HOSTILE, operatorScene } from './operator.fixture.js';

const PATHS = [
  '/operator',
  '/operator/runs',
  '/operator/runs/cabinet-martin?job=process-reminders',
  '/operator/runs/cabinet-martin/process-reminders',
  '/operator/deliveries',
  '/operator/queues',
  '/operator/queues/mail?state=failed',
  '/operator/connections',
  '/operator/mails',
  '/operator/tenants',
  '/operator/audit',
  '/why?tenant=cabinet-martin&address=nobody%40example.com',
  '/preview?tenant=cabinet-martin',
];

let folder: string;
let world: World;
let cast: Cast;
let browser: Browser;
let url: string;
let context: BrowserContext;
let tab: ConsoleTab;
let page: Page;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vigie-caught-'));
  world = await createWorld({
    env: {
      CAUGHT_MAILS_DIR: folder,
      SCHEDULER_ENABLED: 'true',
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: '9',
      SMTP_FROM_EMAIL: 'v@x.example',
    },
  });
  cast = await operatorScene(world);
  await world.app.listen(0, '127.0.0.1');
  url = (await world.app.getUrl()).replace(/\/$/, '');
  browser = await launchBrowser();
  context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'fr-FR' });
  context.setDefaultTimeout(15_000);
  await signInByCookie(context, url, { ...cast.operator, tenant: null });
  tab = await openConsole(context, url);
  ({ page } = tab);
}, 120_000);
afterEach(() => expect(tab.faults).toEqual([]));
afterAll(async () => {
  await browser.close();
  await world.close();
  rmSync(folder, { recursive: true });
});

const heading = (name: string | RegExp) => page.getByRole('heading', { level: 1, name }).waitFor();
const tabs = () => page.getByRole('navigation', { name: 'Parties de l’exploitation' });
const row = (name: string | RegExp) =>
  page.getByRole('row').filter({ has: page.getByRole('rowheader', { name }) });
const confirm = (name: string) => page.locator('dialog[open]').getByRole('button', { name, exact: true });
const toast = (text: string | RegExp) => page.locator('.toast').getByText(text).waitFor();
const open = async (path: string) => {
  await page.goto(url + path);
  await page.locator('main h1').waitFor();
  await until('no skeleton', async () => (await page.locator('.skeleton').count()) === 0);
};
const isPaused = async (channel: string) =>
  (await world.sql<{ paused: boolean }>('SELECT paused FROM channels WHERE channel = $1', [channel]))[0]!
    .paused;

test('an operator lands on what is wrong, and each number leads to what it counts', async () => {
  await heading('Exploitation');
  await page.getByText('La file E-mails a du travail dû et aucun processus pour le faire.').waitFor();
  await page.getByText('Aucun planificateur n’a encore fonctionné', { exact: false }).waitFor();
  expect(await page.title()).toMatch(/^\(\d+\) Exploitation/);
  await page.locator('vigie-chart canvas').waitFor();
  // Seven failed and three uncertain ones of sixty.
  const figure = (name: string) => page.locator('.figures div').filter({ hasText: name });
  expect(await figure('Envois échoués, 24 heures').innerText()).toMatch(
    /17\s%\s*échecs\s: 7, incertains\s: 3, sur 60/,
  );
  expect(await figure('Plus ancien travail dû').innerText()).toMatch(/\d+\s(s|min)\s*E-mails/);
  await page.locator('.figures a').first().click();
  await heading('File : E-mails');
  await page.getByRole('cell', { name: 'E-mails' }).first().waitFor();
  await page.goBack();
  await heading('Exploitation');
  await tabs().getByRole('link', { name: 'Envois' }).click();
  await heading('Envois');
  await headingFocused(page);
  await page.goBack();
  await heading('Exploitation');
  await page.goForward();
  await heading('Envois');
}, 60_000);

test('each channel that goes down is announced on every page, and counts in the title', async () => {
  const own = await browser.newContext({ locale: 'fr-FR' });
  await own.clock.install();
  await signInByCookie(own, url, { ...cast.operator, tenant: null });
  const { page: other, faults } = await openConsole(own, url, '/operator/tenants');
  const count = async () => Number(/^\((\d+)\)/.exec(await other.title())?.[1]);
  const before = await until('the number of problems', async () => (await count()) || null);
  expect(await other.locator('.toast').count()).toBe(0);
  try {
    await world.sql(
      `UPDATE channels SET down_since = now(), down_cause = 'login', next_probe_at = now() + interval '1 day'
       WHERE channel IN ('email', 'sms')`,
    );
    await own.clock.runFor(15_000);
    const toasts = other.locator('.toast');
    await toasts.getByText(/E-mail\s: connexion refusée/).waitFor();
    await toasts.getByText(/SMS\s: connexion refusée/).waitFor();
    await until('two more', async () => (await count()) === before + 2);
    await toasts.getByRole('button', { name: 'Voir' }).click();
    await other.getByRole('heading', { level: 1, name: 'Exploitation' }).waitFor();
  } finally {
    await world.sql(
      `UPDATE channels SET down_since = NULL, down_cause = NULL, next_probe_at = NULL WHERE channel IN ('email', 'sms')`,
    );
  }
  expect(faults).toEqual([]);
  await own.close();
});

test('the chart has its numbers in a table beside it, and uPlot is loaded with the first chart only', async () => {
  const requests: string[] = [];
  const note = (request: { url(): string }) => requests.push(request.url());
  page.on('request', note);
  await open('/operator/queues');
  expect(requests.filter((one) => /plot-[\w-]+\.js$/.test(one))).toEqual([]);
  await tabs().getByRole('link', { name: 'Envois' }).click();
  await page.locator('vigie-chart canvas').waitFor();
  expect(requests.filter((one) => /plot-[\w-]+\.js$/.test(one))).toHaveLength(1);
  page.off('request', note);
  await page.getByText('En tableau').click();
  const table = page.getByRole('table', { name: 'Envois par résultat' });
  expect(await table.getByRole('row').count()).toBe(26);
  const rows = (await table.getByRole('row').allInnerTexts()).slice(1);
  const sums = rows
    .map((text) => text.split('\t').slice(1).map(Number))
    .reduce((all, counts) => all.map((sum, at) => sum + counts[at]!));
  expect(sums).toEqual([50, 7, 3]);
  // Failures by cause: one cause, whatever the address and the id in the answer.
  const dead = row('550 5.1.1 … no such user …');
  expect(await dead.getByRole('cell').allInnerTexts()).toEqual([
    '7',
    'E-mail',
    '2',
    expect.any(String),
    expect.stringMatching(/Relancer\s+Abandonner/),
  ]);
  await page.getByLabel('Canal').selectOption('sms');
  await page.getByText('Aucun envoi ne s’est terminé dans cette période.', { exact: false }).waitFor();
  expect(new URL(page.url()).search).toBe('?channel=sms');
}, 60_000);

test('the timeline shows what ran, failed, was caught up and missed, by shape and word', async () => {
  await open('/operator/runs?job=process-reminders');
  const martin = row('Cabinet Martin');
  const strip = martin.locator('svg.strip');
  expect(await strip.getAttribute('aria-label')).toMatch(
    /^Manquée 2, Échouée 1, Rattrapée 1, Faite 19, Prévue \d+$/,
  );
  expect(await strip.locator('title').allTextContents()).toContainEqual(expect.stringMatching(/· Manquée$/));
  expect(await page.locator('.legend.marks li').allInnerTexts()).toEqual([
    'Manquée',
    'Échouée',
    'Rattrapée',
    'Annulée',
    'En cours',
    'Faite',
    'Prévue',
  ]);
  // Each number links to the runs and slots that it counts.
  for (const [mark, count] of [
    ['missed', 2],
    ['caught_up', 1],
    ['ran', 19],
    ['failed', 1],
  ] as const) {
    await martin.locator(`a[href$="mark=${mark}"]`).click();
    await heading('Rappels : cabinet-martin');
    await page.getByText(`${count} sur ${count}`, { exact: false }).waitFor();
    if (mark === 'caught_up') await page.getByText('40 min de retard').waitFor();
    if (mark !== 'failed') await page.goBack();
  }
  await page.getByText('the folder is not mounted').waitFor();
  await page.getByRole('link', { name: 'Toutes les exécutions' }).click();
  await heading('Exécutions : cabinet-martin');
  expect(new URL(page.url()).search).toBe('?job=process-reminders');
  await page.getByText('the folder is not mounted').waitFor();
  const trigger = page.getByRole('button', { name: 'Exécuter' });
  await trigger.dblclick();
  await confirm('Exécuter').click();
  await toast('L’exécution est dans la file d’attente.');
  const [{ count } = { count: 0 }] = await world.sql<{ count: string }>(
    'SELECT count(*) FROM job_runs WHERE slot IS NULL',
  );
  expect(Number(count)).toBe(1);
}, 60_000);

test('each count of the overview, of queues, tenants and failures links to the list that it counts', async () => {
  const lists = /^\/operator\/queues\/.*\?/;
  const count = (n: number) => page.getByText(new RegExp(`\\b${n} sur ${n}\\b`)).waitFor();
  try {
    await world.sql(
      `UPDATE deliveries d SET due_at = now() + interval '1 hour', defer_reason = ($1::text[])[o.place]
       FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM deliveries WHERE state = 'pending') o
       WHERE d.id = o.id AND o.place <= 2`,
      [['quiet_hours', 'user_paused']],
    );
    // Of the seven failures of one cause one was too old, and of one no answer was recorded.
    await world.sql(
      `UPDATE deliveries d SET reason = CASE WHEN o.place = 1 THEN 'expired' END, error = CASE WHEN o.place <> 2 THEN d.error END
       FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM deliveries WHERE state = 'failed') o
       WHERE d.id = o.id`,
    );
    await open('/operator/deliveries');
    expect(await numbersLead(page, 'main', lists)).toBe(3);
    await open('/operator/queues');
    // Waiting, deferred, sent and failed of the mails; waiting, done and failed of the checks.
    expect(await numbersLead(page, 'main', lists)).toBe(7);
    await open('/operator/tenants');
    expect(await numbersLead(page, 'main', lists)).toBe(6);
    for (const [table, ended] of [
      ['deliveries', 'ended_at'],
      ['job_runs', 'finished_at'],
    ])
      await world.sql(
        `UPDATE ${table} SET ${ended} = now() - interval '10 minutes'
         WHERE id IN (SELECT id FROM ${table} WHERE state = 'failed' LIMIT 1)`,
      );
    await open('/operator');
    // Failed in the last hour; failed and uncertain in the last day.
    expect(await numbersLead(page, ':is(.problems, .figures small)', lists)).toBe(5);

    // Filters combine, and offer all reasons, including those of no row.
    await open('/operator/queues/mail?state=delayed');
    await count(2);
    const reason = page.getByLabel('Motif');
    expect(await reason.locator('option').count()).toBeGreaterThan(10);
    await reason.selectOption('quiet_hours');
    await page.waitForURL(/reason=quiet_hours/);
    await count(1);
    await reason.selectOption('none');
    await page.getByText('Aucun travail correspondant', { exact: false }).waitFor();
    await page.getByLabel('Motif').selectOption('');
    await count(2);
    await page.getByLabel('Au', { exact: true }).fill('2020-01-01');
    await page.getByText('Aucun travail correspondant', { exact: false }).waitFor();
    // "All" shows every reason of a cause.
    await open('/operator/deliveries');
    await row(/^Trop ancien 550/)
      .getByRole('link')
      .click();
    await count(1);
    await page.getByLabel('Motif').selectOption('');
    await count(6);
    await page.getByLabel('Motif').selectOption('none');
    await count(5);
    // Sent deliveries have neither cause nor reason.
    await page.getByLabel('État').selectOption('completed');
    await count(50);
  } finally {
    await world.sql(`UPDATE deliveries SET due_at = now(), defer_reason = NULL WHERE state = 'pending'`);
    await world.sql(
      `UPDATE deliveries SET reason = NULL, error = coalesce(error, '550 5.1.1 <p@example.com>: no such user')
       WHERE state = 'failed'`,
    );
  }
}, 60_000);

test('the work of all channels is listed, even while the state of the queues cannot be read', async () => {
  await page.route('**/api/v1/admin/queues', (route) => route.abort());
  try {
    await open('/operator/queues/deliveries?state=failed');
    await heading('Envois de tous les canaux');
    const table = page.getByRole('table', { name: 'Envois de tous les canaux' });
    await table.getByRole('row').nth(7).waitFor();
  } finally {
    await page.unroute('**/api/v1/admin/queues');
  }
});

test('queues are paused, resumed, retried and emptied, each once, after a confirmation with its number', async () => {
  await open('/operator/queues');
  await page.getByText('Les files de Bull sont donc presque toujours vides', { exact: false }).waitFor();
  expect(await page.getByRole('link', { name: 'Ouvrir Bull Board' }).getAttribute('href')).toBe(
    '/ops/queues',
  );
  const mail = row('E-mails');
  await mail.getByRole('button', { name: /^Pause/ }).click();
  expect(await page.locator('dialog[open] p').first().innerText()).toContain('en attente ou différé (4)');
  await page.locator('dialog[open]').getByRole('button', { name: 'Annuler' }).click();
  expect(await isPaused('email')).toBe(false);
  await mail.getByRole('button', { name: /^Pause/ }).dblclick();
  await confirm('Pause').dblclick();
  await toast(/E-mails\s: en pause/);
  await mail.getByText('En pause').waitFor();
  expect(await isPaused('email')).toBe(true);
  await mail.getByRole('button', { name: /^Reprendre/ }).click();
  await mail.getByText('En marche').waitFor();
  await mail.getByRole('button', { name: /^Relancer/ }).click();
  await confirm('Relancer').click();
  await toast('Relancés : 7.');
  await mail.getByRole('button', { name: /^Vider/ }).click();
  expect(await page.locator('dialog[open] p').first().innerText()).toContain('11');
  await confirm('Vider').click();
  await toast('Annulés : 11 ; encore en attente ou différés : 0.');
}, 60_000);

test('tenants are found, added with faults in place, edited and suspended; hostile names stay text', async () => {
  await open('/operator/tenants');
  await page.getByPlaceholder('Nom ou nom court').fill('png.exe');
  await page.getByText('Aucune organisation ne correspond à ces filtres.').waitFor();
  await page.getByPlaceholder('Nom ou nom court').fill('hostile');
  await page.getByText('1 sur 1', { exact: false }).waitFor();
  expect(await page.locator('table .clamp').innerText()).toContain('<img src=x onerror=alert(1)>');
  expect(await page.locator('table img').count()).toBe(0);
  await page.getByRole('button', { name: `Suspendre, ${HOSTILE}` }).dblclick();
  await confirm('Suspendre').click();
  await page.getByText('Suspendue', { exact: true }).last().waitFor();
  const state = () =>
    world.sql<{ name: string; suspended: boolean }>(
      `SELECT name, suspended_at IS NOT NULL AS suspended FROM tenants WHERE slug IN ('hostile', 'nouveau') ORDER BY slug`,
    );
  expect((await state())[0]).toEqual({ name: HOSTILE, suspended: true });
  await page.getByRole('link', { name: 'Effacer les filtres' }).click();

  await page.getByRole('button', { name: 'Ajouter une organisation' }).click();
  const dialog = page.locator('dialog[open]');
  const submit = dialog.getByRole('button', { name: 'Ajouter une organisation' });
  expect(await axeViolations(page)).toEqual([]);
  expect(await contrastFaults(page, 'dark')).toEqual([]);
  await page.emulateMedia({ colorScheme: 'light' });
  await dialog.getByLabel('Nom', { exact: true }).fill('Cabinet Nouveau');
  await dialog.getByLabel(/^Nom court/).fill('cabinet-martin');
  await submit.click();
  await dialog.getByText('Ce nom court est déjà pris.').waitFor();
  expect(await page.evaluate<string>('document.activeElement.name')).toBe('slug');
  await dialog.getByLabel(/^Nom court/).fill('nouveau');
  await submit.dblclick();
  await toast('Organisation enregistrée\u00a0: Cabinet Nouveau.');
  await page.getByRole('button', { name: 'Modifier, Cabinet Nouveau' }).click();
  await dialog.getByLabel('Nom', { exact: true }).fill('Cabinet Neuf');
  await dialog.getByLabel(/^Messages par canal et heure/).fill('beaucoup');
  await dialog.getByRole('button', { name: 'Enregistrer' }).click();
  await dialog.locator('[aria-invalid=true]').waitFor();
  expect(await page.evaluate<string>('document.activeElement.name')).toBe('limit_per_hour');
  await dialog.getByLabel(/^Messages par canal et heure/).fill('50');
  await dialog.getByRole('button', { name: 'Enregistrer' }).click();
  await toast('Organisation enregistrée\u00a0: Cabinet Neuf.');
  expect((await state())[1]).toEqual({ name: 'Cabinet Neuf', suspended: false });
  await open('/operator/audit');
  await page.getByRole('row').nth(1).getByText('Vous').waitFor();
}, 90_000);

test('by keyboard alone: from the tabs to a paused queue and back', async () => {
  await world.sql(`UPDATE channels SET paused = false WHERE channel = 'sms'`);
  await open('/operator');
  const press = async (key: string, isThere: () => Promise<boolean>) => {
    for (let n = 0; n < 80 && !(await isThere()); n += 1) await page.keyboard.press(key);
    expect(await isThere()).toBe(true);
  };
  const isOn = (name: string) => () =>
    page.evaluate<boolean>(
      `(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim().startsWith(${JSON.stringify(name)})`,
    );
  await press('Tab', isOn('Files'));
  await page.keyboard.press('Enter');
  await heading('Files');
  await page.getByRole('button', { name: /^Pause, SMS/ }).waitFor();
  await press('Tab', isOn('Pause, SMS'));
  await page.keyboard.press('Enter');
  await page.locator('dialog[open]').waitFor();
  await page.keyboard.press('Escape');
  expect(await isOn('Pause, SMS')()).toBe(true);
  await page.keyboard.press('Enter');
  // The button behind the dialog has the same first word.
  await page.locator('dialog[open]').waitFor();
  await press('Tab', isOn('Pause'));
  await page.keyboard.press('Enter');
  await row('SMS').getByText('En pause').waitFor();
  expect(await isPaused('sms')).toBe(true);
}, 60_000);

test('at 360 px: from the tabs to a paused queue and back', async () => {
  await world.sql(`UPDATE channels SET paused = true WHERE channel = 'sms'`);
  await page.setViewportSize({ width: 360, height: 780 });
  await open('/operator');
  await tabs().getByRole('link', { name: 'Files' }).click();
  await heading('Files');
  await page.getByRole('button', { name: 'Reprendre, SMS' }).click();
  await page.getByRole('button', { name: 'Pause, SMS' }).click();
  expect(await overflow(page)).toBe(0);
  await confirm('Pause').click();
  await page.getByRole('button', { name: 'Reprendre, SMS' }).click();
  await until('the queue', async () => !(await isPaused('sms')));
  await page.setViewportSize({ width: 1440, height: 900 });
}, 60_000);

test('caught mails are listed and shown in a frame that runs nothing', async () => {
  await new CaughtMailFolder(folder).keep({
    from: 'vigie@vigie.example',
    to: ['claire@example.com'],
    subject: HOSTILE,
    html: `<p style="color: #123456" onclick="alert(1)">Bonjour</p><script>parent.hacked = true</script><img src="http://127.0.0.1:9/x.png">`,
    text: 'Bonjour en texte',
    headers: { 'auto-submitted': 'auto-generated' },
    received_at: new Date(),
  });
  await open('/operator/connections');
  expect(await row('PostgreSQL (application)').innerText()).toMatch(/Fonctionne\s+[\d,]+\sms/);
  expect(await row('Serveur d’e-mail').innerText()).toContain('En panne');
  await page.getByRole('link', { name: 'E-mails interceptés' }).click();
  await heading('E-mails interceptés');
  await row('claire@example.com').getByRole('link').click();
  const frame = page.frameLocator('vigie-mail-frame iframe');
  await frame.getByText('Bonjour').waitFor();
  const styled = frame.getByText('Bonjour');
  expect(await styled.evaluate((node: { style: { color: string } }) => node.style.color)).toBe(
    'rgb(18, 52, 86)',
  );
  expect(await page.evaluate('window.hacked')).toBeUndefined();
  expect(await axeViolations(page)).toEqual([]);
  await page.setViewportSize({ width: 360, height: 900 });
  expect(await overflow(page)).toBe(0);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole('button', { name: 'Texte' }).click();
  await page.getByText('Bonjour en texte').waitFor();
  await page.getByRole('button', { name: 'En-têtes' }).click();
  await page.getByText('auto-generated').waitFor();
  await page.goto(`${url}/operator/mails/20260302T080001250Z-00000000`);
  await heading('Cet e-mail n’est pas ici');
}, 60_000);

test('E13: an operator asks why somebody of a tenant got a message', async () => {
  await open('/why');
  await page.getByLabel(/^Organisation/).selectOption('cabinet-martin');
  await page.getByLabel('Adresse').fill(cast.teammate.email);
  await page.getByRole('button', { name: 'Expliquer' }).click();
  await page.locator('.why-answer .verdict').first().waitFor();
  const { searchParams } = new URL(page.url());
  expect([searchParams.get('tenant'), searchParams.get('address')]).toEqual([
    'cabinet-martin',
    cast.teammate.email,
  ]);
  // Pages of the tenant's people are closed to operators.
  expect(await page.locator('.why-answer a:not([href^="/operator"])').count()).toBe(0);
}, 60_000);

test('every page: no fault of axe in light and dark, nothing sideways at 360 px, little shift', async () => {
  const found: string[] = [];
  for (const [colorScheme, width] of [
    ['light', 1440],
    ['dark', 360],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    for (const path of PATHS) {
      await open(path);
      await page.locator('vigie-chart canvas, table, .empty, .why-answer .card').first().waitFor();
      const faults = await axeViolations(page);
      found.push(...faults.map((one) => `${path} ${colorScheme}: ${one}`));
      const sideways = await overflow(page);
      if (sideways > 0) found.push(`${path} ${width}: scrolls by ${sideways} px`);
      const shift = await page.evaluate<number>('window.shift');
      if (shift > 0.02) found.push(`${path} ${width}: shifts by ${shift}`);
    }
  }
  expect(found).toEqual([]);
}, 180_000);

test('V20: the search in the frame finds tenants', async () => {
  await open('/operator');
  await page.getByRole('searchbox', { name: 'Rechercher une organisation' }).fill('cabinet-mar');
  await page.keyboard.press('Enter');
  await heading('Organisations');
  await until('the tenant alone', async () => (await page.locator('main tbody tr').count()) === 1);
  expect(await page.locator('main tbody tr').innerText()).toContain('cabinet-martin');
  expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/operator/tenants?q=cabinet-mar');
});

test('every page is in English for an operator with an English browser', async () => {
  const own = await browser.newContext({ locale: 'en-GB' });
  await signInByCookie(own, url, { ...cast.operator, tenant: null });
  const english = await openConsole(own, url, '/account');
  const found: [string, string[]][] = [];
  for (const path of ['/account', ...PATHS]) {
    await english.page.goto(url + path);
    found.push([path, await frenchWords(english.page)]);
  }
  expect(found.filter(([, words]) => words.length > 0)).toEqual([]);
  expect(english.faults).toEqual([]);
  await own.close();
}, 60_000);

test('E13: the failures of a cause are given up with a reason, after a confirmation with their number', async () => {
  await world.sql(
    `UPDATE deliveries SET state = 'failed', ended_at = now(), sent_at = NULL, error = '552 5.2.2 Mailbox full'
     WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM deliveries WHERE state = 'sent' LIMIT 3)`,
  );
  await open('/operator/deliveries');
  const dead = row('552 5.2.2 Mailbox full');
  await dead.getByRole('button', { name: 'Abandonner' }).click();
  await page.locator('dialog[open]').getByText('3 envois de cette cause').waitFor();
  expect(await axeViolations(page)).toEqual([]);
  // Without a reason nothing happens.
  await confirm('Abandonner').click();
  await page.locator('dialog[open]').getByLabel('Motif').fill('le client est parti');
  await confirm('Abandonner').click();
  await toast(/^Abandonnés.: 3 sur 3\.$/);
  await dead.waitFor({ state: 'detached' });
  const events = await world.sql(
    `SELECT count(*)::int AS count FROM delivery_events WHERE reason = 'discarded' AND error = 'le client est parti'`,
  );
  expect(events).toEqual([{ count: 3 }]);
}, 60_000);
