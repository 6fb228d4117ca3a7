import { randomUUID } from 'node:crypto';
import { type Cast, createCast, type Person } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { addJob, forgetBackups } from '../board/records.fixture.js';

const NOW = '2026-03-02T08:00:00.000Z';

const clock = new FixedClock(NOW);
let world: World;
let cast: Cast;
let job: string;

beforeAll(async () => {
  world = await createWorld({ clock });
  cast = await createCast(world);
});
afterAll(() => world.close());
beforeEach(async () => {
  clock.set(NOW);
  await forgetBackups(world);
  job = await addJob(world, cast.tenant_id);
});

type Who = Pick<Person, 'token'>;
const list = (query = '', { token }: Who = cast.teammate, id = job) =>
  world.http('GET', `/api/v1/backups/jobs/${id}/notes${query}`, { token });
const add = (text: unknown, { token }: Who = cast.admin, headers = {}) =>
  world.http('POST', `/api/v1/backups/jobs/${job}/notes`, { token, headers, body: { text } });
const remove = (id: string, { token }: Who = cast.admin) =>
  world.http('DELETE', `/api/v1/backups/notes/${id}`, { token });

it('V27: an admin adds notes to a backup, with author and time, and everybody reads them, newest first', async () => {
  const [{ name }] = (await world.sql('SELECT name FROM users WHERE id = $1', [cast.admin.id])) as [
    { name: string },
  ];
  const first = await add('Disk ordered.\nArrives on Friday.');
  expect([first.status, first.body]).toEqual([
    201,
    {
      id: expect.any(String) as string,
      job_id: job,
      author: name,
      text: 'Disk ordered.\nArrives on Friday.',
      created_at: NOW,
    },
  ]);
  clock.advance(60_000);
  const second = await add('<script>alert(1)</script>');
  expect((await list()).body).toEqual({ data: [second.body, first.body], next_cursor: null });
  const page = await list('?limit=1');
  expect(page.body.data).toEqual([second.body]);
  expect((await list(`?limit=1&cursor=${page.body.next_cursor}`)).body).toEqual({
    data: [first.body],
    next_cursor: null,
  });

  expect((await remove(second.body.id as string)).status).toBe(204);
  expect((await remove(second.body.id as string)).status).toBe(404);
  expect((await list()).body.data).toEqual([first.body]);
});

it('V27: a note is added once per key; members only read', async () => {
  const key = { 'idempotency-key': randomUUID() };
  const { text } = await add('Once', cast.admin, key);
  expect((await add('Once', cast.admin, key)).text).toBe(text);
  expect((await list()).body.data).toHaveLength(1);
  expect((await add('No', cast.teammate)).status).toBe(403);
  expect((await remove((await list()).body.data[0].id as string, cast.teammate)).status).toBe(403);
  for (const bad of ['', ' ', 'x'.repeat(2_001), 'a\0b', 7, null])
    expect([bad, (await add(bad)).status]).toEqual([bad, 400]);
  expect((await list('?cursor=x')).status).toBe(400);
});

it('V27: a note outlives its author, and is deleted with its job', async () => {
  const note = await add('Kept');
  await world.sql('UPDATE backup_notes SET author_id = NULL');
  expect((await list()).body.data).toEqual([{ ...note.body, author: null }]);
  expect((await list('', cast.outsider)).status).toBe(404);
  await world.http('DELETE', `/api/v1/backups/jobs/${job}`, { token: cast.admin.token });
  expect((await list()).status).toBe(404);
  expect(await world.sql('SELECT id FROM backup_notes')).toEqual([]);
});
