import { addPerson, type Cast, createCast, PASSWORD, type Person } from '../../../test/support/cast.js';
import { tokenOf } from '../../../test/support/links.js';
import { until } from '../../../test/support/until.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';

const NEW = 'another horse, another battery';

let catcher: MailCatcher;
let world: World;
let cast: Cast;
let count = 0;

beforeAll(async () => {
  catcher = await startMailCatcher();
  world = await createWorld({
    env: {
      VIGIE_ROLES: 'web,worker,scheduler',
      ...mailEnvironment(catcher),
    },
  });
  cast = await createCast(world);
});
afterAll(async () => {
  await world.close();
  await catcher.close();
});

const someone = (): Promise<Person> => addPerson(world, cast.tenant_id, { name: `Karim${count++}` });
const post = (path: string, body: object, token?: string) =>
  world.http('POST', `/api/v1/${path}`, { body, token });
const patch = (id: string, body: object) =>
  world.http('PATCH', `/api/v1/users/${id}`, { body, token: cast.admin.token });
const me = async ({ token }: { token: string }) => (await world.http('GET', '/api/v1/me', { token })).status;
const login = (email: string, password: string) =>
  post('auth/login', { email, password, tenant: cast.tenant.slug });

/** The token of the link in this mail. */
async function mailedToken(address: string, about: string): Promise<string> {
  const mail = await mailTo(address, about);
  return tokenOf(/https?:\S+\/password#token=\S+/.exec(mail.text)![0]);
}
const mailTo = (address: string, about: string) =>
  catcher.waitFor(({ to, subject }) => to.includes(address) && subject.includes(about));

async function requestReset({ email }: { email: string }): Promise<string> {
  expect((await post('auth/password-reset', { email, tenant: cast.tenant.slug })).status).toBe(202);
  return mailedToken(email, 'choisissez un nouveau mot de passe');
}

describe('S3: a link that was mailed before', () => {
  it('ends when the user changes the password, like the other sessions, and a mail reports it', async () => {
    const person = await someone();
    const token = await requestReset(person);
    const other = (await login(person.email, PASSWORD)).body as { access_token: string };
    const change = { current_password: PASSWORD, new_password: NEW };
    expect((await post('auth/password/change', change, person.token)).status).toBe(204);

    expect((await post('auth/password', { token, password: `${NEW}, twice` })).body.code).toBe('link_used');
    expect(await me(person)).toBe(200);
    expect(await me({ token: other.access_token })).toBe(401);
    const mail = await mailTo(person.email, 'votre mot de passe a été changé');
    expect(mail.text).toContain('Ce n’est pas vous');
  });

  it('ends when another link sets the password, like all sessions, and a mail reports it', async () => {
    const person = await someone();
    const first = await requestReset(person);
    expect(
      (await post('auth/password-reset', { email: person.email, tenant: cast.tenant.slug })).status,
    ).toBe(202);
    const mails = await until('both links', () => {
      const found = catcher.mails.filter(
        ({ to, subject }) => to.includes(person.email) && subject.includes('nouveau mot de passe'),
      );
      return found.length === 2 ? found : null;
    });
    const tokens = mails.map(({ text }) => tokenOf(/https?:\S+\/password#token=\S+/.exec(text)![0]));
    const second = tokens.find((token) => token !== first)!;
    expect((await post('auth/password', { token: second, password: NEW })).status).toBe(204);

    expect((await post('auth/password', { token: first, password: NEW })).body.code).toBe('link_used');
    expect(await me(person)).toBe(401);
    await mailTo(person.email, 'votre mot de passe a été changé');
  });

  it('ends when an admin changes the address, like all sessions, and the old address gets a mail', async () => {
    const person = await someone();
    const token = await requestReset(person);
    const address = `moved.${person.email}`;
    expect((await patch(person.id, { email: address })).status).toBe(200);

    expect((await post('auth/password', { token, password: NEW })).body.code).toBe('link_used');
    expect(await me(person)).toBe(401);
    expect((await post('auth/refresh', { refresh_token: person.refresh_token })).status).toBe(401);
    const mail = await mailTo(person.email, 'votre adresse e-mail a été changée');
    // The reader of the old mailbox need not learn the new address.
    expect(`${mail.subject} ${mail.html} ${mail.text}`).not.toContain(address);
    expect(catcher.mails.filter(({ to }) => to.includes(address))).toEqual([]);
    expect((await login(address, PASSWORD)).status).toBe(200);
  });

  it('is forgotten with the previous address when the user is erased', async () => {
    const { id, email } = await someone();
    expect((await patch(id, { email: `moved.${email}` })).status).toBe(200);
    const rows = () =>
      world.sql(`SELECT data FROM notifications WHERE recipient = $1 AND kind = 'email_changed'`, [
        `user:${id}`,
      ]);
    expect(await rows()).toMatchObject([{ data: { previous_email: email } }]);
    await mailTo(email, 'votre adresse e-mail a été changée');
    const erased = await world.http('DELETE', `/api/v1/users/${id}`, { token: cast.admin.token });
    expect(erased.status).toBe(204);
    expect(await rows()).toEqual([{ data: { changed_at: expect.any(String) } }]);
  });

  it('goes on when the address is only spelt otherwise, or something else changes', async () => {
    const person = await someone();
    const token = await requestReset(person);
    expect((await patch(person.id, { email: person.email.toUpperCase(), name: 'Karima' })).status).toBe(200);
    expect(await me(person)).toBe(200);
    expect((await post('auth/password', { token, password: NEW })).status).toBe(204);
  });
});

describe('S3: a first password', () => {
  const create = async () => {
    const email = `newcomer${count++}@example.com`;
    const created = await post('users', { email, name: 'Nina' }, cast.admin.token);
    expect(created.status).toBe(201);
    return { id: String(created.body.id), email };
  };

  it('is not a change, and sends no warning', async () => {
    const { id, email } = await create();
    const token = await mailedToken(email, 'choisissez votre mot de passe');
    expect((await post('auth/password', { token, password: NEW })).status).toBe(204);
    const kinds = await world.sql(`SELECT kind FROM notifications WHERE user_id = $1`, [id]);
    expect(kinds).toEqual([{ kind: 'welcome' }]);
  });

  it('is requested at the right address once a wrong one is corrected, and no longer at the wrong one', async () => {
    const { id, email } = await create();
    const wrong = await mailedToken(email, 'choisissez votre mot de passe');
    expect((await patch(id, { email: `right.${email}` })).status).toBe(200);
    const right = await mailedToken(`right.${email}`, 'choisissez votre mot de passe');
    expect((await post('auth/password', { token: wrong, password: NEW })).body.code).toBe('link_used');
    expect((await post('auth/password', { token: right, password: NEW })).status).toBe(204);
  });
});

describe('R9: a mail whose link no longer works is not sent', () => {
  /** A user whose welcome mail is pending, as when the mail server is down. */
  async function waiting(): Promise<{ id: string; email: string }> {
    await world.sql(`UPDATE channels SET paused = true WHERE channel = 'email'`);
    const email = `late${count++}@example.com`;
    const created = await post('users', { email, name: 'Lena' }, cast.admin.token);
    return { id: String(created.body.id), email };
  }
  const resume = () => world.sql(`UPDATE channels SET paused = false WHERE channel = 'email'`);
  const outcomes = (id: string) =>
    world.sql(
      `SELECT n.kind, d.state, d.reason FROM deliveries d
       JOIN notifications n ON n.tenant_id = d.tenant_id AND n.id = d.notification_id
       WHERE n.user_id = $1 ORDER BY n.created_at, n.id`,
      [id],
    );
  const ENDED = { kind: 'welcome', state: 'suppressed', reason: 'link_ended' };
  afterEach(resume);

  it('because an admin handed over another link', async () => {
    const { id } = await waiting();
    expect(await outcomes(id)).toEqual([{ kind: 'welcome', state: 'pending', reason: null }]);
    const handed = await world.http('POST', `/api/v1/users/${id}/password-link`, { token: cast.admin.token });
    expect(handed.status).toBe(201);
    expect(await outcomes(id)).toEqual([ENDED]);
    expect(
      (await post('auth/password', { token: tokenOf(String(handed.body.url)), password: NEW })).status,
    ).toBe(204);
  });

  it('because it was used or has expired, even if queued before', async () => {
    const { id, email } = await waiting();
    await world.sql(`UPDATE password_links SET expires_at = now() WHERE user_id = $1`, [id]);
    await resume();
    const other = await someone();
    await requestReset(other);
    await until('the outcome', async () => (await outcomes(id))[0]!.state === 'suppressed');
    expect(await outcomes(id)).toEqual([ENDED]);
    expect(catcher.mails.filter(({ to }) => to.includes(email))).toEqual([]);
  });
});
