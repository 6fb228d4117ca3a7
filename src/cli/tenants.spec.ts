import { addTenant } from '../../test/support/cast.js';
import { createWorld, environmentOf, mailEnvironment, type World } from '../../test/support/world.js';
import { tokenOf } from '../../test/support/links.js';
import { type MailCatcher, startMailCatcher } from './demo/mail-catcher.js';
import { createTenant, listTenants } from './tenants.js';

const PASSWORD = 'a phrase that only I know';
let catcher: MailCatcher;
let world: World;
let environment: Record<string, string>;

beforeAll(async () => {
  catcher = await startMailCatcher();
  const mail = {
    ...mailEnvironment(catcher),
    VIGIE_PUBLIC_URL: 'https://vigie.example',
  };
  world = await createWorld({ env: { VIGIE_ROLES: 'web,worker,scheduler', ...mail } });
  await addTenant(world, { slug: 'taken' });
  environment = { ...environmentOf(world), ...mail };
});
afterAll(async () => {
  await world.close();
  await catcher.close();
});

const OPTIONS = { name: 'Cabinet Noir', admin: 'Zoe@Noir.example' };
const linkIn = (text: string) => /https:\S+#token=\S+/.exec(text)![0];

async function signIn(tenant: string, email: string, url: string): Promise<unknown> {
  const body = { token: tokenOf(url), password: PASSWORD };
  expect((await world.http('POST', '/api/v1/auth/password', { body })).status).toBe(204);
  const login = await world.http('POST', '/api/v1/auth/login', {
    body: { tenant, email, password: PASSWORD },
  });
  return (await world.http('GET', '/api/v1/me', { token: String(login.body.access_token) })).body;
}

describe('R10: vigie tenants create', () => {
  it('creates a tenant and its first admin, who logs in with the mailed and printed link', async () => {
    const text = await createTenant(environment, 'cabinet-noir', OPTIONS);
    expect(text).toContain('Created tenant cabinet-noir with the admin Zoe@noir.example.');
    const mail = await catcher.waitFor(({ to }) => to.some((address) => /zoe@noir/i.test(address)));
    expect(linkIn(mail.text)).toBe(linkIn(text));
    expect(await signIn('cabinet-noir', 'zoe@noir.example', linkIn(text))).toMatchObject({
      role: 'admin',
      name: 'Zoe',
      tenant: {
        slug: 'cabinet-noir',
        name: 'Cabinet Noir',
        kind: 'cabinet',
        time_zone: 'Europe/Paris',
        locale: 'fr',
      },
    });
    const rows = await world.sql(
      `SELECT actor, status FROM installation_audit_log WHERE action = 'vigie tenants create'`,
    );
    expect(rows).toEqual([{ actor: 'cli', status: 200 }]);
  });

  it('prints JSON, says if no mail is sent, and lists tenants', async () => {
    const mute = { ...environment, SMTP_HOST: '' };
    const options = {
      ...OPTIONS,
      kind: 'company',
      timeZone: 'Indian/Reunion',
      locale: 'en',
      adminName: 'Zoé N.',
    };
    const text = await createTenant(mute, 'noir-sarl', { ...options, json: true });
    const made = JSON.parse(text) as { link: { url: string }; mail: string };
    expect(made).toMatchObject({
      tenant: { slug: 'noir-sarl', kind: 'company', time_zone: 'Indian/Reunion', locale: 'en' },
      admin: { email: 'Zoe@noir.example', name: 'Zoé N.' },
      mail: 'not_configured',
    });
    await signIn('noir-sarl', 'zoe@noir.example', made.link.url);
    expect(await listTenants(environment, {})).toMatch(
      /^slug +name +kind +time zone +locale +since +state\n/,
    );
    const listed = JSON.parse(await listTenants(environment, { json: true })) as { slug: string }[];
    expect(listed.map(({ slug }) => slug)).toEqual(['taken', 'cabinet-noir', 'noir-sarl']);
  });

  it.each([
    ['a bad slug', 'Cabinet Noir', {}, /^the slug must be 1 to 63 lower-case letters/],
    ['a taken slug', 'taken', {}, /^the slug taken is taken$/],
    ['a bad address', 'other', { admin: 'zoe' }, /^--admin must be a single e-mail address/],
    ['no name', 'other', { name: '' }, /^--name must be/],
    ['an unknown zone', 'other', { timeZone: 'Europe/Pariss' }, /^--time-zone must be|time_zone/],
    ['an unknown language', 'other', { locale: 'de' }, /^--locale must be one of the following values: /],
  ])('refuses %s in plain words, and makes nothing', async (_what, slug, changes, sentence) => {
    await expect(createTenant(environment, slug, { ...OPTIONS, ...changes })).rejects.toThrow(sentence);
    expect(await world.sql(`SELECT 1 FROM tenants WHERE slug = 'other'`)).toEqual([]);
  });

  it('creates no tenant if its admin cannot be created', async () => {
    await world.sql('ALTER TABLE password_links RENAME TO password_links_elsewhere');
    await expect(createTenant(environment, 'other', OPTIONS)).rejects.toThrow();
    await world.sql('ALTER TABLE password_links_elsewhere RENAME TO password_links');
    expect(await world.sql(`SELECT 1 FROM tenants WHERE slug = 'other'`)).toEqual([]);
  });
});
