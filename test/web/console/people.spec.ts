import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchBrowser } from '../../support/browser.js';
import { addPerson, type Cast, createCast, type Person } from '../../support/cast.js';
import { until } from '../../support/until.js';
import { runJob } from '../../support/watched.js';
import { createWorld, type World } from '../../support/world.js';
import { notify } from '../../../src/notifications/alerts/notify.fixture.js';
import {
  axeViolations,
  frenchWords,
  contrastFaults,
  focused,
  headingFocused,
  type ConsoleTab,
  openConsole,
  overflow,
  signInByCookie,
  tabTo,
} from '../support/console-page.js';

/** Markup, a right-to-left override, and a word that breaks nowhere. */
const HOSTILE = `<img src=x onerror="window.hacked=1">\u202e${'W'.repeat(1_000)}`;

let world: World;
let cast: Cast;
let browser: Browser;
let url: string;
let context: BrowserContext;
let tab: ConsoleTab;
let hostile: string;

beforeAll(async () => {
  world = await createWorld({ env: { API_REQUESTS_PER_MINUTE: '0' } });
  cast = await createCast(world);
  await world.sql(
    `INSERT INTO deadlines (tenant_id, title, client_name, due_on, responsible_id)
     VALUES ($1, 'TVA CA3', 'Dupont & Fils', current_date + 3, $2)`,
    [cast.tenant_id, cast.teammate.id],
  );
  await runJob(world, cast.tenant_id, 'check-notifications');
  hostile = await notify(world, cast.admin, { title: HOSTILE, body: HOSTILE });
  // The traces of a mail server that was down for a while.
  await world.sql(
    `UPDATE deliveries SET state = 'sent', reason = NULL, sent_at = now(), ended_at = now(), attempts = 2,
            provider_id = '<1@mail>', sent_subject = $2, sent_text = $3, bundle_id = id, admitted_at = now()
     WHERE tenant_id = $1 AND channel = 'email' AND notification_id = $4`,
    [cast.tenant_id, HOSTILE, `${HOSTILE}\n\nBonjour`, hostile],
  );
  await world.sql(
    `INSERT INTO delivery_events (tenant_id, delivery_id, event, attempt, reason, until, error, at)
     SELECT tenant_id, id, 'retried', 1, 'retry', now(), '451 4.3.0 <b>try later</b>', created_at
     FROM deliveries WHERE notification_id = $1 AND channel = 'email'`,
    [hostile],
  );
  await world.app.listen(0, '127.0.0.1');
  url = (await world.app.getUrl()).replace(/\/$/, '');
  browser = await launchBrowser();
}, 90_000);
// Each test opens several pages in two themes and three widths.
jest.setTimeout(60_000);
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'fr-FR' });
  context.setDefaultTimeout(15_000);
});
afterEach(async () => {
  const { faults } = tab;
  await context.close();
  await world.sql('UPDATE users SET locale = NULL');
  expect(faults).toEqual([]);
});
afterAll(async () => {
  await browser.close();
  await world.close();
});

async function open(path: string, { email, password }: Person = cast.admin): Promise<Page> {
  await signInByCookie(context, url, { email, password, tenant: cast.tenant.slug });
  tab = await openConsole(context, url, path);
  return tab.page;
}
const heading = (page: Page, name: string | RegExp) =>
  page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const rows = (page: Page) => page.locator('table.list tbody tr');
const userNamed = async (name: string) =>
  (await world.sql<Record<string, unknown>>(`SELECT * FROM users WHERE tenant_id = $1 AND name = $2`, [
    cast.tenant_id,
    name,
  ])) as { id: string; phone: string | null }[];

