import type { Browser, BrowserContext, Page } from 'playwright-core';
import { Receiver } from '../../../src/delivery/channels/webhook/receiver.fixture.js';
import { LOCAL_RECEIVERS } from '../../../src/delivery/channels/webhook/webhooks.fixture.js';
import { launchBrowser } from '../../support/browser.js';
import { type Cast, createCast, type Person } from '../../support/cast.js';
import { insertRow } from '../../support/rows.js';
import { until } from '../../support/until.js';
import { createWorld, type World } from '../../support/world.js';
import {
  axeViolations,
  contrastFaults,
  focused,
  type ConsoleTab,
  openConsole,
  overflow,
  signInByCookie,
  tabTo,
} from '../support/console-page.js';

// A busy machine renders slowly; nothing here measures time.
jest.setTimeout(90_000);

/** Markup, a right-to-left override, and a word that breaks nowhere. */
const HOSTILE = `<img src=x onerror="window.hacked=1">\u202e${'W'.repeat(120)}`;
const DAY_MS = 86_400_000;

let world: World;
let cast: Cast;
let browser: Browser;
let receiver: Receiver;
let url: string;
let context: BrowserContext;
let tab: ConsoleTab;

beforeAll(async () => {
  world = await createWorld({ env: { ...LOCAL_RECEIVERS, API_REQUESTS_PER_MINUTE: '0' } });
  cast = await createCast(world);
  receiver = await Receiver.start();
  await world.app.listen(0, '127.0.0.1');
  url = (await world.app.getUrl()).replace(/\/$/, '');
  browser = await launchBrowser();
}, 60_000);
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'fr-FR' });
  context.setDefaultTimeout(20_000);
});
afterEach(async () => {
  const { faults } = tab;
  await context.close();
  expect(faults).toEqual([]);
});
afterAll(async () => {
  await browser.close();
  await receiver.close();
  await world.close();
});

/** Opens a page, signed in as an admin by default. */
async function open(path: string, { email, password }: Person = cast.admin): Promise<Page> {
  await signInByCookie(context, url, { email, password, tenant: cast.tenant.slug });
  tab = await openConsole(context, url, path);
  return tab.page;
}
const heading = (page: Page, name: string | RegExp) =>
  page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true });
const confirm = (page: Page, name: string) =>
  page.locator('dialog.confirm').getByRole('button', { name }).click();
const api = async (method: string, path: string, body?: unknown) =>
  (await world.http(method, `/api/v1/${path}`, { token: cast.admin.token, body })).body;
const settings = () => api('GET', 'tenant/settings');
/** Axe finds nothing, in light and dark. */
async function isAccessible(page: Page): Promise<void> {
  expect(await axeViolations(page)).toEqual([]);
  expect(await contrastFaults(page, 'dark')).toEqual([]);
  await page.emulateMedia({ colorScheme: 'light' });
}
const requestsTo = (page: Page, method: string, path: RegExp) => {
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() === method && path.test(request.url())) sent.push(request.url());
  });
  return sent;
};

