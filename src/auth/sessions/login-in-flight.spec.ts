import { addPerson, type Cast, createCast, PASSWORD } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { Operators } from '../operators.js';
import { Passwords } from '../password/passwords.js';

let world: World;
let cast: Cast;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => world.close());

/** Something that happens between the look at the password and the session that a login begins. */
function meanwhile(act: () => Promise<unknown>): void {
  const passwords = world.app.get(Passwords, { strict: false });
  const verify = passwords.verify.bind(passwords);
  jest.spyOn(passwords, 'verify').mockImplementationOnce(async (stored, password) => {
    const right = await verify(stored, password);
    await act();
    return right;
  });
}

const login = (email: string, tenant?: string) =>
  world.http('POST', '/api/v1/auth/login', { body: { email, password: PASSWORD, tenant } });
const REFUSED = { status: 401, body: { code: 'invalid_credentials' } };

describe('a login during which the account changes begins no session', () => {
  it('of a user whose address an admin changes', async () => {
    const { id, email } = await addPerson(world, cast.tenant_id, { name: 'Paula' });
    meanwhile(() =>
      world.http('PATCH', `/api/v1/users/${id}`, {
        token: cast.admin.token,
        body: { email: 'paula.moved@example.com' },
      }),
    );
    expect(await login(email, cast.tenant.slug)).toMatchObject(REFUSED);
    expect(await world.sql(`SELECT 1 FROM sessions WHERE user_id = $1 AND revoked_at IS NULL`, [id])).toEqual(
      [],
    );
  });

  it.each([
    ['by REST', () => login(cast.operator.email)],
    [
      'on the page',
      () =>
        world.http('POST', '/ops/login', {
          headers: {
            'content-type': 'application/x-www-form-urlencoded',
            origin: 'http://localhost',
            host: 'localhost',
            'sec-fetch-site': 'same-origin',
          },
          body: new URLSearchParams({ email: cast.operator.email, password: PASSWORD }).toString(),
        }),
    ],
  ])('of an operator whose password is reset, %s', async (_where, act) => {
    const { id } = cast.operator;
    const [before] = await world.sql<{ password_hash: string }>(
      `SELECT password_hash FROM operators WHERE id = $1`,
      [id],
    );
    meanwhile(() =>
      world.app.get(Operators, { strict: false }).resetPassword(id, 'a phrase of someone else'),
    );
    const answer = await act();
    expect([answer.status, answer.headers['set-cookie']]).toEqual([401, undefined]);
    expect(
      await world.sql(`SELECT 1 FROM operator_sessions WHERE operator_id = $1 AND revoked_at IS NULL`, [id]),
    ).toEqual([]);
    await world.sql(`UPDATE operators SET password_hash = $2 WHERE id = $1`, [id, before!.password_hash]);
  });
});