/** Nothing that axe objects to, and no sideways scrolling, in both themes and on a phone. */
async function isUsable(page: Page): Promise<void> {
  expect(await axeViolations(page)).toEqual([]);
  expect(await contrastFaults(page, 'dark')).toEqual([]);
  for (const width of [360, 800, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    expect([width, await overflow(page)]).toEqual([width, 0]);
  }
}

describe('V26: notifications', () => {
  it('says why each was sent or not; filters are in the address; back and forward find them', async () => {
    const page = await open('/notifications');
    await heading(page, 'Notifications');
    const tva = rows(page).filter({ hasText: 'TVA CA3' }).filter({ hasText: 'E-mail' });
    await tva.waitFor();
    expect(await tva.innerText()).toContain('Bob');
    await page.locator('select[name=state]').selectOption('sent');
    await until('one', async () => (await rows(page).count()) === 1);
    expect(page.url()).toContain('state=sent');
    await page.locator('select[name=state]').selectOption('');
    await page.getByRole('searchbox', { name: 'Chercher un destinataire' }).fill('DUPONT');
    await until('the search', async () => (await rows(page).filter({ hasText: 'WWW' }).count()) === 0);
    await tva.getByRole('link', { name: /TVA/ }).click();
    await page.getByText('Le destinataire en est responsable.').waitFor();
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toContain('TVA CA3');
    await page.goBack();
    await tva.waitFor();
    expect(page.url()).toContain('q=DUPONT');
    await page.goForward();
    await page.getByText('Le destinataire en est responsable.').waitFor();
  });

  it('traces attempts, replies and what was sent; hostile text stays text within the page', async () => {
    const page = await open(`/notifications/${hostile}`);
    const trace = page.getByRole('list', { name: 'Trace : E-mail' });
    await trace.waitFor();
    const text = await trace.innerText();
    expect(text).toContain('451 4.3.0 <b>try later</b>');
    expect(text.indexOf('Essai manqué')).toBeLessThan(text.indexOf('Acceptée par le fournisseur'));
    await page.getByText('Ce qui a été envoyé').first().click();
    await page.locator('.sent-phone').getByText('Bonjour').waitFor();
    await isUsable(page);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    await page.goto(`${url}/notifications`);
    await rows(page).first().waitFor();
    await isUsable(page);
  });

  it('V26: by keyboard alone: from the list to a trace and back, then to a person, who is edited', async () => {
    const page = await open('/notifications');
    await rows(page).first().waitFor();
    await tabTo(page, /TVA CA3/);
    await page.keyboard.press('Enter');
    await heading(page, /TVA CA3/);
    await headingFocused(page);
    await tabTo(page, /Toutes les notifications/);
    await page.keyboard.press('Enter');
    await rows(page).first().waitFor();
    await tabTo(page, /^Personnes$/);
    await page.keyboard.press('Enter');
    await heading(page, 'Personnes');
    await tabTo(page, /^Bob$/);
    await page.keyboard.press('Enter');
    await heading(page, 'Bob');
    await tabTo(page, /^Téléphone$/);
    await page.keyboard.type('06');
    await page.keyboard.press('Enter');
    await page.getByText('Saisissez un numéro avec l’indicatif').waitFor();
    expect(await focused(page)).toBe('Téléphone');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('+33 6 12 34 56 78');
    await page.keyboard.press('Enter');
    await page.getByText('Enregistré.').waitFor();
    expect((await userNamed('Bob'))[0]?.phone).toBe('+33612345678');
  });

  it('E13: explains why somebody got it or not, from a notification, and by the keyboard', async () => {
    const page = await open('/notifications?q=tva');
    await rows(page).getByRole('link', { name: /TVA/ }).first().click();
    await page.getByRole('heading', { name: 'De la vérification à la personne' }).waitFor();
    await page.getByRole('link', { name: 'Pourquoi ?' }).click();
    await heading(page, 'Pourquoi ?');
    const answer = page.locator('.why-answer');
    await answer.getByText('Le destinataire est responsable de l’élément').waitFor();
    const chain = answer.getByRole('list', { name: 'De la vérification à la personne' });
    expect((await chain.innerText()).replaceAll(/\s+/g, ' ')).toMatch(
      /Vérification.*Vérification des échéances.*1 nouveau.*Fait.*Alerte.*Destinataire/,
    );
    expect(await answer.getByRole('heading', { name: 'E-mail' }).innerText()).toContain('Non envoyée');
    // Each reason leads to what decided; an admin sees none of the operators' pages.
    const links = await answer
      .getByRole('link')
      .evaluateAll((all) => all.map((one) => one.getAttribute('href')));
    expect(links).toEqual(expect.arrayContaining(['/settings#preferences', `/people/${cast.teammate.id}`]));
    expect(links.filter((href) => href?.startsWith('/operator'))).toEqual([]);
    await isUsable(page);

    // Another person, about text that must stay text.
    await page.locator('select[name=user]').selectOption({ label: 'Alice' });
    await page.getByLabel('À propos de').fill('hacked');
    await page.keyboard.press('Enter');
    await answer.getByRole('heading', { level: 2, name: /^<img/ }).waitFor();
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    await isUsable(page);
    await page.getByLabel('À propos de').fill('nothing like that');
    await page.keyboard.press('Enter');
    await answer.getByText('Rien n’est enregistré à ce sujet.').waitFor();
    expect(await answer.innerText()).toMatch(/Vérification des échéances.*\d+ fait/s);
    await isUsable(page);
    await page.goBack();
    await answer.getByRole('heading', { level: 2, name: /^<img/ }).waitFor();
  });

  it('shows members only their own, and says when one does not exist any more', async () => {
    const page = await open('/notifications', cast.teammate);
    await rows(page).first().waitFor();
    expect(await rows(page).filter({ hasText: 'Alice' }).count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Personnes' }).count()).toBe(0);
    await page.goto(`${url}/notifications/${hostile}`);
    await heading(page, 'Cette notification n’existe plus');
    await page.goto(`${url}/notifications/cut-off`);
    await heading(page, 'Cette notification n’existe plus');
    await page.goto(`${url}/people/${cast.admin.id}`);
    await heading(page, 'Cette personne n’existe pas');
  });
});

it('every page of an admin whose language is English is in English', async () => {
  await world.sql(`UPDATE users SET locale = 'en' WHERE id = $1`, [cast.admin.id]);
  const [item] = await world.sql<{ id: string }>('SELECT id FROM deadlines LIMIT 1');
  const [alert] = await world.sql<{ id: string }>('SELECT id FROM alerts LIMIT 1');
  const page = await open('/');
  const found: [string, string[]][] = [];
  for (const path of [
    ...['/', '/due-items', '/due-items?view=month', `/due-items/deadlines/${item!.id}`, '/due-items/import'],
    ...['/backups', '/backups/import', '/alerts', `/alerts/${alert!.id}`],
    ...['/notifications', `/notifications/${hostile}`, '/preview', '/why'],
    ...['/people', '/people/new', `/people/${cast.teammate.id}`, '/account'],
  ]) {
    await page.goto(url + path);
    found.push([path, await frenchWords(page)]);
  }
  expect(found.filter(([, words]) => words.length > 0)).toEqual([]);
}, 90_000);

describe('V9: the preview of a day', () => {
  it('shows who would be notified and why not, filters by person, and stays usable on a phone', async () => {
    const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
    await world.sql(
      `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, $2, $3, $4), ($1, 'DSN', $3, NULL)`,
      [cast.tenant_id, HOSTILE.slice(0, 200), day(9), cast.teammate.id],
    );
    const page = await open('/notifications');
    await page.getByRole('link', { name: /partirait/ }).click();
    await heading(page, /partirait/);
    await page.getByText('Hypothèses').waitFor();
    // Today's check was started manually: what it did is beside the preview.
    await page.getByRole('columnheader', { name: 'Ce qui s’est passé' }).waitFor();
    const today = rows(page).filter({ hasText: 'TVA CA3' }).first();
    await today.locator('a[href^="/notifications/"]').waitFor();
    await page.locator('input[name=date]').fill(day(2));
    await page.waitForURL(/date=/);
    await until('the day', async () => (await rows(page).count()) === 3);
    const dsn = rows(page).filter({ hasText: 'DSN' });
    expect(await dsn.innerText()).toMatch(/Alice[\s\S]*E-mail[\s\S]*Non envoyé[\s\S]*pas configuré/);
    // The filters below use the answer that is there: a preview takes the server seconds.
    let asked = 0;
    page.on('request', (request) => (asked += request.url().includes('/preview?') ? 1 : 0));
    await page.locator('select[name=person]').selectOption({ label: 'Alice' });
    await until('one person', async () => (await rows(page).count()) === 1);
    await isUsable(page);
    await page.goBack();
    await until('everybody', async () => (await rows(page).count()) === 3);
    expect(asked).toBe(0);
    await isUsable(page);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    await dsn.getByRole('link', { name: /DSN/ }).click();
    await heading(page, 'DSN');
    // An empty answer lists what was checked.
    await page.goto(`${url}/preview?date=${day(2)}&job=process-reminders`);
    await page.getByText(/Rappels.*personne ne serait prévenu/).waitFor();
    await world.sql('DELETE FROM deadlines WHERE due_on = $1', [day(9)]);
  });
});

describe('V26: people', () => {
  it('are added once by a double click, with each fault at its field, and by keyboard alone', async () => {
    const page = await open('/people');
    await rows(page).first().waitFor();
    await page.getByRole('link', { name: 'Ajouter une personne' }).focus();
    await page.keyboard.press('Enter');
    await heading(page, 'Nouvelle personne');
    await page.getByLabel('Nom', { exact: true }).focus();
    await page.keyboard.type('Zoé Évreux');
    await page.keyboard.press('Tab');
    await page.keyboard.type(cast.teammate.email);
    await page.keyboard.press('Enter');
    await page.getByText('Cette adresse est celle d’une autre personne.').waitFor();
    expect(await page.evaluate('document.activeElement.name')).toBe('email');
    await isUsable(page);
    await page.locator('input[name=email]').focus();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('zoe@example.com');
    await button(page, 'Ajouter').dblclick();
    await heading(page, 'Zoé Évreux');
    expect(await userNamed('Zoé Évreux')).toHaveLength(1);
    // She has not chosen a password yet: an admin may pass the link on.
    await button(page, 'Créer un lien').click();
    expect(await page.getByLabel('Lien pour choisir un mot de passe').inputValue()).toContain(
      '/password#token=',
    );
  });

  it('are found, edited and marked as absent; a wrong number is refused at its field', async () => {
    const page = await open('/people');
    await page.getByRole('searchbox', { name: 'Chercher un nom' }).fill('bob');
    await until('one', async () => (await rows(page).count()) === 1);
    await page.getByRole('link', { name: 'Bob', exact: true }).click();
    await heading(page, 'Bob');
    await page.getByLabel('Téléphone').fill('12');
    await button(page, 'Enregistrer').first().click();
    await page.getByText('Saisissez un numéro avec l’indicatif').waitFor();
    await page.getByLabel('Téléphone').fill('+33 6 98 76 54 32');
    await button(page, 'Enregistrer').first().click();
    await until('the number', async () => (await userNamed('Bob'))[0]?.phone === '+33698765432');
    const day = new Date(Date.now() + 9 * 86_400_000).toISOString().slice(0, 10);
    await page.getByLabel('Absence jusqu’au').fill(day);
    await page.getByLabel('Échéances, E-mail').selectOption('off');
    await button(page, 'Ajouter des heures').click();
    await button(page, 'Enregistrer').last().click();
    const stored = () =>
      world.sql(
        `SELECT q.paused_until::text, p.kind, p.enabled FROM quiet_hours q
         JOIN preferences p ON p.user_id = q.user_id WHERE q.user_id = $1 AND q.receiving_hours IS NOT NULL`,
        [cast.teammate.id],
      );
    await until('the preferences', async () => (await stored()).length === 1);
    expect(await stored()).toEqual([{ paused_until: day, kind: 'deadline_near', enabled: false }]);
    await isUsable(page);
    await page.goto(`${url}/people`);
    await rows(page).filter({ hasText: 'Absente jusqu’au' }).waitFor();
    await isUsable(page);
  });

  it('a page that could not be loaded shows the same person after "Try again"', async () => {
    await context.route('**/api/v1/preferences', (route) => route.abort(), { times: 1 });
    const page = await open(`/people/${cast.admin.id}`);
    await button(page, 'Réessayer').click();
    await heading(page, 'Alice');
    expect(await page.getByLabel('Nom', { exact: true }).inputValue()).toBe('Alice');
    expect(await page.getByLabel('Rôle').inputValue()).toBe('admin');
    await page.getByLabel('Absence jusqu’au').waitFor();
  });

  it('N1: have reminders, which are added, changed, paused, resumed and ended, also those of a ticket', async () => {
    const { body: ticket } = await world.http('POST', '/api/v1/tickets', {
      token: cast.admin.token,
      body: { title: 'Stationnement, rue de Nantes', due_on: '2030-04-02', responsible_id: cast.teammate.id },
    });
    const stored = () =>
      world.sql<{ active: boolean }>(
        'SELECT message, frequency_days, active, ends_after, ticket_id FROM reminders WHERE user_id = $1',
        [cast.teammate.id],
      );
    const page = await open(`/people/${cast.teammate.id}`);
    const dialog = page.getByRole('dialog');
    await button(page, 'Ajouter un rappel').click();
    await dialog.getByLabel('Intervalle en jours').fill('400');
    await dialog.getByLabel('E-mail').uncheck();
    await dialog.getByRole('button', { name: 'Ajouter un rappel' }).click();
    await dialog.getByText('De 1 à 366 jours.').waitFor();
    await dialog.getByText('Choisissez au moins un canal.').waitFor();
    expect(await page.evaluate('document.activeElement.name')).toBe('reminder-frequency_days');
    await dialog.getByLabel('Intervalle en jours').fill('3');
    await dialog.getByLabel('E-mail').check();
    await dialog.getByLabel('SMS').check();
    await dialog.getByRole('textbox', { name: 'Message' }).fill(HOSTILE);
    await dialog.getByLabel('Contravention').selectOption({ label: 'Stationnement, rue de Nantes' });
    await dialog
      .getByLabel('Emploi des canaux')
      .selectOption({ label: 'Dans cet ordre, le premier qui fonctionne' });
    await button(page, 'SMS : monter').click();
    expect(await axeViolations(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Ajouter un rappel' }).dblclick();
    const section = page.locator('reminders-section');
    await section.getByText('Tous les 3 jours à 09:00 · E-mail, SMS (le premier qui fonctionne)').waitFor();
    expect(await stored()).toEqual([
      { message: HOSTILE, frequency_days: 3, active: true, ends_after: null, ticket_id: ticket.id },
    ]);
    await isUsable(page);

    await section.getByRole('link', { name: 'Stationnement, rue de Nantes' }).click();
    await heading(page, 'Stationnement, rue de Nantes');
    await section.getByRole('button', { name: 'Modifier : ' }).click();
    expect(await dialog.getByLabel('Contravention').count()).toBe(0);
    await dialog.getByLabel('Nombre de messages').fill('5');
    await dialog.getByRole('button', { name: 'Enregistrer' }).dblclick();
    await section.getByText('envoyé 0 fois sur 5').waitFor();
    await section.getByRole('button', { name: 'Suspendre : ' }).dblclick();
    await section.getByText('Suspendu', { exact: true }).waitFor();
    expect(await stored()).toMatchObject([{ active: false, ends_after: 5 }]);
    await section.getByRole('button', { name: 'Reprendre : ' }).click();
    await section.getByText('Actif', { exact: true }).waitFor();
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await overflow(page)).toBe(0);
    await section.getByRole('button', { name: 'Terminer : ' }).click();
    await page.locator('dialog.confirm').getByRole('button', { name: 'Terminer' }).dblclick();
    await section.getByText('Aucun.').waitFor();
    expect(await stored()).toEqual([]);
  });

  it('see and change themselves from their account, and send themselves a test', async () => {
    const claire = await addPerson(world, cast.tenant_id, { name: 'Claire' });
    const page = await open('/account', claire);
    await heading(page, 'Mon compte');
    await isUsable(page);
    await page.getByRole('link', { name: 'Profil, préférences et absence' }).click();
    await heading(page, 'Claire');
    await page.getByText('Celle-ci').waitFor();
    await page.getByText('Ce serveur n’envoie pas de notifications push aux navigateurs.').waitFor();
    await button(page, 'Envoyer un test : E-mail').dblclick();
    await page.getByRole('link', { name: 'Voir ce qu’il devient' }).click();
    await heading(page, /Message de test/);
    const tests = await world.sql(`SELECT FROM notifications WHERE user_id = $1 AND kind = 'test'`, [
      claire.id,
    ]);
    expect(tests).toHaveLength(1);
    await page.goBack();
    await page.getByLabel('Nom', { exact: true }).fill('Claire Dupont');
    await page.getByLabel('Nom', { exact: true }).press('Enter');
    await heading(page, 'Claire Dupont');
  });
});
