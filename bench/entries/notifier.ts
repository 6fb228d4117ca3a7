import { setTimeout as delay } from 'node:timers/promises';
import { createApp } from '#vigie/app.js';
import { Notifications, type NewNotification } from '#vigie/notifications/notifications.service.js';
import { readConfig } from '#vigie/platform/config/config.js';
import { Database } from '#vigie/platform/database/database.js';
import { BackgroundWork } from '#vigie/platform/queues/background-work.js';
import { now, serve } from '../support/entry.js';
import type { Person } from '../support/people.js';

/** A request to the process that creates notifications. */
export type NotifyRequest =
  /** One for each person, all committed at the same moment. */
  | { all: readonly Person[] }
  /** One for each person, evenly spaced, each in its own transaction. */
  | { each: readonly Person[]; perSecond: number };

/** When each notification was committed, by title; ms of the monotonic clock. */
export interface Commits {
  committed: [title: string, at: number][];
  /** Achieved commits per second. */
  perSecond: number | null;
}

/** The maximum per call. */
const AT_ONCE = 1_000;
const config = readConfig(process.env);
const app = await createApp(config);
await app.init();
await app.get(BackgroundWork).begin();
const database = app.get(Database);
const notifications = app.get(Notifications, { strict: false });
let titles = 0;

/** @param before awaited between the statements and the commit. */
async function notify(
  people: readonly Person[],
  before: () => Promise<void> = () => Promise.resolve(),
): Promise<Commits['committed']> {
  const [first] = people;
  if (first === undefined) return [];
  const rows = people.map(({ id: user_id }): NewNotification<'event'> => {
    const title = `Message ${++titles}`;
    return {
      user_id,
      kind: 'event',
      severity: 'info',
      data: { kind: 'message', title, body: 'A line of text, as long as such lines are.' },
      audience: 'self',
      dedupe_key: title,
    };
  });
  let at = 0;
  await database.tenant(first.tenant_id, async (tx) => {
    tx.afterCommit(() => (at = now()));
    await notifications.createMany(tx, rows);
    await before();
  });
  return rows.map(({ data }) => [data.title, at]);
}

async function notifyAll(people: readonly Person[]): Promise<Commits> {
  const tenants = [...new Set(people.map(({ tenant_id }) => tenant_id))].map((id) =>
    people.filter(({ tenant_id }) => tenant_id === id),
  );
  let waiting = tenants.length;
  let open: () => void = () => undefined;
  const allReady = new Promise<void>((resolve) => (open = resolve));
  const barrier = () => {
    if (--waiting === 0) open();
    return allReady;
  };
  const committed = await Promise.all(
    tenants.map((members) => {
      if (members.length > AT_ONCE) throw new Error(`at most ${AT_ONCE} people of a tenant`);
      return notify(members, barrier);
    }),
  );
  return { committed: committed.flat(), perSecond: null };
}

/**
 * Starts each at its own time, on as many connections as the pool has. When all are busy, the rest start late;
 * `perSecond` shows it if they never catch up.
 */
async function notifyEach(people: readonly Person[], perSecond: number): Promise<Commits> {
  const began = now();
  const committed: Commits['committed'] = [];
  let next = 0;
  const loop = async () => {
    while (next < people.length) {
      const place = next++;
      await delay(Math.max(0, began + (place * 1_000) / perSecond - now()));
      committed.push(...(await notify(people.slice(place, place + 1))));
    }
  };
  await Promise.all(Array.from({ length: config.databasePoolSize }, loop));
  return { committed, perSecond: (people.length * 1_000) / (now() - began) };
}

serve('', (request: NotifyRequest) =>
  'all' in request ? notifyAll(request.all) : notifyEach(request.each, request.perSecond),
);
