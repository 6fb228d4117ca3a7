import { createWorld, type World } from '../../../test/support/world.js';
import { startNotices } from '../../platform/start/notices.js';
import { FirstRun } from '../first-run.js';

const PASSWORD = 'tramway-oblique-12-pelican';

let world: World;

beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

const state = async () => (await world.http('GET', '/api/v1/auth/first-run')).body as { open: boolean };
const create = (body: object, at = world) => at.http('POST', '/api/v1/auth/first-run', { body });
const form = (token: string, email = 'anne@example.com') => ({ token, email, password: PASSWORD });

/** The token in the line that the start prints. */
async function printed(at = world): Promise<string> {
  const token = await at.app.get(FirstRun, { strict: false }).token();
  const [line] = startNotices(at.config, token, []).filter(({ event }) => event === 'no_operator');
  return /\/first-run#token=([\w-]{43}) /.exec(line?.hint ?? '')?.[1] ?? 'none';
}

it('V20: the token of the first start creates the operator, once, who then signs in', async () => {
  expect(await state()).toEqual({ open: true });
  const token = await printed();
  const made = await create(form(token, 'Anne@Example.com'));
  expect([made.status, Object.keys(made.body as object)]).toEqual([201, ['id']]);
  const login = { email: 'anne@example.com', password: PASSWORD };
  expect((await world.http('POST', '/api/v1/auth/login', { body: login })).status).toBe(200);

  expect(await state()).toEqual({ open: false });
  expect(await printed()).toBe('none');
  for (const again of [form(token, 'other@example.com'), form(token), form('x')]) {
    const answer = await create(again);
    expect([answer.status, answer.body.code]).toEqual([409, 'conflict']);
  }
  expect(await world.sql('SELECT count(*)::int FROM operators')).toEqual([{ count: 1 }]);
  const [act] = await world.sql(
    `SELECT actor, action FROM installation_audit_log WHERE status = 200 AND action LIKE '%first-run'`,
  );
  expect(act).toMatchObject({
    actor: `operator:${made.body.id as string}`,
    action: 'POST /api/v1/auth/first-run',
  });
});

it('V20: every process prints the same token, and the database holds none', async () => {
  const other = await createWorld({ join: world });
  const token = await printed();
  expect(await printed(other)).toBe(token);
  expect((await create(form(token), other)).status).toBe(201);
  await other.close();
});

it('V20: a wrong token creates nobody, and its source is slowed down like a login', async () => {
  const token = await printed();
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 7; attempt++) statuses.push((await create(form('wrong'))).status);
  expect(statuses.slice(0, 5)).toEqual([401, 401, 401, 401, 401]);
  expect(statuses.at(-1)).toBe(429);
  expect((await create(form(token))).headers['retry-after']).toMatch(/^\d+$/);
  expect(await world.sql('SELECT FROM operators')).toEqual([]);
});

it('V20: of many concurrent requests one wins', async () => {
  const token = await printed();
  const answers = await Promise.all([1, 2, 3, 4].map((n) => create(form(token, `op${n}@example.com`))));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  expect(await world.sql('SELECT count(*)::int FROM operators')).toEqual([{ count: 1 }]);
});

it.each([
  ['a common password', { password: 'password1234' }],
  ['a short password', { password: 'short' }],
  ['no address', { email: 'anne' }],
  ['an unknown field', { role: 'admin' }],
])('V20: %s is refused, and the token stays good', async (_what, wrong) => {
  const token = await printed();
  expect((await create({ ...form(token), ...wrong })).status).toBe(400);
  expect((await create(form(token))).status).toBe(201);
});