describe('V10: general settings', () => {
  it('are saved once by a double click, and keep what somebody else has saved meanwhile', async () => {
    const page = await open('/settings');
    await heading(page, 'Réglages');
    await page.getByLabel('Horaires d’envoi').selectOption({ label: 'Seulement à ces heures' });
    await page.getByLabel('samedi').check();
    await page.getByLabel('À', { exact: true }).fill('00:00');
    await page.getByLabel('Destinataires des incidents').fill('astreinte@example.com\nchef@example.com');
    await page.getByLabel('Échéances par SMS').selectOption({ label: 'Oui' });
    await page.getByText('3 modifications non enregistrées').waitFor();
    await api('PUT', 'tenant/settings', { ...(await settings()), bundling: 'single' });
    const sent = requestsTo(page, 'PUT', /tenant\/settings$/);
    await button(page, 'Enregistrer').dblclick();
    await page.getByText('Enregistré.').waitFor();
    expect(sent).toHaveLength(1);
    expect(await settings()).toMatchObject({
      operating_hours: { days: [1, 2, 3, 4, 5, 6], from: '08:00', to: '24:00' },
      alert_recipients: ['astreinte@example.com', 'chef@example.com'],
      bundling: 'single',
    });
    const { preferences } = await api('GET', 'tenant/preferences');
    expect(preferences).toContainEqual(
      expect.objectContaining({ kind: 'deadline_near', channel: 'sms', enabled: true, source: 'tenant' }),
    );
    expect(await button(page, 'Enregistrer').count()).toBe(0);
  });

  it('show each fault at its field, also one that only the server finds', async () => {
    const page = await open('/settings');
    await page.getByLabel('Échéances', { exact: true }).fill('7, bientôt');
    await page.getByText('Des nombres entiers de -365 à 365').waitFor();
    await button(page, 'Enregistrer').click();
    await until('the focus', () => page.evaluate('document.activeElement.name === "/stages/deadlines"'));
    await page.getByLabel('Échéances', { exact: true }).fill('10, 0, −2');
    await page.route('**/tenant/settings', async (route) => {
      const errors = [{ pointer: '/stages/deadlines/0', detail: 'must not be greater than 9' }];
      const problem = { type: 'x', title: 'x', status: 400, code: 'validation_failed', errors };
      await (route.request().method() === 'PUT'
        ? route.fulfill({ status: 400, contentType: 'application/problem+json', json: problem })
        : route.fallback());
    });
    await button(page, 'Enregistrer').click();
    await page.getByText('Des nombres entiers de -365 à 365').waitFor();
    await page.unroute('**/tenant/settings');
    await button(page, 'Enregistrer').click();
    await page.getByText('Enregistré.').waitFor();
    expect((await settings()).stages.deadlines).toEqual([10, 0, -2]);
  });

  it('V10: by keyboard alone: a setting and a template are changed and saved', async () => {
    const page = await open('/settings');
    await heading(page, 'Réglages');
    await tabTo(page, /^Nom$/);
    await page.keyboard.press('Control+A');
    await page.keyboard.type('Cabinet Martin');
    await tabTo(page, /^Destinataires des incidents/);
    await page.keyboard.press('Control+A');
    await page.keyboard.type('clavier@example.com');
    await tabTo(page, /^Enregistrer$/);
    await page.keyboard.press('Enter');
    await page.getByText('Enregistré.').waitFor();
    expect((await settings()).alert_recipients).toEqual(['clavier@example.com']);
    await page.keyboard.press('Control+Home');
    await tabTo(page, /^Textes/);
    await page.keyboard.press('Enter');
    await heading(page, 'Textes des messages');
    await tabTo(page, /^Documents manquants, Français/);
    await page.keyboard.press('Enter');
    await heading(page, 'Documents manquants');
    await tabTo(page, /^Titre et objet/);
    await page.keyboard.press('Control+A');
    await page.keyboard.type('On attend {{data.client_name');
    await tabTo(page, /^Enregistrer$/);
    await page.keyboard.press('Enter');
    await until('the focus', async () => /^Titre et objet/.test(await focused(page)));
    await page.keyboard.press('End');
    await page.keyboard.type('}}');
    await tabTo(page, /^Enregistrer$/);
    await page.keyboard.press('Enter');
    await page.getByText('Les messages l’utilisent dès maintenant.').waitFor();
    expect((await api('GET', 'tenant/templates/documents_missing/fr')).parts.title.source).toBe(
      'On attend {{data.client_name}}',
    );
  });

  it('keep unsaved changes when a person leaves the page, and ask before the tab is closed', async () => {
    const page = await open('/settings');
    await page.getByLabel('Nom', { exact: true }).fill('Cabinet Martin & Fils');
    await page.getByRole('link', { name: 'Webhooks' }).click();
    await heading(page, 'Webhooks');
    await button(page, 'Y revenir').click();
    await heading(page, 'Réglages');
    expect(await page.getByLabel('Nom', { exact: true }).inputValue()).toBe('Cabinet Martin & Fils');
    let asked = 0;
    page.on('dialog', (dialog) => {
      asked += 1;
      void dialog.dismiss();
    });
    await page.evaluate('location.reload()');
    await until('the question', () => asked === 1);
    await button(page, 'Abandonner').click();
    expect(await page.getByLabel('Nom', { exact: true }).inputValue()).toBe('Cabinet Martin');
    await page.goBack();
    await heading(page, 'Webhooks');
    await page.goForward();
    await heading(page, 'Réglages');
  });
});

