import { Receiver } from '../../../src/delivery/channels/webhook/receiver.fixture.js';
import { until } from '../../support/until.js';
import { axeViolations, contrastFaults, focused, overflow, tabTo } from '../support/console-page.js';
import {
  button,
  fillAll,
  heading,
  HOSTILE,
  invalid,
  isText,
  requestsTo,
  settingsOffice,
} from './settings.fixture.js';

const office = settingsOffice();
let receiver: Receiver;
beforeAll(async () => {
  receiver = await Receiver.start();
});
afterAll(() => receiver.close());

const settings = () => office.api('GET', 'tenant/settings');

const TIME = /^Une heure du jour/;
/** Fields of the settings: a value that is refused, the rule that is shown then, and a value that is saved. */
const VALUES: Readonly<Record<string, { wrong: string; rule: RegExp; right: string }>> = {
  '/time_zone': { wrong: 'Europe/Pari', rule: /^Le nom d’un fuseau/, right: 'Indian/Reunion' },
  '/operating_hours/to': { wrong: '08:00', rule: /^La fin doit différer du début/, right: '18:15' },
  '/limits/per_user_per_hour': { wrong: '-1', rule: /de 0 à 1\s000\s000/, right: '40' },
  '/limits/per_user_per_day': { wrong: '1000001', rule: /de 0 à 1\s000\s000/, right: '200' },
  '/schedule/weekly_summary': { wrong: '', rule: TIME, right: '07:15' },
  '/schedule/update_statuses': { wrong: '', rule: TIME, right: '00:20' },
  '/schedule/cleanup': { wrong: '', rule: TIME, right: '02:40' },
  '/schedule/check_backups': { wrong: '', rule: TIME, right: '05:50' },
  '/schedule/scan_backups_minutes': { wrong: '4', rule: /de 5 à 1\s440/, right: '15' },
  '/schedule/process_reminders_minutes': { wrong: '61', rule: /de 5 à 60/, right: '10' },
  '/backups/repeat_after_hours': { wrong: '721', rule: /de 1 à 720/, right: '48' },
  '/backups/retention/keep_last': { wrong: '0', rule: /dans les limites/, right: '14' },
  '/backups/retention/keep_weekly': { wrong: '521', rule: /dans les limites/, right: '6' },
  '/backups/retention/keep_monthly': { wrong: '241', rule: /dans les limites/, right: '24' },
  '/retention/sent_days': { wrong: '0', rule: /de 1 à 3\s650/, right: '400' },
  '/retention/failed_days': { wrong: '3651', rule: /de 1 à 3\s650/, right: '500' },
  '/retention/unread_days': { wrong: '1.5', rule: /de 1 à 3\s650/, right: '600' },
};

