/** @jest-environment-options {"ownApi": true} */
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { addPerson, addTenant, type Person } from '../../test/support/cast.js';
import { runJob } from '../../test/support/watched.js';
import { createWorld, mailEnvironment, type World } from '../../test/support/world.js';
import { type MailCatcher, startMailCatcher } from '../cli/demo/mail-catcher.js';
import { type NewNotification, Notifications } from '../notifications/notifications.service.js';
import { Database } from '../platform/database/database.js';

// One entry for the locale and one per kind.
jest.mock('../contracts/locales.js', () => ({ LOCALES: ['fr', 'en', 'de'] }));
jest.mock('../contracts/kinds.js', () => {
  const { KINDS } = jest.requireActual<{ KINDS: object }>('../contracts/kinds.js');
  const invoice = { optional: true, bundled: false, urgent: false };
  return {
    KINDS: {
      ...KINDS,
      invoice_due: { ...invoice, channels: { email: 'on' }, item: { type: 'invoice', id: 'invoice_id' } },
      invoice_paid: { ...invoice, channels: { email: 'off' } },
      invoice_seen: { ...invoice, channels: {} },
    },
  };
});
jest.mock('./templates-directory.js', () => ({ TEMPLATES: overlay() }));

/** A folder of templates with German added, and with the kinds in every language. */
function overlay(): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'vigie-growth-'));
  cpSync(path.resolve('templates'), directory, { recursive: true });
  cpSync(path.join(directory, 'en'), path.join(directory, 'de'), { recursive: true });
  const write = (file: string, source: string) => writeFileSync(path.join(directory, file), source);
  write(
    'de/locale.json',
    JSON.stringify({
      dates: { long: 'cccc, d. MMMM yyyy', short: 'ccc d. LLL', day: 'd. MMMM' },
      time: 'HH:mm',
      instant: '{date} um {time}',
      bytes: ['B', 'kB', 'MB'],
    }),
  );
  const period = '{{date data.period.from "day"}}';
  write(
    'de/weekly_summary.title.hbs',
    `Woche ab ${period}: {{plural data.totals.deadlines "Frist" "Fristen"}}`,
  );
  write('de/weekly_summary.body.hbs', `Woche ab ${period}`);
  write('de/weekly_summary.html.hbs', '<h1 class="title">{{title}}</h1>');
  write('de/weekly_summary.text.hbs', '{{title}}');
  const due: Record<string, string> = {
    fr: 'Facture à payer dans {{plural (days_until data.due_on) "jour" "jours"}}',
    en: 'Invoice due in {{plural (days_until data.due_on) "day" "days"}}',
    de: 'Rechnung fällig in {{plural (days_until data.due_on) "Tag" "Tagen"}}',
  };
  for (const [locale, title] of Object.entries(due)) {
    for (const kind of ['invoice_due', 'invoice_paid', 'invoice_seen']) {
      write(`${locale}/${kind}.title.hbs`, `${title}: {{data.number}}`);
      write(`${locale}/${kind}.body.hbs`, '{{date data.due_on}}');
      write(
        `${locale}/${kind}.html.hbs`,
        '<h1 class="title">{{data.number}}</h1><p>{{date data.due_on}}</p>',
      );
      write(`${locale}/${kind}.text.hbs`, '{{data.number}}\n{{date data.due_on}}');
    }
  }
  process.env.GROWTH_TEMPLATES = directory;
  return directory;
}

const DUE = { invoice_id: '0199f3c4-0000-7000-8000-000000000009', number: 'F-118', due_on: '2999-01-02' };

describe('a locale and a kind need only files and one entry each', () => {
  let catcher: MailCatcher;
  let world: World;
  let tenantId: string;
  let greta: Person;

  beforeAll(async () => {
    catcher = await startMailCatcher();
    world = await createWorld({
      env: {
        VIGIE_ROLES: 'web,worker,scheduler',
        ...mailEnvironment(catcher),
        ITEM_URL: 'https://front.example/{tenant}/{type}/{id}',
      },
    });
    const tenant = await addTenant(world, { slug: 'kanzlei' });
    tenantId = tenant.id;
    greta = await addPerson(world, tenantId, { name: 'Greta', role: 'admin' });
    const answer = await world.http('PATCH', '/api/v1/me', { token: greta.token, body: { locale: 'de' } });
    expect(answer.status).toBe(200);
  });
  afterAll(async () => {
    await world.close();
    await catcher.close();
    rmSync(process.env.GROWTH_TEMPLATES ?? '', { recursive: true, force: true });
    delete process.env.GROWTH_TEMPLATES;
  });

  const feed = async () => {
    const { body } = await world.http('GET', '/api/v1/notifications', { token: greta.token });
    return (body as { data: { kind: string; title: string; body: string }[] }).data;
  };

  /** As the kind's room would; the compiler does not know a kind that only this test declares. */
  const announce = (kind: string) =>
    world.app.get(Database).tenant(tenantId, (tx) => {
      const row = {
        user_id: greta.id,
        kind,
        // Ignores operating hours, so the test can run at any time.
        severity: 'critical',
        data: DUE,
        audience: 'self',
        dedupe_key: randomUUID(),
      };
      return world.app
        .get(Notifications, { strict: false })
        .createMany(tx, [row as unknown as NewNotification]);
    });

  it('a feed item and a mail are German, with a link to the item (M4)', async () => {
    await announce('invoice_due');
    const [item] = await feed();
    expect(item?.title).toMatch(/^Rechnung fällig in [\d.]+ Tagen: F-118$/);
    expect(item?.body).toBe('Mittwoch, 2. Januar 2999');
    const mail = await catcher.waitFor(({ subject }) => subject.includes('F-118'));
    expect(mail.subject).toBe(item?.title);
    expect(mail.text).toContain('F-118\nMittwoch, 2. Januar 2999');
    expect(mail.text).toContain(`https://front.example/kanzlei/invoice/${DUE.invoice_id}`);
  });

  it('a summary line is German', async () => {
    await world.sql(
      `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, 'USt', current_date, $2)`,
      [tenantId, greta.id],
    );
    await runJob(world, tenantId, 'weekly-summary');
    const summary = (await feed()).find(({ kind }) => kind === 'weekly_summary');
    expect(summary?.title).toMatch(/^Woche ab \d+\. [A-Z]\S+: 1 Frist$/);
  });

  it('H4: a kind uses the channels that it names; those off by default only for users who chose them', async () => {
    const deliveriesOf = async (kind: string) => {
      await announce(kind);
      return world.sql(
        `SELECT d.channel FROM deliveries d JOIN notifications n ON n.id = d.notification_id
         WHERE n.kind = $1`,
        [kind],
      );
    };
    expect(await deliveriesOf('invoice_seen')).toEqual([]);
    expect(await deliveriesOf('invoice_paid')).toEqual([]);
    const preferences = await world.http('GET', '/api/v1/preferences', { token: greta.token });
    expect((preferences.body as { preferences: object[] }).preferences).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'invoice_paid', channel: 'email', enabled: false }),
      ]),
    );
    const chosen = await world.http('PUT', '/api/v1/preferences', {
      token: greta.token,
      body: { preferences: [{ kind: 'invoice_paid', channel: 'email', enabled: true }], quiet_hours: null },
    });
    expect(chosen.status).toBe(200);
    expect(await deliveriesOf('invoice_paid')).toEqual([{ channel: 'email' }]);
  });
});
