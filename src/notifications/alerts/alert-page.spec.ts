import { addPerson, addTenant, type Person } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { AlertLinks } from '../../auth/alert-links.js';
import { PasswordLinks } from '../../auth/password/password-links.js';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import type { Locale } from '../../contracts/locales.js';
import { StepwiseDelivery } from '../../delivery/dispatch/bundling.fixture.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { Database } from '../../platform/database/database.js';
import { Incidents } from './incidents.js';

const MORNING = '2026-03-30T07:00:00.000Z';
const DAY = 24 * 3_600_000;
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

const clock = new FixedClock(MORNING);
let smtp: MailCatcher;
let env: Record<string, string>;
let world: World;
let way: StepwiseDelivery;
let alice: Person;
let bob: Person;
let before: number;

beforeAll(async () => {
  smtp = await startMailCatcher();
  env = {
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(smtp.port),
    SMTP_TLS: 'false',
    SMTP_FROM_EMAIL: 'vigie@vigie.example',
    VIGIE_PUBLIC_URL: 'https://vigie.cabinet-martin.example',
    LIMIT_PER_USER_PER_HOUR: '0',
    LIMIT_PER_USER_PER_DAY: '0',
  };
  world = await createWorld({ clock, env });
  way = new StepwiseDelivery(world);
  await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'email', 20, now() + interval '1 day')`);
});
afterAll(async () => {
  await world.close();
  await smtp.close();
});
beforeEach(async () => {
  clock.set(MORNING);
  const tenant = await addTenant(world, { name: 'Cabinet Martin' });
  alice = await addPerson(world, tenant.id, { name: 'Alice', role: 'admin' });
  bob = await addPerson(world, tenant.id, { name: 'Bob' });
  before = smtp.count;
});
afterEach(() => world.sql('DELETE FROM tenants'));

const check = () => runJob(world, bob.tenant_id, 'check-notifications');
const deadline = (title: string) =>
  world.sql(
    `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, $2, '2026-04-04', $3)`,
    [bob.tenant_id, title, bob.id],
  );
const speaks = (locale: Locale) => world.sql('UPDATE users SET locale = $2 WHERE id = $1', [bob.id, locale]);
/** The mails of this test, once everything has left. */
async function mails() {
  await way.leave();
  return smtp.mails.slice(smtp.mails.length - (smtp.count - before));
}
const LINK = /https:\/\/vigie\.cabinet-martin\.example(\/alerts\/act\/[\w.-]+)/g;
const linksIn = (text: string) => [...text.matchAll(LINK)].map(([, path = '']) => path);
/** The only link of the only mail. */
async function link(title = 'TVA CA3'): Promise<string> {
  await deadline(title);
  await check();
  const [mail] = await mails();
  return linksIn(mail!.text)[0]!;
}
const get = (path: string, from = world) => from.http('GET', path, { headers: { 'accept-language': 'en' } });
const press = (path: string, action: string, from = world) =>
  from.http('POST', path, { headers: { ...FORM, 'accept-language': 'en' }, body: `action=${action}` });
const alerts = () =>
  world.sql(
    `SELECT a.data ->> 'title' AS title, u.name AS acknowledged_by, a.acknowledged_at, a.snoozed_until, a.occurrences
     FROM alerts a LEFT JOIN users u ON u.id = a.acknowledged_by ORDER BY a.data ->> 'title'`,
  );
const OPEN = { acknowledged_by: null, acknowledged_at: null, snoozed_until: null };
/** What a person reads. */
const words = (html: string) =>
  html
    .replace(/<(style|head)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

describe('V16: the mail about an alert', () => {
  it('V16: has one link, the same in both of its parts, which the record of the delivery leaves out', async () => {
    await deadline('TVA CA3');
    await check();
    const [mail, ...others] = await mails();
    expect(others).toEqual([]);
    const [html, ...more] = linksIn(mail!.html);
    expect(more).toEqual([]);
    expect(linksIn(mail!.text)).toEqual([html]);
    expect(mail!.html).toContain('>C’est traité</a>');
    expect(mail!.text).toContain('C’est traité\u00a0:\n');
    const [delivery] = await world.sql<{ sent_text: string }>('SELECT sent_text FROM deliveries');
    expect(delivery!.sent_text).toContain('C’est traité\u00a0:\n…');
    expect(delivery!.sent_text).not.toContain('/alerts/act/');
    // Names and addresses are not in it.
    const token = html!.slice('/alerts/act/'.length);
    expect(Buffer.from(token.split('.')[0]!, 'base64url')).toHaveLength(36);
    expect(html!.length).toBeLessThan(110);
  });

  it('V16: of several alerts has a link for each', async () => {
    await speaks('en');
    for (const title of ['CFE', 'DSN', 'TVA']) await deadline(title);
    await check();
    const [mail, ...others] = await mails();
    expect(others).toEqual([]);
    const paths = linksIn(mail!.text);
    expect(new Set(paths).size).toBe(3);
    expect(linksIn(mail!.html).sort()).toEqual([...paths].sort());
    // The link below an item is that item's.
    const below = mail!.text.split('\n').findIndex((line) => line.startsWith('- DSN'));
    const [path] = linksIn(mail!.text.split('\n').slice(below).join('\n'));
    expect((await press(path!, 'acknowledge')).status).toBe(303);
    expect(await alerts()).toMatchObject([
      { title: 'CFE', ...OPEN },
      { title: 'DSN', acknowledged_by: 'Bob' },
      { title: 'TVA', ...OPEN },
    ]);
  });

  it('V16: a message that is not about an alert has none', async () => {
    await world.http('POST', '/api/v1/notifications', {
      token: alice.token,
      body: { channel: 'email', user_ids: [bob.id], subject: 'Hello', body: 'Hello' },
    });
    const [mail] = await mails();
    expect(linksIn(mail!.html + mail!.text)).toEqual([]);
  });
});

describe('V16: the page of a link', () => {
  it('V16: says what it is about in the reader’s language; opening it changes nothing', async () => {
    const path = await link();
    const stored = await world.sql(
      'SELECT a.*, n.seq FROM alerts a JOIN notifications n ON n.alert_id = a.id',
    );
    for (let turn = 0; turn < 3; turn += 1) {
      const { status, text } = await get(path);
      expect(status).toBe(200);
      expect(words(text)).toBe(
        'Vigie Cabinet Martin TVA CA3, échéance dans 5 jours Votre choix vaut pour toutes les personnes averties. ' +
          'La surveillance continue. C’est traité Nous le rappeler dans un jour Nous le rappeler dans une semaine',
      );
    }
    expect((await world.http('HEAD', path)).status).toBe(200);
    expect((await get(`${path}?action=acknowledge`)).status).toBe(200);
    expect(
      await world.sql('SELECT a.*, n.seq FROM alerts a JOIN notifications n ON n.alert_id = a.id'),
    ).toEqual(stored);
    await speaks('en');
    expect(words((await get(path)).text)).toContain(
      'TVA CA3, due in 5 days Your choice applies to everybody',
    );
  });

  it('V16: acknowledges, says who did and when, and undoes it', async () => {
    await speaks('en');
    const path = await link();
    clock.advance(DAY);
    expect(await press(path, 'acknowledge')).toMatchObject({ status: 303, headers: { location: path } });
    expect(await alerts()).toMatchObject([{ acknowledged_by: 'Bob', acknowledged_at: clock.now() }]);
    const { text } = await get(path);
    expect(words(text)).toContain(
      'Marked as handled by Bob on Tuesday, 31 March 2026 at 09:00 (Europe/Paris).',
    );
    expect(text.match(/<button/g)).toHaveLength(1);
    const feed = await world.sql('SELECT acknowledged_at, seq::int FROM notifications');
    expect(feed).toEqual([{ acknowledged_at: clock.now(), seq: 2 }]);

    await press(path, 'undo');
    expect(await alerts()).toMatchObject([OPEN]);
    expect(words((await get(path)).text)).toContain('Remind us in one day');
  });

  it.each([
    ['snooze_day', '2026-03-31T07:00:00Z', 'mardi 31 mars 2026 à 9 h 00'],
    ['snooze_week', '2026-04-06T07:00:00Z', 'lundi 6 avril 2026 à 9 h 00'],
  ])('V16: %s snoozes until %s, critical or not', async (action, until, shown) => {
    const path = await link();
    await world.sql(`UPDATE alerts SET severity = 'critical'`);
    expect((await press(path, action)).status).toBe(303);
    expect(await alerts()).toMatchObject([{ ...OPEN, snoozed_until: new Date(until) }]);
    expect(words((await get(path)).text)).toContain(
      `Personne n’en sera averti avant le ${shown} (Europe/Paris).`,
    );
    await press(path, 'undo');
    expect(await alerts()).toMatchObject([OPEN]);
  });

  it('V16: of two people who press at once, one counts', async () => {
    await deadline('TVA CA3');
    await check();
    await mails();
    const [notification] = await world.sql<{ id: string; alert_id: string }>(
      'SELECT id, alert_id FROM notifications',
    );
    const [hers] = await world.sql<{ id: string }>(
      `INSERT INTO notifications (tenant_id, recipient, user_id, alert_id, dedupe_key, kind, severity, audience, created_at)
       SELECT tenant_id, 'user:' || $1, $1::uuid, alert_id, dedupe_key, kind, severity, audience, created_at
       FROM notifications RETURNING id`,
      [alice.id],
    );
    const paths = [notification!, hers!].map(({ id }) => pathOf(alice.tenant_id, id));
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, turn) => press(paths[turn % 2]!, 'acknowledge')),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array<number>(10).fill(303));
    const pages = await Promise.all(paths.map(async (path) => words((await get(path)).text)));
    expect(new Set(pages.map((page) => /traité par (\w+)/.exec(page)?.[1])).size).toBe(1);
  });

  it('V16: says that a fact is settled, and offers nothing', async () => {
    const path = await link();
    await world.sql('DELETE FROM deadlines');
    await check();
    expect((await press(path, 'acknowledge')).status).toBe(303);
    const { status, text } = await get(path);
    expect([status, words(text)]).toEqual([
      200,
      expect.stringContaining('C’est réglé : il n’y a plus rien à faire.') as string,
    ]);
    expect(text).not.toContain('<button');
    expect(await alerts()).toMatchObject([OPEN]);
  });

  it('V16: acts for a bare address, which has no name', async () => {
    await world.sql(
      `UPDATE tenants SET settings = '{"alert_recipients": ["ops@host.example"]}' WHERE id = $1`,
      [bob.tenant_id],
    );
    await world.app.get(Database).tenant(bob.tenant_id, (tx) =>
      world.app.get(Incidents).raise(tx, [
        {
          kind: 'event',
          source_type: 'disk',
          source_id: bob.id,
          dedupe_key: 'disk:1',
          severity: 'critical',
          data: { kind: 'disk.full', title: 'Disk full', body: 'Make room.' },
          repeat_after_ms: null,
        },
      ]),
    );
    const [mail] = await mails();
    expect(mail!.to).toEqual(['ops@host.example']);
    const [path] = linksIn(mail!.text);
    await press(path!, 'acknowledge');
    expect(await alerts()).toMatchObject([{ acknowledged_by: null, acknowledged_at: clock.now() }]);
    expect(words((await get(path!)).text)).toContain(
      'Marqué comme traité le lundi 30 mars 2026 à 9 h 00 (Europe/Paris).',
    );
  });

  it('V16: loads nothing, runs nothing, and leaks its address to nobody', async () => {
    const path = await link('<script>alert(1)</script>');
    const { headers, text } = await get(path);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    const policy = String(headers['content-security-policy']);
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'nonce-[\w-]+'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'$/,
    );
    expect(text).not.toContain('<script');
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  it.each([
    '',
    'action=',
    'action=delete',
    'action=acknowledge&action=undo',
    'acknowledge',
    'action[x]=undo',
  ])('V16: refuses a form with "%s"', async (body) => {
    const path = await link();
    const { status } = await world.http('POST', path, { headers: FORM, body });
    expect(status).toBe(400);
    expect(await alerts()).toMatchObject([OPEN]);
  });
});

const pathOf = (tenant_id: string, notification_id: string) =>
  new URL(world.app.get(AlertLinks).url({ tenant_id, notification_id })).pathname;

describe('V16: a link that does not work', () => {
  const nonceless = (html: string) => html.replaceAll(/nonce="[^"]+"/g, 'nonce');

  it('V16: gets one page and 404, and does nothing', async () => {
    const path = await link();
    const [notification] = await world.sql<{ id: string }>('SELECT id FROM notifications');
    const id = notification!.id;
    const [message, signature] = path.slice('/alerts/act/'.length).split('.') as [string, string];
    const other = await addTenant(world);
    const foreign = await createWorld({
      clock,
      env: { ...env, JWT_SECRET: 'another secret of another server; 32+' },
    });
    const theirs = new URL(
      foreign.app.get(AlertLinks).url({ tenant_id: bob.tenant_id, notification_id: id }),
    );
    await foreign.close();
    const password = world.app.get(PasswordLinks).url(bob.tenant_id, id).split('#token=')[1]!;
    const [event] = await world.sql<{ id: string }>(
      `INSERT INTO notifications (tenant_id, recipient, user_id, dedupe_key, kind, severity, audience, created_at)
       VALUES ($1, 'user:' || $2, $2::uuid, 'none', 'test', 'info', 'self', now()) RETURNING id`,
      [bob.tenant_id, bob.id],
    );
    const changed = `${message.startsWith('A') ? 'B' : 'A'}${message.slice(1)}`;
    const tokens = [
      'x',
      `${message}.`,
      `.${signature}`,
      message,
      `${changed}.${signature}`,
      `${message}.${signature.slice(1)}`,
      `${message}=.${signature}`,
      `${message}.${signature}.${signature}`,
      theirs.pathname.slice('/alerts/act/'.length),
      password,
      // Rightly signed, of a tenant without this notification, or of one without an alert.
      pathOf(other.id, id).slice('/alerts/act/'.length),
      pathOf(bob.tenant_id, event!.id).slice('/alerts/act/'.length),
      pathOf(bob.tenant_id, bob.id).slice('/alerts/act/'.length),
      '%00',
      '%E2%80%AE',
    ];
    const pages = new Set<string>();
    for (const token of tokens) {
      for (const answer of [
        await get(`/alerts/act/${token}`),
        await press(`/alerts/act/${token}`, 'acknowledge'),
        await press(`/alerts/act/${token}`, 'delete'),
      ]) {
        expect([token, answer.status, answer.headers['content-type']]).toEqual([
          token,
          404,
          'text/html; charset=utf-8',
        ]);
        pages.add(nonceless(answer.text));
      }
    }
    expect([...pages].map(words)).toEqual([
      'Vigie This link does not work It has expired, or it is not complete. Open the alert in Vigie.',
    ]);
    expect(await alerts()).toMatchObject([OPEN]);
  });

  it('V16: expires after 30 days', async () => {
    const path = await link();
    clock.advance(30 * DAY - 1_000);
    expect((await get(path)).status).toBe(200);
    clock.advance(1_000);
    expect((await get(path)).status).toBe(404);
    expect((await press(path, 'acknowledge')).status).toBe(404);
    expect(await alerts()).toMatchObject([OPEN]);
  });

  it('V16: ends when its person is erased, and pauses with a suspended tenant', async () => {
    const path = await link();
    await world.sql('UPDATE tenants SET suspended_at = now() WHERE id = $1', [bob.tenant_id]);
    expect((await press(path, 'acknowledge')).status).toBe(404);
    await world.sql('UPDATE tenants SET suspended_at = NULL WHERE id = $1', [bob.tenant_id]);
    expect((await get(path)).status).toBe(200);
    await world.http('DELETE', `/api/v1/users/${bob.id}`, { token: alice.token });
    expect((await press(path, 'acknowledge')).status).toBe(404);
    expect(await alerts()).toMatchObject([OPEN]);
  });

  it('V16, S9: works with a new JWT_SECRET as long as the previous one is kept', async () => {
    const path = await link();
    const next = 'the next secret of this server; 32 and more';
    const rotated = await createWorld({
      join: world,
      clock,
      env: { ...env, JWT_SECRET: next, JWT_SECRET_PREVIOUS: String(world.config.jwtSecret) },
    });
    const replaced = await createWorld({ join: world, clock, env: { ...env, JWT_SECRET: next } });
    try {
      expect((await get(path, replaced)).status).toBe(404);
      expect((await press(path, 'acknowledge', rotated)).status).toBe(303);
      expect(await alerts()).toMatchObject([{ acknowledged_by: 'Bob' }]);
    } finally {
      await replaced.close();
      await rotated.close();
    }
  });
});