describe('V10: general settings', () => {
  it('are saved once by a double click, and keep what somebody else has saved meanwhile', async () => {
    const page = await office.open('/settings');
    await heading(page, 'Réglages');
    await page.getByLabel('Horaires d’envoi').selectOption({ label: 'Seulement à ces heures' });
    await page.getByLabel('samedi').check();
    await page.getByLabel('À', { exact: true }).fill('00:00');
    await page.getByLabel('Destinataires des incidents').fill('astreinte@example.com\nchef@example.com');
    await page.getByLabel('Échéances par SMS').selectOption({ label: 'Oui' });
    await page.getByText('3 modifications non enregistrées').waitFor();
    await office.api('PUT', 'tenant/settings', { ...(await settings()), bundling: 'single' });
    const sent = requestsTo(page, 'PUT', /tenant\/settings$/);
    await button(page, 'Enregistrer').dblclick();
    await page.getByText('Enregistré.').waitFor();
    expect(sent).toHaveLength(1);
    expect(await settings()).toMatchObject({
      operating_hours: { days: [1, 2, 3, 4, 5, 6], from: '08:00', to: '24:00' },
      alert_recipients: ['astreinte@example.com', 'chef@example.com'],
      bundling: 'single',
    });
    const { preferences } = await office.api('GET', 'tenant/preferences');
    expect(preferences).toContainEqual(
      expect.objectContaining({ kind: 'deadline_near', channel: 'sms', enabled: true, source: 'tenant' }),
    );
    expect(await button(page, 'Enregistrer').count()).toBe(0);
  });

  it('show each fault at its field, also one that only the server finds', async () => {
    const page = await office.open('/settings');
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
    const page = await office.open('/settings');
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
    expect((await office.api('GET', 'tenant/templates/documents_missing/fr')).parts.title.source).toBe(
      'On attend {{data.client_name}}',
    );
  });

  it('keep unsaved changes when a person leaves the page, and ask before the tab is closed', async () => {
    const page = await office.open('/settings');
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

  it('are refused outside their limits, each at its field, and are the same after a reload', async () => {
    const before = await settings();
    const page = await office.open('/settings');
    const field = (name: string) => page.locator(`[name="${name}"]`);
    await field('/operating_hours').selectOption('some');
    await field('/backups/retention').selectOption('some');
    await field('/schedule/weekly_summary_day').selectOption('2');
    const checks = page.locator('fieldset.times');
    for (const [name, { wrong, rule }] of Object.entries(VALUES)) {
      await field(name).fill(wrong);
      const note = page.locator(`[id="${await field(name).getAttribute('aria-describedby')}"]`);
      await until(`the rule at ${name}`, async () => rule.test(await note.innerText()));
      expect([name, await field(name).getAttribute('aria-invalid')]).toEqual([name, 'true']);
    }
    await checks.locator('input').first().fill('');
    await checks.getByText('Une heure du jour, chacune une seule fois.').waitFor();
    const sent = requestsTo(page, 'PUT', /tenant\/settings$/);
    await button(page, 'Enregistrer').click();
    await page.getByText('Certains champs ne sont pas valables.').waitFor();
    expect(sent).toEqual([]);

    for (const [name, { right }] of Object.entries(VALUES)) await field(name).fill(right);
    await checks.locator('input').first().fill('06:45');
    await until('no fault', async () => (await invalid(page, 'main')).length === 0);
    await button(page, 'Enregistrer').click();
    await page.getByText('Enregistré. Rechargez la page pour le voir partout.').waitFor();
    expect(sent).toHaveLength(1);
    expect(await settings()).toMatchObject({
      time_zone: 'Indian/Reunion',
      operating_hours: { from: '08:00', to: '18:15' },
      limits: { per_user_per_hour: 40, per_user_per_day: 200 },
      schedule: {
        check_notifications: ['06:45', ...before.schedule.check_notifications.slice(1)],
        weekly_summary_day: 2,
        weekly_summary: '07:15',
        update_statuses: '00:20',
        cleanup: '02:40',
        check_backups: '05:50',
        scan_backups_minutes: 15,
        process_reminders_minutes: 10,
      },
      backups: {
        repeat_after_hours: 48,
        retention: { keep_last: 14, keep_weekly: 6, keep_monthly: 24 },
      },
      retention: { sent_days: 400, failed_days: 500, unread_days: 600 },
    });
    await page.reload();
    for (const [name, { right }] of Object.entries(VALUES)) {
      await field(name).waitFor();
      expect([name, await field(name).inputValue()]).toEqual([name, right]);
    }
    expect(await field('/schedule/weekly_summary_day').inputValue()).toBe('2');
    expect(await checks.locator('input').first().inputValue()).toBe('06:45');
    await office.api('PUT', 'tenant/settings', before);
  });

  it('refuse text of 1,000 characters without a space at each field by its limit, and it is text', async () => {
    const page = await office.open('/settings');
    await page.getByLabel('Nom', { exact: true }).waitFor();
    const names = await fillAll(page, 'main');
    expect(names.length).toBeGreaterThan(4);
    await button(page, 'Enregistrer').click();
    await until('the faults', async () => (await invalid(page, 'main')).length === names.length);
    expect(await invalid(page, 'main')).toEqual(names.sort());
    await isText(page);
    await button(page, 'Abandonner').click();
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
    await office.api('POST', 'tenant/webhooks', {
      url: `${receiver.url}/${'y'.repeat(900)}`,
      description: HOSTILE,
    });
    await office.api('POST', 'tenant/api-keys', { name: HOSTILE, scopes: ['watched:read'] });
    const page = await office.open('/settings');
    for (const path of PATHS) {
      await page.goto(office.url + path);
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
      // The tabs scroll: the current one is in view.
      const tab = await page.locator('.settings-tabs [aria-current]').boundingBox();
      expect([path, tab!.x >= 0 && tab!.x + tab!.width <= 360]).toEqual([path, true]);
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.emulateMedia({ colorScheme: 'light' });
    }
    // The mail's frame blocks the scripts of the test itself, too.
    office.tab.faults = office.tab.faults.filter((fault) => !fault.startsWith('Blocked script execution'));
  }, 180_000);

  it('V10: is not shown to a member', async () => {
    const page = await office.open('/settings/keys', office.cast.teammate);
    await page.getByText('Cette page n’existe pas').waitFor();
  });

  it('V10: is in English for a person whose language is English', async () => {
    await office.world.sql(`UPDATE users SET locale = 'en' WHERE id = $1`, [office.cast.admin.id]);
    const page = await office.open('/settings');
    for (const name of ['Words of messages', 'Webhooks', 'API keys', 'Stopped addresses', 'Audit log']) {
      await page.getByRole('link', { name, exact: true }).click();
      await heading(page, name);
      await until('no skeleton', async () => (await page.locator('main .skeleton').count()) === 0);
      const text = await page.locator('main').innerText();
      expect([name, text.match(/[éèàç]\w*/g) ?? []]).toEqual([name, []]);
    }
    await office.world.sql(`UPDATE users SET locale = NULL WHERE id = $1`, [office.cast.admin.id]);
  });
});
