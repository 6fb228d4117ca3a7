import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { mailTo, testSender } from '../../delivery/channels/email/sender.fixture.js';
import { closeAll, TestLease } from '../../delivery/channels/sending.fixture.js';
import { CaughtMailFolder, MAX_KEPT } from './caught-mail-folder.js';

let folder: string;
let catcher: MailCatcher;
let world: World;
let cast: Cast;

beforeAll(async () => {
  folder = join(mkdtempSync(join(tmpdir(), 'vigie-caught-')), 'mails');
  catcher = await startMailCatcher({ folder });
  world = await createWorld({
    env: {
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(catcher.port),
      SMTP_FROM_EMAIL: 'vigie@vigie.example',
      CAUGHT_MAILS_DIR: folder,
    },
  });
  cast = await createCast(world);
});
afterAll(async () => {
  await world.close();
  await closeAll();
  await catcher.close();
  rmSync(join(folder, '..'), { recursive: true });
});

const get = (path: string, token = cast.operator.token) =>
  world.http('GET', `/api/v1/admin/caught-mails${path}`, { token });

it('before the first mail the list is empty', async () => {
  expect((await get('')).body).toEqual({ data: [], next_cursor: null });
});

it('lists caught mails, newest first, in pages, and shows each as it arrived', async () => {
  const { sender } = await testSender(catcher.port, { max_connections: 1 });
  for (const name of ['a', 'b', 'c']) await sender.send(mailTo(`${name}@client.example`), new TestLease());
  const { body: first } = await get('?limit=2');
  expect(first.data.map(({ to }: { to: string[] }) => to)).toEqual([
    ['c@client.example'],
    ['b@client.example'],
  ]);
  const { body: second } = await get(`?limit=2&cursor=${first.next_cursor}`);
  expect(second.data.map(({ to }: { to: string[] }) => to)).toEqual([['a@client.example']]);
  expect(second.next_cursor).toBeNull();
  const { status, body: mail } = await get(`/${first.data[0].id}`);
  const sent = catcher.mails.at(-1)!;
  expect([status, mail]).toEqual([
    200,
    {
      ...first.data[0],
      subject: sent.subject,
      html: sent.html,
      text: sent.text,
      headers: Object.fromEntries(sent.headers),
    },
  ]);
  expect(
    (await world.http('GET', '/api/v1/admin/connections', { token: cast.operator.token })).body,
  ).toMatchObject({
    catches_mails: true,
  });
});

it('an id that names no mail is unknown, whatever it is', async () => {
  for (const id of ['20260302T080001250Z-00000000', 'x', '..%2f..%2fetc%2fpasswd', '%00'])
    expect([id, (await get(`/${id}`)).status]).toEqual([id, 404]);
  expect((await get('?cursor=WyJ4Il0')).status).toBe(400);
});

it('operators only', async () => {
  for (const { token } of [cast.admin, cast.teammate, cast.outsider])
    expect([(await get('', token)).status, (await get('/x', token)).status]).toEqual([403, 403]);
  expect((await world.http('GET', '/api/v1/admin/caught-mails')).status).toBe(401);
});

it('keeps the newest mails and deletes the others', async () => {
  const path = join(folder, '../many');
  const mails = new CaughtMailFolder(path);
  const keep = (n: number) =>
    mails.keep({
      from: 'a@x.example',
      to: ['b@x.example'],
      subject: String(n),
      html: '',
      text: '',
      headers: {},
      received_at: new Date(Date.UTC(2026, 2, 2, 8) + n),
    });
  for (let n = 0; n < MAX_KEPT + 3; n += 1) await keep(n);
  expect(readdirSync(path)).toHaveLength(MAX_KEPT);
  const [newest] = await mails.newest(1, null);
  expect(newest?.subject).toBe(String(MAX_KEPT + 2));
  expect(await mails.newest(MAX_KEPT, newest!.id)).toHaveLength(MAX_KEPT - 1);
});

it('an installation without the setting has no caught mails', async () => {
  const other = await createWorld();
  try {
    const { operator } = await createCast(other);
    const { token } = operator;
    expect((await other.http('GET', '/api/v1/admin/caught-mails', { token })).status).toBe(404);
    expect((await other.http('GET', '/api/v1/admin/caught-mails/x', { token })).status).toBe(404);
  } finally {
    await other.close();
  }
});
