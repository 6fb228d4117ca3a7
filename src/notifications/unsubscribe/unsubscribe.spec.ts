import { addPerson, addTenant, type Person } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { AlertLinks } from '../../auth/alert-links.js';
import { UnsubscribeLinks } from '../../auth/unsubscribe-links.js';
import { type CaughtMail, type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { LOCALES } from '../../contracts/locales.js';
import { KIND_PEOPLE_CHANNELS, OPTIONAL_KINDS } from '../../contracts/kind-lists.js';
import { StepwiseDelivery } from '../../delivery/dispatch/bundling.fixture.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { HtmlPages } from '../../wording/pages/html-pages.js';

const MORNING = '2026-03-30T07:00:00.000Z';
const DAY = 24 * 3_600_000;
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const ONE_CLICK = 'List-Unsubscribe=One-Click';

const clock = new FixedClock(MORNING);
let smtp: MailCatcher;
let env: Record<string, string>;
let world: World;
let alice: Person;
let bob: Person;
let before: number;
let events = 0;

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

/** The mails since the last call, once everything has left. */
async function mails(from = world): Promise<CaughtMail[]> {
  await new StepwiseDelivery(from).leave();
  const arrived = smtp.mails.slice(smtp.mails.length - (smtp.count - before));
  before = smtp.count;
  return arrived;
}
async function tell(severity = 'info', from = world): Promise<void> {
  events += 1;
  const { status } = await from.http('POST', '/api/v1/events', {
    token: alice.token,
    body: {
      kind: 'x',
      title: `Event ${events}`,
      body: 'Now.',
      severity,
      dedupe_key: `e${events}`,
      user_ids: [bob.id],
    },
  });
  expect(status).toBe(201);
}
const item = (table: string, title: string) =>
  world.sql(
    `INSERT INTO ${table} (tenant_id, title, due_on, responsible_id) VALUES ($1, $2, '2026-03-29', $3)`,
    [bob.tenant_id, title, bob.id],
  );
const header = ({ headers }: CaughtMail) => headers.get('list-unsubscribe');
const pathOf = (mail: CaughtMail) => new URL(/^<(.+)>$/.exec(header(mail) ?? '')?.[1] ?? '').pathname;
/** The link of the only mail about one event. */
async function link(): Promise<string> {
  await tell();
  const [mail] = await mails();
  return pathOf(mail!);
}
const get = (path: string, from = world) => from.http('GET', path, { headers: { 'accept-language': 'en' } });
const post = (path: string, body: string, from = world) =>
  from.http('POST', path, { headers: { ...FORM, 'accept-language': 'en' }, body });
const choices = () =>
  world.sql(`SELECT kind, channel, enabled FROM preferences WHERE user_id = $1 ORDER BY kind, channel`, [
    bob.id,
  ]);
const states = () =>
  world.sql(
    `SELECT state, reason FROM deliveries WHERE recipient = 'user:' || $1 AND channel = 'email' ORDER BY id`,
    [bob.id],
  );
const OFF = { kind: 'event', channel: 'email', enabled: false };
/** What a person reads. */
const words = (html: string) =>
  html
    .replace(/<(style|head)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

describe('RFC 8058: the mail', () => {
  it('RFC 8058: has both headers, and the same address in its footer', async () => {
    await tell();
    const [mail, ...others] = await mails();
    expect(others).toEqual([]);
    const address = /^<(https:\/\/vigie\.cabinet-martin\.example\/unsubscribe\/[\w.-]+)>$/.exec(
      header(mail!)!,
    )![1]!;
    expect(mail!.headers.get('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click');
    expect(mail!.html).toContain(`<a class="footer-link" href="${address}"`);
    expect(mail!.text).toContain(`Ne plus recevoir ces e-mails\n${address}`);
    expect(address.length).toBeLessThan(150);
    // It holds ids and codes of names: no address.
    const token = address.split('/').at(-1)!;
    expect(Buffer.from(token.split('.')[0]!, 'base64url')).toHaveLength(16 + 16 + 3 + 3);
  });

  it('RFC 8058: the record of the delivery leaves the address out', async () => {
    await tell();
    await mails();
    const [delivery] = await world.sql<{ sent_text: string }>('SELECT sent_text FROM deliveries');
    expect(delivery!.sent_text).toContain('Ne plus recevoir ces e-mails\n…');
    expect(delivery!.sent_text).not.toContain('/unsubscribe/');
  });

  it('RFC 8058: a message of a colleague and the weekly summary have them, too', async () => {
    await world.http('POST', '/api/v1/notifications', {
      token: alice.token,
      body: { channel: 'email', user_ids: [bob.id], subject: 'Hello', body: 'Hello' },
    });
    await runJob(world, bob.tenant_id, 'weekly-summary');
    const arrived = (await mails()).filter(({ to }) => to.includes(bob.email));
    expect(arrived.length).toBeGreaterThan(0);
    for (const mail of arrived) expect(header(mail)).toMatch(/^<https:.+>$/);
  });

  it('RFC 8058: mandatory kinds have neither header nor link', async () => {
    await tell('critical');
    await world.http('POST', '/api/v1/users', {
      token: alice.token,
      body: { email: 'new@example.com', name: 'New' },
    });
    await world.http('POST', `/api/v1/notifications/test-email`, { token: alice.token, body: {} });
    const change = await world.http('PATCH', `/api/v1/users/${bob.id}`, {
      token: alice.token,
      body: { email: 'bob2@example.com' },
    });
    expect(change.status).toBe(200);
    // A bare address has no preferences.
    await world.http('POST', '/api/v1/notifications', {
      token: alice.token,
      body: { channel: 'email', to: 'someone@elsewhere.example', subject: 'Hello', body: 'Hello' },
    });
    const arrived = await mails();
    expect(arrived.length).toBeGreaterThanOrEqual(4);
    for (const mail of arrived) {
      expect([mail.subject, header(mail), mail.headers.has('list-unsubscribe-post')]).toEqual([
        mail.subject,
        undefined,
        false,
      ]);
      expect(mail.html + mail.text).not.toContain('/unsubscribe/');
    }
  });

  it('RFC 8058: has no link without a public address, and no one click without https', async () => {
    const { VIGIE_PUBLIC_URL: publicUrl = '', ...without } = env;
    expect(publicUrl).not.toBe('');
    for (const [settings, expected] of [
      [without, undefined],
      [
        { ...env, VIGIE_PUBLIC_URL: 'http://vigie.local' },
        expect.stringMatching(/^<http:\/\/vigie\.local\/unsubscribe\/[\w.-]+>$/) as string,
      ],
    ] as const) {
      const other = await createWorld({ join: world, clock, env: settings });
      try {
        await tell('info', other);
        const [mail] = await mails(other);
        expect(header(mail!)).toEqual(expected);
        expect(mail!.headers.has('list-unsubscribe-post')).toBe(false);
        expect(mail!.text.includes('/unsubscribe/')).toBe(expected !== undefined);
      } finally {
        await other.close();
      }
    }
  });
});

describe('RFC 8058: one click', () => {
  const MULTIPART = {
    headers: { 'content-type': 'multipart/form-data; boundary=b0undary' },
    body: '--b0undary\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b0undary--\r\n',
  };

  it('RFC 8058: turns the kind off on this channel, and critical ones still arrive', async () => {
    const path = await link();
    const { status, headers } = await post(path, ONE_CLICK);
    expect([status, headers.location]).toEqual([200, undefined]);
    expect(await choices()).toEqual([OFF]);
    await tell();
    await tell('critical');
    const [mail, ...others] = await mails();
    expect([mail!.subject, others]).toEqual([expect.stringContaining(`Event ${events}`), []]);
    expect(await states()).toEqual([
      { state: 'sent', reason: null },
      { state: 'suppressed', reason: 'preference' },
      { state: 'sent', reason: null },
    ]);
    const { body } = await world.http('GET', '/api/v1/preferences', { token: bob.token });
    const shown = (body as { preferences: { kind: string; enabled: boolean; source: string }[] }).preferences;
    expect(shown.filter(({ source }) => source === 'user')).toMatchObject([
      { ...OFF, critical_enabled: true },
    ]);
  });

  it('RFC 8058: comes as multipart/form-data as well', async () => {
    const path = await link();
    expect((await world.http('POST', path, MULTIPART)).status).toBe(200);
    expect(await choices()).toEqual([OFF]);
  });

  it('RFC 8058: needs no cookie, no script, no further step, and may be repeated', async () => {
    const path = await link();
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(path, ONE_CLICK)));
    expect(answers.map(({ status }) => status)).toEqual(Array<number>(8).fill(200));
    expect(answers[0]!.headers['set-cookie']).toBeUndefined();
    expect(await choices()).toEqual([OFF]);
    const other = { kind: 'message', channel: 'email', enabled: false };
    await world.sql(`INSERT INTO preferences VALUES ($1, $2, 'message', 'email', false)`, [
      bob.tenant_id,
      bob.id,
    ]);
    expect((await post(path, ONE_CLICK)).status).toBe(200);
    expect(await choices()).toEqual([OFF, other]);
  });

  it('RFC 8058: suppresses waiting deliveries', async () => {
    const path = await link();
    await tell();
    await post(path, ONE_CLICK);
    expect(await mails()).toEqual([]);
    expect((await states()).at(-1)).toEqual({ state: 'suppressed', reason: 'preference' });
  });

  it('RFC 8058: of a mail with several kinds turns off all of them, and nothing else', async () => {
    for (const [table, title] of [
      ['deadlines', 'TVA CA3'],
      ['document_requests', 'Relevé'],
      ['tasks', 'Bilan'],
    ] as const)
      await item(table, title);
    // Not critical: nothing here is very late.
    await runJob(world, bob.tenant_id, 'check-notifications');
    const [mail, ...others] = (await mails()).filter((each) => header(each) !== undefined);
    expect(others).toEqual([]);
    const kinds = await world.sql<{ kind: string }>(
      `SELECT DISTINCT n.kind FROM notifications n JOIN deliveries d ON d.notification_id = n.id
       WHERE d.channel = 'email' AND n.severity <> 'critical' AND d.state = 'sent' ORDER BY 1`,
    );
    expect(kinds.length).toBeGreaterThan(1);
    expect((await post(pathOf(mail!), ONE_CLICK)).status).toBe(200);
    expect(await choices()).toEqual(kinds.map(({ kind }) => ({ kind, channel: 'email', enabled: false })));
  });

  it('RFC 8058: a GET changes nothing', async () => {
    const path = await link();
    const stored = await world.sql(
      'SELECT u.*, d.state FROM users u LEFT JOIN deliveries d ON true ORDER BY u.id',
    );
    for (const [method, url, headers] of [
      ['GET', path, {}],
      ['HEAD', path, {}],
      ['GET', path, { 'sec-purpose': 'prefetch', purpose: 'prefetch' }],
      ['GET', `${path}?${ONE_CLICK}`, {}],
      ['GET', `${path}?action=stop&kind=event`, { 'user-agent': 'BarracudaCentral' }],
    ] as const)
      expect((await world.http(method, url, { headers })).status).toBe(200);
    expect(await choices()).toEqual([]);
    expect(
      await world.sql('SELECT u.*, d.state FROM users u LEFT JOIN deliveries d ON true ORDER BY u.id'),
    ).toEqual(stored);
  });
});

describe('E6: the page of the link', () => {
  it('E6: says which e-mails stop, in the reader’s language, and names nobody', async () => {
    const path = await link();
    const { status, text } = await get(path);
    expect(status).toBe(200);
    expect(words(text)).toBe(
      'Vigie Cabinet Martin Vos e\u2011mails Quels e\u2011mails ne voulez-vous plus recevoir ? ' +
        'Événements signalés par d’autres logiciels Ne plus les recevoir ' +
        'Tout reste affiché dans Vigie. Les alertes urgentes vous parviennent toujours. ' +
        'Trop de messages ? Vos préférences permettent aussi de choisir des heures, de faire une pause ou de tout regrouper.',
    );
    await world.sql(`UPDATE users SET locale = 'en' WHERE id = $1`, [bob.id]);
    expect(words((await get(path)).text)).toContain(
      'Which e\u2011mails do you no longer want? Events reported by',
    );
    expect((await get(path)).text).not.toMatch(/Bob|bob@/);
  });

  it('E6: its buttons stop the chosen kinds, and undo it', async () => {
    await world.sql(`UPDATE users SET locale = 'en' WHERE id = $1`, [bob.id]);
    const path = pathFor(['event', 'message']);
    expect(await post(path, 'action=stop&kind=event')).toMatchObject({
      status: 303,
      headers: { location: path },
    });
    expect(await choices()).toEqual([OFF]);
    expect(words((await get(path)).text)).toContain(
      'You no longer receive these e\u2011mails: Events reported by other programs Receive them again ' +
        'Which e\u2011mails do you no longer want? Messages from colleagues Stop receiving them',
    );
    await post(path, 'action=stop&kind=event&kind=message');
    expect(await choices()).toEqual([OFF, { ...OFF, kind: 'message' }]);
    expect((await get(path)).text.match(/<button/g)).toHaveLength(1);
    await post(path, 'action=resume&kind=event&kind=message');
    expect(await choices()).toEqual([]);
    await tell();
    expect(await mails()).toHaveLength(1);
  });

  it('E6: undone, a kind that is off by default for the tenant is the user’s choice again', async () => {
    await world.sql(`INSERT INTO tenant_preferences VALUES ($1, 'event', 'email', false)`, [bob.tenant_id]);
    const path = pathFor(['event']);
    expect((await post(path, 'action=resume&kind=event')).status).toBe(303);
    expect(await choices()).toEqual([{ ...OFF, enabled: true }]);
    await post(path, ONE_CLICK);
    expect(await choices()).toEqual([OFF]);
  });

  it('E6: only turns the kinds of its mail', async () => {
    const path = pathFor(['event']);
    await post(path, 'action=stop&kind=message&kind=welcome&kind=event');
    expect(await choices()).toEqual([OFF]);
  });

  it('E6: loads nothing, runs nothing, and leaks its address to nobody', async () => {
    await world.sql(`UPDATE tenants SET name = '<script>alert(1)</script>'`);
    const { headers, text } = await get(pathFor(['event']));
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    expect(String(headers['content-security-policy'])).toMatch(
      /^default-src 'none'; style-src 'nonce-[\w-]+'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'$/,
    );
    expect(text).not.toContain('<script');
    expect(text).toContain('&lt;script&gt;');
  });

  it.each([
    '',
    'action=stop',
    'action=resume&kind=',
    'action=delete&kind=event',
    'action=stop&action=resume&kind=event',
    'List-Unsubscribe=one-click-please',
    'List-Unsubscribe=One-Click&List-Unsubscribe=One-Click',
    'kind=event',
    'action=stop&kind[x]=event',
  ])('E6: refuses a form with "%s"', async (body) => {
    const { status } = await post(pathFor(['event']), body);
    // An unknown kind is none of this mail's: nothing happens.
    expect(body === 'action=resume&kind=' ? [303] : [400]).toContain(status);
    expect(await choices()).toEqual([]);
  });

  it.each([
    ['application/json', '{"List-Unsubscribe":"One-Click"}', 200],
    ['text/plain', ONE_CLICK, 415],
    ['multipart/form-data', ONE_CLICK, 400],
    ['multipart/form-data; boundary=x', 'no parts', 400],
    [
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne',
      400,
    ],
  ])('RFC 8058: a body as %s with %j answers %s', async (type, body, expected) => {
    const { status } = await world.http('POST', pathFor(['event']), {
      headers: { 'content-type': type },
      body,
    });
    expect(status).toBe(expected);
    expect(await choices()).toEqual(expected === 200 ? [OFF] : []);
  });

  it('E6: has words for every kind that can be turned off', () => {
    const pages = world.app.get(HtmlPages);
    for (const locale of LOCALES) {
      for (const kind of OPTIONAL_KINDS) {
        const html = pages.render('unsubscribe', locale, 'n', {
          tenant: { name: 'x' },
          on: [{ kind }],
          off: [],
        });
        expect([kind, />([^<>]+)<\/label>/.exec(html)?.[1]]).toEqual([
          kind,
          expect.not.stringContaining('_'),
        ]);
      }
    }
  });
});

type Kind = (typeof OPTIONAL_KINDS)[number];
const pathFor = (kinds: readonly Kind[], { tenant_id, id: user_id } = bob, from = world) =>
  new URL(from.app.get(UnsubscribeLinks).url({ tenant_id, user_id, channel: 'email', kinds })!).pathname;

describe('RFC 8058: the token', () => {
  it('RFC 8058: names every kind, in an address that fits into a line of plain text', () => {
    const links = world.app.get(UnsubscribeLinks);
    const link = {
      tenant_id: bob.tenant_id,
      user_id: bob.id,
      channel: 'email',
      kinds: OPTIONAL_KINDS,
    } as const;
    const path = pathFor(OPTIONAL_KINDS);
    expect(path.length - '/unsubscribe/'.length).toBeLessThanOrEqual(200);
    expect(links.read(path.slice('/unsubscribe/'.length))).toEqual(link);
    for (const { kind, channel } of KIND_PEOPLE_CHANNELS.filter((each) =>
      (OPTIONAL_KINDS as readonly string[]).includes(each.kind),
    )) {
      const one = { ...link, channel, kinds: [kind as Kind] };
      expect(links.read(links.url(one)!.split('/').at(-1)!)).toEqual(one);
    }
  });

  it('RFC 8058: gets one page and 404 if it was not made here, and does nothing', async () => {
    const path = pathFor(['event']);
    const [message, signature] = path.slice('/unsubscribe/'.length).split('.') as [string, string];
    const other = await addTenant(world);
    const foreign = await createWorld({
      clock,
      env: { ...env, JWT_SECRET: 'another secret of another server; 32+' },
    });
    const theirs = pathFor(['event'], bob, foreign).slice('/unsubscribe/'.length);
    await foreign.close();
    const alert = world.app.get(AlertLinks).url({ tenant_id: bob.tenant_id, notification_id: bob.id });
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
      theirs,
      alert.split('/').at(-1)!,
      // Rightly signed, of a tenant without this user.
      pathFor(['event'], { ...bob, tenant_id: other.id }).slice('/unsubscribe/'.length),
      // Rightly signed, with nothing that this version has.
      pathFor([]).slice('/unsubscribe/'.length),
      '%00',
      '%E2%80%AE',
    ];
    const pages = new Set<string>();
    for (const token of tokens) {
      for (const answer of [
        await get(`/unsubscribe/${token}`),
        await post(`/unsubscribe/${token}`, ONE_CLICK),
        await post(`/unsubscribe/${token}`, 'action=stop&kind=event'),
        await post(`/unsubscribe/${token}`, 'action=delete'),
      ]) {
        expect([token, answer.status, answer.headers['content-type']]).toEqual([
          token,
          404,
          'text/html; charset=utf-8',
        ]);
        pages.add(answer.text.replaceAll(/nonce="[^"]+"/g, 'nonce'));
      }
    }
    expect([...pages].map(words)).toEqual([
      'Vigie This link does not work It is not complete, or it is no longer valid. Change your preferences in Vigie.',
    ]);
    expect(await choices()).toEqual([]);
  });

  it('RFC 8058: works years later', async () => {
    const path = await link();
    clock.advance(5 * 365 * DAY);
    expect((await post(path, ONE_CLICK)).status).toBe(200);
    expect(await choices()).toEqual([OFF]);
  });

  it('RFC 8058: ends when its user is erased, and pauses with a suspended tenant', async () => {
    const path = await link();
    await world.sql('UPDATE tenants SET suspended_at = now() WHERE id = $1', [bob.tenant_id]);
    expect((await post(path, ONE_CLICK)).status).toBe(404);
    await world.sql('UPDATE tenants SET suspended_at = NULL WHERE id = $1', [bob.tenant_id]);
    expect((await get(path)).status).toBe(200);
    await world.http('DELETE', `/api/v1/users/${bob.id}`, { token: alice.token });
    for (const answer of [await get(path), await post(path, ONE_CLICK)]) expect(answer.status).toBe(404);
  });

  it('RFC 8058, S9: works with a new JWT_SECRET as long as the previous one is kept', async () => {
    const path = await link();
    const next = 'the next secret of this server; 32 and more';
    const rotated = await createWorld({
      join: world,
      clock,
      env: { ...env, JWT_SECRET: next, JWT_SECRET_PREVIOUS: String(world.config.jwtSecret) },
    });
    const replaced = await createWorld({ join: world, clock, env: { ...env, JWT_SECRET: next } });
    try {
      expect((await post(path, ONE_CLICK, replaced)).status).toBe(404);
      expect((await post(path, ONE_CLICK, rotated)).status).toBe(200);
      expect(await choices()).toEqual([OFF]);
    } finally {
      await replaced.close();
      await rotated.close();
    }
  });
});