describe('B9: templates', () => {
  const editor = '/settings/templates/deadline_near/fr';

  it('show a draft on a phone, say where a fault is, are saved, and go back to the built-in words', async () => {
    await insertRow(world, 'notifications', {
      tenant_id: cast.tenant_id,
      recipient: `user:${cast.teammate.id}`,
      user_id: cast.teammate.id,
      dedupe_key: 'last',
      kind: 'deadline_near',
      severity: 'warning',
      data: JSON.stringify({ title: 'Bilan Dupont', client_name: 'Dupont & Fils', due_on: '2026-12-20' }),
      audience: 'responsible',
      created_at: '2026-11-30T08:00:00Z',
    });
    const page = await open('/settings/templates');
    await page.getByRole('link', { name: /^Échéances, Français/ }).click();
    await heading(page, 'Échéances');
    const mail = page.frameLocator('vigie-mail-frame iframe');
    // The tenant's own last fact, with the mail's own styles, at the width of a phone.
    await mail.getByText('Bilan Dupont').first().waitFor();
    expect(await page.locator('vigie-mail-frame iframe').evaluate((frame) => frame.clientWidth)).toBe(360);
    expect(
      await mail
        .locator('.card')
        .evaluate((card) => card.ownerDocument.defaultView?.getComputedStyle(card).backgroundColor),
    ).toBe('rgb(255, 255, 255)');
    const title = page.getByLabel('Titre et objet');
    const previews = requestsTo(page, 'POST', /preview$/);
    await title.fill('');
    await title.pressSequentially('{{data.client_name}} attend', { delay: 5 });
    await page.getByText('Dupont & Fils attend').first().waitFor();
    expect(previews.length).toBeLessThan(5);
    await page.getByLabel('Avec').selectOption({ label: 'un exemple' });
    await page.getByText('Boulangerie Martin attend').first().waitFor();
    await button(page, 'SMS').click();
    await page.getByText('1 SMS facturé').waitFor();
    await title.fill('x\n{{data.nothing}}');
    await page.getByText(/^Ligne 2, colonne 3\s: /).waitFor();
    await page.getByText('Aperçu du dernier texte sans erreur.').waitFor();
    await button(page, 'Enregistrer').click();
    await page.getByText('Certains champs ne sont pas valables.').waitFor();
    await title.fill('{{data.client_name}} attend');
    const sent = requestsTo(page, 'PUT', /templates/);
    await button(page, 'Enregistrer').dblclick();
    await page.getByText('Les messages l’utilisent dès maintenant.').waitFor();
    expect(sent).toHaveLength(1);
    expect((await api('GET', 'tenant/templates/deadline_near/fr')).parts.title.source).toBe(
      '{{data.client_name}} attend',
    );
    // Previews are not in the audit log.
    const acts = await api('GET', 'admin/audit?limit=200');
    expect(JSON.stringify(acts)).not.toContain('/preview');
    await page.getByRole('link', { name: 'Tous les textes' }).click();
    await page.getByLabel('Afficher').selectOption({ label: 'Vos textes seulement' });
    await page.getByRole('link', { name: 'Échéances, Français: Votre texte : Titre et objet' }).click();
    await button(page, 'Revenir à tous les textes d’origine').click();
    await confirm(page, 'Revenir à tous les textes d’origine');
    await page.getByText('Les textes d’origine sont de nouveau utilisés.').waitFor();
    expect((await api('GET', 'tenant/templates/deadline_near/fr')).parts.title.adapted).toBe(false);
  });

  it('run no script of a mail', async () => {
    const page = await open(editor);
    const html = page.getByLabel('E-mail en HTML');
    await html.fill('<p style="color: red">{{body}}</p>');
    await page.getByText('Ligne 1, colonne 4 : ').waitFor();
    // A mail that the server should never let through.
    await page.route('**/preview', async (route) => {
      const answer = await route.fetch();
      const preview = (await answer.json()) as { email: { html: string } };
      preview.email.html = preview.email.html.replace(
        '</body>',
        `<script>parent.hacked = 1</script><img src="https://evil.example/x.png" onerror="parent.hacked = 1">
         <p id="last" style="color: rgb(1, 2, 3)">Fin</p><a href="javascript:parent.hacked = 1">x</a></body>`,
      );
      await route.fulfill({ response: answer, json: preview });
    });
    await html.fill('<p>{{body}}</p>');
    const mail = page.frameLocator('vigie-mail-frame iframe');
    await mail.locator('#last').waitFor();
    expect(
      await mail
        .locator('#last')
        .evaluate((one) => one.ownerDocument.defaultView?.getComputedStyle(one).color),
    ).toBe('rgb(1, 2, 3)');
    expect(await mail.locator('a[href], script, img[src]').count()).toBe(0);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    await page.getByText('Champs disponibles').click();
    await html.focus();
    await html.press('Control+End');
    await button(page, 'data.due_on').click();
    expect(await html.inputValue()).toMatch(/\{\{date data\.due_on "day"\}\}$/);
    await button(page, 'Abandonner').click();
    // Previews may still be in flight.
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  it('of messages are created and deleted', async () => {
    const page = await open('/settings/templates');
    await page.getByLabel('Nom du nouveau modèle').fill('Pas Bon');
    await button(page, 'Créer').click();
    await until('the fault', async () => (await page.locator('[aria-invalid=true]').count()) === 1);
    await page.getByLabel('Nom du nouveau modèle').fill('facture');
    await page.keyboard.press('Enter');
    await heading(page, 'facture');
    await page.getByLabel('Titre et objet').fill('Facture');
    await page.getByLabel('Texte court').fill(HOSTILE);
    await page.getByText(/^Ligne 1, colonne 38\s: /).waitFor();
    await page.getByLabel('Texte court').fill(HOSTILE.replace('\u202e', ''));
    await button(page, 'Boîte et push').click();
    await page.locator('.push', { hasText: '<img src=x' }).waitFor();
    await button(page, 'Enregistrer').click();
    await page.getByText('Les messages l’utilisent dès maintenant.').waitFor();
    await button(page, 'Supprimer ce modèle').click();
    await confirm(page, 'Supprimer ce modèle');
    await heading(page, 'Textes des messages');
    expect((await world.sql(`SELECT 1 FROM tenant_templates WHERE kind = 'message.facture'`)).length).toBe(0);
  });
});

describe('V19: webhooks', () => {
  it('are added with a secret that is shown once, tested, disabled, replayed and deleted', async () => {
    const page = await open('/settings/webhooks');
    await page.getByText('Aucun webhook.').waitFor();
    await button(page, 'Ajouter un webhook').click();
    const dialog = page.locator('webhook-dialog dialog');
    await dialog.getByLabel('Adresse').fill('https://10.0.0.1/');
    await dialog.getByLabel('Description').fill(HOSTILE);
    await dialog.getByRole('button', { name: 'Ajouter un webhook' }).click();
    await dialog.getByText('Le serveur n’appelle pas cette adresse').waitFor();
    await isAccessible(page);
    await dialog.getByLabel('Adresse').fill(receiver.url);
    const sent = requestsTo(page, 'POST', /tenant\/webhooks$/);
    await dialog.getByRole('button', { name: 'Ajouter un webhook' }).dblclick();
    const secret = page.getByLabel('Le nouveau secret');
    expect(await secret.last().inputValue()).toMatch(/^whsec_/);
    expect(sent).toHaveLength(1);
    await isAccessible(page);
    await button(page, 'Je l’ai gardé').click();
    await until('the end of the dialog', async () => (await page.locator('dialog.secret').count()) === 0);
    expect(await page.evaluate('window.hacked')).toBeUndefined();

    const shown = `${new URL(receiver.url).origin}/…`;
    await page.getByRole('link', { name: shown }).click();
    await heading(page, shown);
    receiver.behave(() => ({ status: 500, body: HOSTILE }));
    await button(page, 'Tester').dblclick();
    await page.getByText(/^Il a répondu 500 après/).waitFor();
    await page.locator('table code.answer', { hasText: '<img' }).waitFor();
    receiver.behave(() => 204);
    await button(page, 'Tester').click();
    await page.getByText(/^Il a répondu 204 après/).waitFor();
    expect(receiver.calls).toHaveLength(2);
    await button(page, 'Désactiver').click();
    await page.getByText('Un administrateur l’a désactivé.').waitFor();
    await button(page, 'Activer').click();
    await button(page, 'Désactiver').waitFor();
    await page.getByLabel('Ce qui n’a pas été remis depuis').fill('2026-11-01T00:00');
    await button(page, 'Renvoyer').click();
    await page.getByText('Tout avait déjà été remis.').waitFor();
    await button(page, 'Nouveau secret').click();
    await confirm(page, 'Nouveau secret');
    expect(await secret.last().inputValue()).toMatch(/^whsec_/);
    await button(page, 'Je l’ai gardé').click();
    await page.getByText(/^L’ancien secret signe aussi jusqu’au/).waitFor();
    // By "back" and "forward" another endpoint follows on the same page: nothing of the first one stays.
    const { body: other } = await world.http('POST', '/api/v1/tenant/webhooks', {
      token: cast.admin.token,
      body: { url: `${receiver.url}/other` },
    });
    await page.evaluate(`history.pushState(null, '', '/settings/webhooks/${other.id}')`);
    await page.evaluate(`dispatchEvent(new PopStateEvent('popstate'))`);
    await page.getByText('Il n’a pas été appelé').waitFor();
    expect(await page.getByText(/^Il a répondu 204 après/).count()).toBe(0);
    await page.goBack();
    await page.locator('table code.answer', { hasText: '<img' }).waitFor();
    await isAccessible(page);
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await overflow(page)).toBe(0);
    await page.setViewportSize({ width: 1280, height: 800 });
    await world.http('DELETE', `/api/v1/tenant/webhooks/${other.id}`, { token: cast.admin.token });
    await button(page, 'Modifier').click();
    await page.getByLabel('Types').selectOption({ label: 'Seulement ceux-ci' });
    await page.getByLabel('Événements de programmes').check();
    await button(page, 'Enregistrer').click();
    await page.locator('dl.facts', { hasText: 'Événements de programmes' }).waitFor();
    await button(page, 'Supprimer').click();
    await page.locator('dialog.confirm[open]').waitFor();
    await isAccessible(page);
    await confirm(page, 'Supprimer');
    await heading(page, 'Webhooks');
    await page.getByText('Aucun webhook.').waitFor();
  });
});

describe('K4: API keys', () => {
  it('are created by keyboard alone, copied, rotated and revoked', async () => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url });
    const page = await open('/settings/keys');
    await button(page, 'Créer une clé').focus();
    await page.keyboard.press('Enter');
    const dialog = page.locator('key-dialog dialog');
    await dialog.getByLabel('Nom').waitFor();
    await until('the focus', () => page.evaluate('document.activeElement.name === "key-name"'));
    await page.keyboard.press('Enter');
    await dialog.getByText('Choisissez-en au moins un.').waitFor();
    await isAccessible(page);
    await page.keyboard.type(HOSTILE);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('Enter');
    const secret = page.getByLabel('La nouvelle clé').last();
    const key = await secret.inputValue();
    expect(key).toMatch(/^vk_/);
    const answer = await world.http('GET', '/api/v1/deadlines', { headers: { 'x-api-key': key } });
    expect(answer.status).toBe(200);
    await page.keyboard.press('Escape');
    await button(page, 'Copier').click();
    await page.getByText('Copié.').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(key);
    await button(page, 'Je l’ai gardé').click();
    await until('the last use', async () => {
      const [row] = await world.sql('SELECT 1 FROM api_keys WHERE last_used_at IS NOT NULL');
      return row !== undefined;
    });
    await page.reload();
    await page.locator('td', { hasText: 'Active' }).waitFor();
    expect(await page.locator('td', { hasText: 'Pas encore' }).count()).toBe(0);
    await page.getByRole('button', { name: /^Nouveau secret/ }).click();
    await confirm(page, 'Nouveau secret');
    expect(await page.getByLabel('Le nouveau secret').last().inputValue()).not.toBe(key);
    await button(page, 'Je l’ai gardé').click();
    await page.getByText(/^ancien secret jusqu’au/).waitFor();
    const sent = requestsTo(page, 'DELETE', /api-keys/);
    await page.getByRole('button', { name: /^Révoquer/ }).dblclick();
    await confirm(page, 'Révoquer');
    await page.locator('td', { hasText: 'Révoquée' }).waitFor();
    expect(sent).toHaveLength(1);
    expect((await world.http('GET', '/api/v1/deadlines', { headers: { 'x-api-key': key } })).status).toBe(
      401,
    );
    expect(await page.evaluate('window.hacked')).toBeUndefined();
  });
});

