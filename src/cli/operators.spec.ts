import { PassThrough, Readable } from 'node:stream';
import { type Cast, createCast, PASSWORD } from '../../test/support/cast.js';
import { LoginThrottle } from '../auth/sessions/login-throttle.js';
import { createWorld, environmentOf, type World } from '../../test/support/world.js';
import { createOperator, listOperators, resetOperatorPassword, unlockLogin } from './operators.js';
import { readNewPassword } from './password-input.js';

const NEW = 'a phrase that only I know';
let world: World;
let cast: Cast;
let environment: Record<string, string>;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  environment = environmentOf(world);
});
afterAll(() => world.close());

const piped = (text: string) => ({ input: Readable.from([text]), output: new PassThrough() });
const login = (email: string, password: string, tenant?: string) =>
  world.http('POST', '/api/v1/auth/login', { body: { email, password, tenant } });
const audited = (action: string) =>
  world.sql(`SELECT actor, actor_kind, status, ip FROM installation_audit_log WHERE action = $1`, [action]);

describe('S7: vigie operators', () => {
  it('creates a second operator, who logs in; the password comes from the standard input', async () => {
    const made = await createOperator(environment, 'Second@Example.com', { name: 'Deux' }, piped(`${NEW}\n`));
    expect(made).toContain('Second@example.com');
    expect((await login('second@example.com', NEW)).status).toBe(200);
    const listed = JSON.parse(await listOperators(environment, { json: true })) as object[];
    expect(listed).toMatchObject([
      { email: cast.operator.email, sessions: 1 },
      { email: 'Second@example.com', name: 'Deux', sessions: 1 },
    ]);
    expect(await listOperators(environment, {})).toMatch(/^email +name +since +open sessions\n/);
    expect(await audited('vigie operators create')).toEqual([
      { actor: 'cli', actor_kind: 'cli', status: 200, ip: null },
    ]);
  });

  it.each([
    ['no address', 'second', NEW, 'second is not an e-mail address'],
    ['a taken address', 'OPERATOR@example.com', NEW, 'an operator OPERATOR@example.com already exists'],
    [
      'a short password',
      'third@example.com',
      'short',
      'a password must have 12 to 200 characters; this one has 5',
    ],
    [
      'a common password',
      'third@example.com',
      'Password1234!',
      'password is too common: attackers try it first',
    ],
    ['no password', 'third@example.com', '', 'no password: pass it as the first line of standard input'],
  ])('refuses %s in plain words', async (_what, email, password, sentence) => {
    await expect(createOperator(environment, email, {}, piped(password))).rejects.toThrow(sentence);
    expect(await world.sql(`SELECT 1 FROM operators WHERE email = 'third@example.com'`)).toEqual([]);
  });

  it('lets an operator back in who is locked and has forgotten the password', async () => {
    const { email, token } = cast.operator;
    while ((await login(email, 'wrong')).status === 401);
    expect((await login(email, PASSWORD)).status).toBe(429);
    await resetOperatorPassword(environment, email, {}, piped(`${NEW}\n`));
    expect((await world.http('GET', '/api/v1/tenants', { token })).status).toBe(401);
    expect((await login(email, NEW)).status).toBe(200);
    expect(await audited('vigie operators reset-password')).toHaveLength(1);
    await expect(resetOperatorPassword(environment, 'nobody@example.com', {}, piped(NEW))).rejects.toThrow(
      'there is no operator nobody@example.com',
    );
  });

  it('says so where the password is changed and locks could not be lifted', async () => {
    jest.spyOn(LoginThrottle.prototype, 'unlock').mockRejectedValueOnce(new Error('Redis is gone'));
    const said = await resetOperatorPassword(environment, cast.operator.email, {}, piped(`${NEW}\n`));
    expect(said).toContain('is changed, and all sessions have ended. Locks could not be lifted');
    expect((await login(cast.operator.email, NEW)).status).toBe(200);
  });

  it('unlocks a user of a tenant', async () => {
    const { email } = cast.teammate;
    const tenant = cast.tenant.slug;
    while ((await login(email, 'wrong', tenant)).status === 401);
    expect((await login(email, PASSWORD, tenant)).status).toBe(429);
    expect(await unlockLogin(environment, email, { tenant })).toContain(email);
    expect((await login(email, PASSWORD, tenant)).status).toBe(200);
    await expect(unlockLogin(environment, email, { tenant: 'nowhere' })).rejects.toThrow(
      'there is no tenant nowhere',
    );
    await expect(unlockLogin(environment, email, {})).rejects.toThrow(`there is no operator ${email}`);
  });
});

describe('S7: a password prompt on a terminal', () => {
  /** A terminal on which somebody types these lines, each after its prompt. */
  function typing(...lines: string[]) {
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
    const shown: string[] = [];
    const output = new PassThrough();
    output.on('data', (chunk) => {
      shown.push(String(chunk));
      if (String(chunk).endsWith(': ')) setImmediate(() => input.write(`${lines.shift() ?? ''}\r`));
    });
    return { terminal: { input, output }, shown };
  }

  it('is never shown, and entered twice', async () => {
    const { terminal, shown } = typing(NEW, NEW);
    expect(await readNewPassword(terminal)).toBe(NEW);
    expect(shown.join('')).toBe('New password: \nAgain: \n');
  });

  it('must be the same both times', async () => {
    const { terminal } = typing(NEW, `${NEW}!`);
    await expect(readNewPassword(terminal)).rejects.toThrow('the passwords do not match');
  });

  it('can be cancelled', async () => {
    const { terminal } = typing('\u0003');
    await expect(readNewPassword(terminal)).rejects.toThrow('cancelled');
  });
});
