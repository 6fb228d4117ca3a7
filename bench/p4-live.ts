import { type Benchmark, compare, limit, percentile } from './benchmark.js';
import type { Arrivals, ClientsRequest } from './entries/clients.js';
import type { Commits, NotifyRequest } from './entries/notifier.js';
import { insertTenants, signIn } from './support/people.js';
import { type Child, startEntry, startServer } from './support/processes.js';

const PER_SECOND = 500;
const WITHIN_MS = 60_000;

/** From a commit to its client. All clients are in one process. */
export const p4: Benchmark = {
  id: 'P4',
  title: 'notifications to connected clients',
  async run(context) {
    const database = await context.database();
    const sockets = context.size(5_000, 100);
    const people = await insertTenants(database.sql, 5, sockets / 5);
    const web = await startServer(database.environment, 'web');
    const bare = await startEntry('bare-sockets');
    const clients = await startEntry('clients');
    const notifier = await startEntry('notifier', {
      ...database.environment,
      VIGIE_ROLES: 'worker',
      DATABASE_POOL_SIZE: '30',
      LOG_LEVEL: 'error',
    });
    const tokens = await signIn(database, people);
    context.log(`connecting ${sockets} sockets to each server`);
    await connect(clients, web.url, tokens);
    await connect(clients, bare.url, tokens);

    const burst: number[] = [];
    const bareBurst: number[] = [];
    const steady: number[] = [];
    for (let run = 1; run <= context.runs; run++) {
      const { arrivals, answer: commits } = await whileExpecting(clients, sockets, () =>
        notifier.ask<Commits>({ all: people } satisfies NotifyRequest),
      );
      burst.push(last(arrivals) - Math.min(...commits.committed.map(([, at]) => at)));

      const emitted = await whileExpecting(clients, sockets, () => bare.ask<{ began: number }>({}));
      bareBurst.push(last(emitted.arrivals) - emitted.answer.began);

      const some = sample(people, context.size(PER_SECOND * 10, PER_SECOND));
      const live = await whileExpecting(clients, some.length, () =>
        notifier.ask<Commits>({ each: some, perSecond: PER_SECOND } satisfies NotifyRequest),
      );
      const kept = live.answer.perSecond ?? 0;
      if (kept < PER_SECOND * 0.95) {
        context.note(`P4: this machine created ${Math.round(kept)} notifications/s instead of ${PER_SECOND}`);
      }
      steady.push(percentile(latencies(live.arrivals, live.answer), 0.99));
      const latest = [burst, bareBurst, steady].map((all) => `${Math.round(all.at(-1) ?? 0)} ms`);
      context.log(`run ${run}: ${latest[0]}; bare ${latest[1]}; p99 at ${PER_SECOND}/s ${latest[2]}`);
    }
    for (const child of [clients, notifier, bare, web]) await child.stop();
    await database.drop();
    return [
      compare({
        id: 'P4',
        what: `one message to each of ${sockets} sockets, commit to the last client, vs bare emits`,
        unit: 'ms',
        values: burst,
        references: bareBurst,
        target: { at_most: 1.5 },
      }),
      limit({
        id: 'P4',
        what: `commit to client at ${PER_SECOND}/s, p99`,
        unit: 'ms',
        values: steady,
        target: { at_most: 50 },
      }),
    ];
  },
};

async function connect(clients: Child, url: string, tokens: readonly string[]): Promise<void> {
  await clients.ask({ connect: { url, tokens } } satisfies ClientsRequest);
}

async function whileExpecting<Answer>(clients: Child, expect: number, work: () => Promise<Answer>) {
  const [{ arrived }, answer] = await Promise.all([
    clients.ask<Arrivals>({ expect, withinMs: WITHIN_MS } satisfies ClientsRequest),
    work(),
  ]);
  return { answer, arrivals: arrived };
}

function last(arrivals: Arrivals['arrived']): number {
  return Math.max(...arrivals.map(([, at]) => at));
}

function latencies(arrivals: Arrivals['arrived'], { committed }: Commits): number[] {
  const commits = new Map(committed);
  return arrivals.map(([title, at]) => {
    const commit = commits.get(title);
    if (commit === undefined) throw new Error(`${title} arrived without a commit`);
    return at - commit;
  });
}

/** `count` of them, in random order, repeated as needed. */
function sample<Item>(items: readonly Item[], count: number): Item[] {
  const shuffled = items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
  return Array.from({ length: count }, (_, place) => shuffled[place % shuffled.length]).filter(
    (item) => item !== undefined,
  );
}