describe('V10: the audit log', () => {
  it('has its search and filters in the address, shows names, and loads more', async () => {
    for (let at = 0; at < 60; at++)
      await insertRow(world, 'audit_log', {
        tenant_id: cast.tenant_id,
        id: `0190000${at < 10 ? '0' : ''}${at}-0000-7000-8000-000000000000`.slice(-36),
        actor: `user:${cast.teammate.id}`,
        actor_kind: 'user',
        action: 'PATCH /api/v1/users/:id',
        targets: '{}',
        at: new Date(Date.now() - at * DAY_MS).toISOString(),
        status: at === 0 ? 403 : 200,
        changed: ['phone'],
        request_id: `request-${at}`,
        ip: '192.0.2.7',
      });
    await world.http('POST', '/api/v1/users', {
      token: cast.admin.token,
      body: { name: HOSTILE, email: 'nouvelle@example.com' },
    });
    const page = await open('/settings/audit?q=phone');
    await page.getByRole('cell', { name: 'Refusé' }).waitFor();
    await page.getByRole('rowheader', { name: 'Bob' }).first().waitFor();
    const rows = page.locator('tbody tr');
    expect(await rows.count()).toBe(50);
    await button(page, 'Afficher la suite').click();
    await until('all', async () => (await rows.count()) === 60);
    await page.getByRole('searchbox', { name: 'Champ, adresse ou identifiant' }).fill('request-3');
    await until('the found', async () => (await rows.count()) === 11);
    expect(page.url()).toContain('q=request-3');
    await page.getByLabel('Quoi').selectOption({ label: 'A changé les réglages' });
    await page.getByText('Rien ne correspond à ces filtres.').waitFor();
    await page.goBack();
    await until('the found', async () => (await rows.count()) === 11);
    await page.getByRole('link', { name: 'Effacer les filtres' }).click();
    await page.getByRole('cell', { name: 'A ajouté une personne' }).waitFor();
  });
});

