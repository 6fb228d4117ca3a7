import { Receiver } from '../../../src/delivery/channels/webhook/receiver.fixture.js';
import { insertRow } from '../../support/rows.js';
import { until } from '../../support/until.js';
import { focused, overflow } from '../support/console-page.js';
import {
  button,
  confirm,
  fillAll,
  heading,
  HOSTILE,
  invalid,
  isAccessible,
  isText,
  LONG,
  requestsTo,
  settingsOffice,
} from './settings.fixture.js';

const DAY_MS = 86_400_000;

const office = settingsOffice();
let receiver: Receiver;
beforeAll(async () => {
  receiver = await Receiver.start();
});
afterAll(() => receiver.close());

describe('V19: webhooks', () => {
  it('are added with a secret that is shown once, tested, disabled, replayed and deleted', async () => {
    const page = await office.open('/settings/webhooks');
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
    const { body: other } = await office.world.http('POST', '/api/v1/tenant/webhooks', {
      token: office.cast.admin.token,
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
    await office.world.http('DELETE', `/api/v1/tenant/webhooks/${other.id}`, {
      token: office.cast.admin.token,
    });
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
    await office.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: office.url });
    const page = await office.open('/settings/keys');
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
    const answer = await office.world.http('GET', '/api/v1/deadlines', { headers: { 'x-api-key': key } });
    expect(answer.status).toBe(200);
    await page.keyboard.press('Escape');
    await button(page, 'Copier').click();
    await page.getByText('Copié.').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(key);
    await button(page, 'Je l’ai gardé').click();
    await until('the last use', async () => {
      const [row] = await office.world.sql('SELECT 1 FROM api_keys WHERE last_used_at IS NOT NULL');
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
    expect(
      (await office.world.http('GET', '/api/v1/deadlines', { headers: { 'x-api-key': key } })).status,
    ).toBe(401);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
  });
});

describe('V10: the audit log', () => {
  it('has its search and filters in the address, shows names, and loads more', async () => {
    for (let at = 0; at < 60; at++)
      await insertRow(office.world, 'audit_log', {
        tenant_id: office.cast.tenant_id,
        id: `0190000${at < 10 ? '0' : ''}${at}-0000-7000-8000-000000000000`.slice(-36),
        actor: `user:${office.cast.teammate.id}`,
        actor_kind: 'user',
        action: 'PATCH /api/v1/users/:id',
        targets: '{}',
        at: new Date(Date.now() - at * DAY_MS).toISOString(),
        status: at === 0 ? 403 : 200,
        changed: ['phone'],
        request_id: `request-${at}`,
        ip: '192.0.2.7',
      });
    await office.world.http('POST', '/api/v1/users', {
      token: office.cast.admin.token,
      body: { name: HOSTILE, email: 'nouvelle@example.com' },
    });
    const page = await office.open('/settings/audit?q=phone');
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
      await insertRow(office.world, 'stopped_addresses', {
        tenant_id: office.cast.tenant_id,
        channel,
        address,
        reason,
        since: '2026-11-28T08:00:00Z',
      });
    const page = await office.open('/settings/stopped-addresses');
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

it('V10: text of 1,000 characters without a space is refused at the fields of webhooks and keys, by the server too, and a search finds nothing', async () => {
  const page = await office.open('/settings/webhooks');
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
  await page.goto(`${office.url}/settings/keys`);
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
  await page.goto(`${office.url}/settings/audit?q=${encodeURIComponent(LONG.slice(0, 200))}`);
  await page.locator('.empty').waitFor();
  await isText(page);
});
