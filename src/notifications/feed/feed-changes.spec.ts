import { createWorld, type World } from '../../../test/support/world.js';
import { Database } from '../../platform/database/database.js';
import { FeedChangesReader } from './feed-changes.service.js';
import { type FeedCursor, LAST_ID, readFeedCursor } from './feed-cursor.js';
import { Feed } from './feed.service.js';
import { newPeople, type People, notify, notifyMany } from '../alerts/notify.fixture.js';

let world: World;
let cast: People;
let reader: FeedChangesReader;

beforeAll(async () => {
  world = await createWorld();
  reader = world.app.get(FeedChangesReader);
});
afterAll(() => world.close());
beforeEach(async () => {
  cast = await newPeople(world);
});

const START: FeedCursor = { seq: 0, id: '00000000-0000-0000-0000-000000000000' };

describe('changes', () => {
  it('are returned in order, one page at a time, with the count', async () => {
    const [first, second, third] = [
      await notify(world, cast.owner),
      await notify(world, cast.owner),
      await notify(world, cast.owner),
    ];
    await world.app
      .get(Database)
      .tenant(cast.owner.tenant_id, (tx) => world.app.get(Feed).markRead(tx, cast.owner.user_id, [first]));

    const [page] = await reader.since(
      cast.owner.tenant_id,
      [{ user_id: cast.owner.user_id, after: START }],
      2,
    );
    expect(page!.changes.map(({ id }) => id)).toEqual([second, third]);
    expect(page).toMatchObject({ unread_count: 2, seq: 4 });
    const [rest] = await reader.since(
      cast.owner.tenant_id,
      [{ user_id: cast.owner.user_id, after: readFeedCursor(page!.changes[1]!.cursor)! }],
      2,
    );
    expect(rest!.changes.map(({ id }) => id)).toEqual([first]);
    expect(rest!.changes[0]!.read_at).not.toBeNull();
  });

  it('answer each request in order, even for users without changes', async () => {
    const [mine, theirs] = [await notify(world, cast.owner), await notify(world, cast.teammate)];
    const ask = (user_id: string, after: FeedCursor) => ({ user_id, after });
    const answers = await reader.since(
      cast.owner.tenant_id,
      [
        ask(cast.owner.user_id, { seq: 1, id: LAST_ID }),
        ask(cast.teammate.user_id, START),
        ask(cast.owner.user_id, START),
        ask(cast.outsider.user_id, START),
      ],
      10,
    );
    expect(answers.map(({ changes }) => changes.map(({ id }) => id))).toEqual([[], [theirs], [mine], []]);
    expect(answers.map(({ unread_count, seq }) => [unread_count, seq])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
      [0, 0],
    ]);
  });

  it('never appear behind a cursor, in whatever order they commit', async () => {
    const { owner } = cast;
    let finished = 0;
    const writers = Array.from({ length: 6 }, async (_, writer) => {
      for (let turn = 0; turn < 20; turn++) {
        await notifyMany(world, writer % 2 === 0 ? [owner] : [owner, cast.teammate]);
      }
      finished += 1;
    });

    const seen: string[] = [];
    let after = START;
    const follow = async () => {
      const [answer] = await reader.since(owner.tenant_id, [{ user_id: owner.user_id, after }], 1_000);
      seen.push(...answer!.changes.map(({ id }) => id));
      // Read from one snapshot: no change up to this seq can appear later.
      after = { seq: answer!.seq, id: LAST_ID };
    };
    while (finished < writers.length) await follow();
    await Promise.all(writers);
    await follow();
    const [mine] = await world.sql<{ ids: string[] }>(
      'SELECT array_agg(id) AS ids FROM notifications WHERE user_id = $1',
      [owner.user_id],
    );
    expect([...seen].sort()).toEqual(mine!.ids.sort());
  });

  it('are read only for users who may be connected', async () => {
    await notify(world, cast.owner);
    const asked = [cast.owner.user_id, cast.teammate.user_id, cast.outsider.user_id];
    const seqs = () => reader.seqs(cast.owner.tenant_id, asked);
    expect(Object.fromEntries(await seqs())).toEqual({ [asked[0]!]: 1, [asked[1]!]: 0 });
    await world.sql('UPDATE tenants SET suspended_at = now() WHERE id = $1', [cast.owner.tenant_id]);
    expect((await seqs()).size).toBe(0);
  });
});

describe('a cursor', () => {
  it.each([
    '',
    '1',
    '1.',
    'x.00000000-0000-0000-0000-000000000000',
    '1.nobody',
    '-1.' + LAST_ID,
    '1e3.' + LAST_ID,
  ])('is not %j', (text) => {
    expect(readFeedCursor(text)).toBeNull();
  });

  it('is a seq and an id', () => {
    expect(readFeedCursor(`12.${LAST_ID}`)).toEqual({ seq: 12, id: LAST_ID });
    expect(readFeedCursor(12)).toBeNull();
  });
});