describe('V18: stopped addresses', () => {
  it('show the reason, and are resumed once', async () => {
    for (const [channel, address, reason] of [
      ['email', `${'claire'.repeat(20)}@example.com`, 'hard_bounce'],
      ['sms', '+33612345678', 'stop'],
    ] as const)
      await insertRow(world, 'stopped_addresses', {
        tenant_id: cast.tenant_id,
        channel,
        address,
        reason,
        since: '2026-11-28T08:00:00Z',
      });
    const page = await open('/settings/stopped-addresses');
    await page.getByText('Elle n’existe pas').waitFor();
    await page.getByLabel('Canal').selectOption({ label: 'SMS' });
    await page.getByRole('rowheader', { name: '+33612345678' }).waitFor();
    const sent = requestsTo(page, 'DELETE', /stopped-addresses/);
    await page.getByRole('button', { name: 'Libérer, +33612345678' }).click();
    await page.locator('dialog.confirm').getByRole('button', { name: 'Libérer' }).dblclick();
    await page.getByText('Aucune adresse n’est bloquée sur ce canal.').waitFor();
    expect(sent).toHaveLength(1);
  });
});

describe('text of 1,000 characters without a space', () => {
  /** Markup, a right-to-left override, and a word that breaks nowhere. */
  const LONG = `<img src=x onerror="window.hacked=1">\u202e${'W'.repeat(1_000)}`;
  const FIELDS = ':is(input[type=text], input[type=url], textarea):visible';

  /**
   * Types it into all fields, which cut it at their `maxlength`; then sets all of it by script.
   * @returns the names of the fields
   */
  async function fillAll(page: Page, within: string): Promise<string[]> {
    const fields = page.locator(`${within} ${FIELDS}`);
    const names: string[] = [];
    for (const field of await fields.all()) {
      names.push((await field.getAttribute('name')) ?? '');
      await field.fill(LONG);
      const limit = Number(await field.getAttribute('maxlength'));
      expect((await field.inputValue()).length).toBe(Math.min(limit, LONG.length));
      await field.evaluate((one, text) => {
        Object.assign(one, { value: text });
        one.dispatchEvent(new Event('input', { bubbles: true }));
      }, LONG);
    }
    return names;
  }
  const invalid = (page: Page, within: string) =>
    page
      .locator(`${within} [aria-invalid=true]`)
      .evaluateAll((fields) => fields.map((field) => field.getAttribute('name') ?? '').sort());
  const isText = async (page: Page) => {
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await overflow(page)).toBe(0);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    await page.setViewportSize({ width: 1280, height: 800 });
  };

  it('V10: is refused at each field of the settings by its limit, and is text', async () => {
    const page = await open('/settings');
    await page.getByLabel('Nom', { exact: true }).waitFor();
    const names = await fillAll(page, 'main');
    expect(names.length).toBeGreaterThan(4);
    await button(page, 'Enregistrer').click();
    await until('the faults', async () => (await invalid(page, 'main')).length === names.length);
    expect(await invalid(page, 'main')).toEqual(names.sort());
    await isText(page);
    await button(page, 'Abandonner').click();
  });

  it('V10: is refused at the fields of webhooks and keys, by the server too, and a search finds nothing', async () => {
    const page = await open('/settings/webhooks');
    await button(page, 'Ajouter un webhook').click();
    expect(await fillAll(page, 'webhook-dialog')).toEqual(['webhook-url', 'webhook-description']);
    const save = page.locator('form button.filled');
    await save.click();
    await until('the fault', async () => (await invalid(page, 'dialog')).join() === 'webhook-url');
    await page.getByLabel('Adresse').fill('https://example.com/x');
    await save.click();
    await page.getByText('Au plus 500 caractères.').waitFor();
    expect(await invalid(page, 'dialog')).toEqual(['webhook-description']);
    await isText(page);
    await page.goto(`${url}/settings/keys`);
    await button(page, 'Créer une clé').click();
    expect(await fillAll(page, 'key-dialog')).toEqual(['key-name']);
    await save.click();
    await page.getByText('Choisissez-en au moins un.').waitFor();
    expect(await focused(page)).toBe('Lire échéances, documents, tâches et sauvegardes');
    await page.keyboard.press('Space');
    await save.click();
    await page.getByText('De 1 à 200 caractères.').waitFor();
    expect(await invalid(page, 'dialog')).toEqual(['key-name']);
    await isText(page);
    await page.goto(`${url}/settings/audit?q=${encodeURIComponent(LONG.slice(0, 200))}`);
    await page.locator('.empty').waitFor();
    await isText(page);
  });
});

