import { createWorld, type World } from '../../../test/support/world.js';
import type { UnreadCount } from '../../contracts/socket-messages.js';
import type { FeedNotification } from './feed.dto.js';
import { newPeople, notify, notifyMany, type People } from '../alerts/notify.fixture.js';

let world: World;
let people: People;

beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  people = await newPeople(world);
});

const call = (method: string, path: string, body?: unknown, person = people.owner) =>
  world.http(method, `/api/v1/notifications${path}`, { token: person.token, body });
const see = (cursor: unknown, person = people.owner) => call('PUT', '/seen', { cursor }, person);
const counts = async (person = people.owner) =>
  (await call('GET', '/unread-count', undefined, person)).body as UnreadCount;

/** The cursor that the feed shows for a notification. */
async function cursorOf(id: string, person = people.owner): Promise<string> {
  const { body } = await call('GET', '?limit=200', undefined, person);
  return (body.data as FeedNotification[]).find((item) => item.id === id)!.cursor;
}

describe('V17: what a user has seen', () => {
  it('V17: is everything up to a cursor, and nothing is read by it', async () => {
    const [first, second] = [await notify(world, people.owner), await notify(world, people.owner)];
    await notify(world, people.teammate);
    expect(await counts()).toEqual({ unread_count: 2, unseen: 2, seq: 2 });

    const answer = await see(await cursorOf(first));
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ unread_count: 2, unseen: 1, seq: 3 });
    expect((await see(await cursorOf(second))).body).toEqual({ unread_count: 2, unseen: 0, seq: 4 });
    await notify(world, people.owner);
    expect(await counts()).toEqual({ unread_count: 3, unseen: 1, seq: 5 });
    expect(await counts(people.teammate)).toEqual({ unread_count: 1, unseen: 1, seq: 1 });
  });

  it('V17: never goes back: an older cursor, and the same again, change nothing', async () => {
    const [first, second] = [await notify(world, people.owner), await notify(world, people.owner)];
    const [older, newer] = [await cursorOf(first), await cursorOf(second)];
    const moved = { unread_count: 2, unseen: 0, seq: 3 };
    expect((await see(newer)).body).toEqual(moved);
    for (const cursor of [older, newer, older]) expect((await see(cursor)).body).toEqual(moved);
  });

  it('V17: is not moved by marks: read, unread and archive bring no seen notification back', async () => {
    const [first, second] = [await notify(world, people.owner), await notify(world, people.owner)];
    await see(await cursorOf(second));
    for (const mark of ['read', 'unread']) {
      await call('PUT', `/${first}/${mark}`);
      expect((await counts()).unseen).toBe(0);
    }
    // The cursor of a marked notification is newer than all that it was shown with.
    const third = await notify(world, people.owner);
    await call('PUT', `/${first}/read`);
    expect((await see(await cursorOf(first))).body).toMatchObject({ unread_count: 2, unseen: 0 });

    const fourth = await notify(world, people.owner);
    await call('PUT', `/${third}/archive`);
    expect((await counts()).unseen).toBe(1);
    await call('PUT', `/${fourth}/archive`);
    expect((await counts()).unseen).toBe(0);
  });

  it('V17: a notification that is read without a bell stays unseen', async () => {
    const id = await notify(world, people.owner);
    await call('PUT', `/${id}/read`);
    expect(await counts()).toEqual({ unread_count: 0, unseen: 1, seq: 2 });
  });

  it('V17: divides the notifications of one transaction by their cursors', async () => {
    const three = Array.from({ length: 3 }, () => people.owner);
    const ids = (await notifyMany(world, three)).sort();
    expect((await see(await cursorOf(ids[1]!))).body).toMatchObject({ unseen: 1 });
    expect((await see(await cursorOf(ids[2]!))).body).toMatchObject({ unseen: 0 });
  });

  it('V17: nothing that commits while a bell opens is lost, in whatever order', async () => {
    const seen = await notify(world, people.owner);
    const cursor = await cursorOf(seen);
    const later = Array.from({ length: 20 }, () => people.owner);
    await Promise.all([...later.map((person) => notify(world, person)), ...later.map(() => see(cursor))]);
    expect(await counts()).toMatchObject({ unread_count: 21, unseen: 20 });
  });

  it('V17: is counted up to 1,000', async () => {
    const many = (length: number) =>
      notifyMany(
        world,
        Array.from({ length }, () => people.owner),
      );
    await many(1_000);
    expect(await counts()).toEqual({ unread_count: 1_000, unseen: 1_000, seq: 1 });
    await many(5);
    expect(await counts()).toEqual({ unread_count: 1_005, unseen: 1_000, seq: 2 });
  });
});

describe('V17: a cursor that is not one of mine', () => {
  it('V17: is refused like a faulty one, and changes nothing', async () => {
    const mine = await notify(world, people.owner);
    const [own, theirs, foreign] = [
      await cursorOf(mine),
      await cursorOf(await notify(world, people.teammate), people.teammate),
      await cursorOf(await notify(world, people.outsider), people.outsider),
    ];
    const wrong = [theirs, foreign, `2.${mine}`, `0.${mine}`, `999999999999999.${mine}`, '1', 'x', '', mine];
    const answers = new Set<string>();
    for (const cursor of wrong) {
      const answer = await see(cursor);
      expect([cursor, answer.status]).toEqual([cursor, 400]);
      answers.add(answer.body.code as string);
    }
    expect([...answers]).toEqual(['invalid_cursor']);
    for (const cursor of [undefined, null, 1, {}, [own], 'x'.repeat(61)]) {
      const answer = await see(cursor);
      expect([answer.status, answer.body.code]).toEqual([400, 'validation_failed']);
    }
    expect(await counts()).toEqual({ unread_count: 1, unseen: 1, seq: 1 });
  });

  it('V17: is refused without a login', async () => {
    expect((await world.http('PUT', '/api/v1/notifications/seen', { body: { cursor: '1' } })).status).toBe(
      401,
    );
  });
});
