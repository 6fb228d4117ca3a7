import { insertRow } from '../../support/rows.js';
import { until } from '../../support/until.js';
import { button, confirm, heading, HOSTILE, requestsTo, settingsOffice } from './settings.fixture.js';

const office = settingsOffice();

describe('B9: templates', () => {
  const editor = '/settings/templates/deadline_near/fr';

  it('show a draft on a phone, say where a fault is, are saved, and go back to the built-in words', async () => {
    await insertRow(office.world, 'notifications', {
      tenant_id: office.cast.tenant_id,
      recipient: `user:${office.cast.teammate.id}`,
      user_id: office.cast.teammate.id,
      dedupe_key: 'last',
      kind: 'deadline_near',
      severity: 'warning',
      data: JSON.stringify({ title: 'Bilan Dupont', client_name: 'Dupont & Fils', due_on: '2026-12-20' }),
      audience: 'responsible',
      created_at: '2026-11-30T08:00:00Z',
    });
    const page = await office.open('/settings/templates');
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
    expect((await office.api('GET', 'tenant/templates/deadline_near/fr')).parts.title.source).toBe(
      '{{data.client_name}} attend',
    );
    // Previews are not in the audit log.
    const acts = await office.api('GET', 'admin/audit?limit=200');
    expect(JSON.stringify(acts)).not.toContain('/preview');
    await page.getByRole('link', { name: 'Tous les textes' }).click();
    await page.getByLabel('Afficher').selectOption({ label: 'Vos textes seulement' });
    await page.getByRole('link', { name: 'Échéances, Français: Votre texte : Titre et objet' }).click();
    await button(page, 'Revenir à tous les textes d’origine').click();
    await confirm(page, 'Revenir à tous les textes d’origine');
    await page.getByText('Les textes d’origine sont de nouveau utilisés.').waitFor();
    expect((await office.api('GET', 'tenant/templates/deadline_near/fr')).parts.title.adapted).toBe(false);
  });

  it('run no script of a mail', async () => {
    const page = await office.open(editor);
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
    const page = await office.open('/settings/templates');
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
    expect(
      (await office.world.sql(`SELECT 1 FROM tenant_templates WHERE kind = 'message.facture'`)).length,
    ).toBe(0);
  });
});