describe('every page of the settings', () => {
  const PATHS = [
    '/settings',
    '/settings/templates',
    '/settings/templates/backup_alert/fr',
    '/settings/webhooks',
    '/settings/keys',
    '/settings/audit',
    '/settings/stopped-addresses',
  ];

  it('V10: has no fault for axe in light and dark, and never scrolls sideways at 360 px', async () => {
    await api('POST', 'tenant/webhooks', { url: `${receiver.url}/${'y'.repeat(900)}`, description: HOSTILE });
    await api('POST', 'tenant/api-keys', { name: HOSTILE, scopes: ['watched:read'] });
    const page = await open('/settings');
    for (const path of PATHS) {
      await page.goto(url + path);
      await until(
        `the page ${path}`,
        async () => (await page.locator('main :is(form, table, .empty)').count()) > 0,
      );
      await until('no skeleton', async () => (await page.locator('main .skeleton').count()) === 0);
      expect([path, await axeViolations(page)]).toEqual([path, []]);
      expect([path, await contrastFaults(page, 'dark')]).toEqual([path, []]);
      await page.setViewportSize({ width: 360, height: 740 });
      expect([path, await overflow(page)]).toEqual([path, 0]);
      expect([path, 360, await axeViolations(page)]).toEqual([path, 360, []]);
      await page.reload();
      await page.locator('main h1').waitFor();
      // The tabs scroll, so that the current one is in view.
      const tab = await page.locator('.settings-tabs [aria-current]').boundingBox();
      expect([path, tab!.x >= 0 && tab!.x + tab!.width <= 360]).toEqual([path, true]);
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.emulateMedia({ colorScheme: 'light' });
    }
    // The mail's frame blocks the scripts of the test itself, too.
    tab.faults = tab.faults.filter((fault) => !fault.startsWith('Blocked script execution'));
  }, 180_000);

  it('V10: is not shown to a member', async () => {
    const page = await open('/settings/keys', cast.teammate);
    await page.getByText('Cette page n’existe pas').waitFor();
  });

  it('V10: is in English for a person whose language is English', async () => {
    await world.sql(`UPDATE users SET locale = 'en' WHERE id = $1`, [cast.admin.id]);
    const page = await open('/settings');
    for (const name of ['Words of messages', 'Webhooks', 'API keys', 'Stopped addresses', 'Audit log']) {
      await page.getByRole('link', { name, exact: true }).click();
      await heading(page, name);
      await until('no skeleton', async () => (await page.locator('main .skeleton').count()) === 0);
      const text = await page.locator('main').innerText();
      expect([name, text.match(/[éèàç]\w*/g) ?? []]).toEqual([name, []]);
    }
    await world.sql(`UPDATE users SET locale = NULL WHERE id = $1`, [cast.admin.id]);
  });
});
