import { type Benchmark, compare } from './benchmark.js';
import { fillFeeds, type FeedSizes, type Reader } from './support/feed-rows.js';
import { fullSpeed, type Load, p99At } from './support/load.js';
import { startEntry, startServer } from './support/processes.js';
import type { BenchContext } from './context.js';

const PER_SECOND = 200;
const FEED_LIMIT = 20;
const PATHS = [
  { name: 'unread count', path: 'unread-count', bare: 'unread-count' },
  { name: 'first page of the feed', path: `?limit=${FEED_LIMIT}`, bare: 'feed' },
] as const;

/** Reading a feed: whether the table's size matters, and the cost besides its one query. */
export const p5: Benchmark = {
  id: 'P5',
  title: 'unread count and first page of the feed',
  async run(context) {
    const large = await start(context, { rows: context.size(10_000_000, 50_000), own: 50_000, unread: 500 });
    const small = await start(context, { rows: 10_000, own: 5_000, unread: 500 });
    const bare = await startEntry('bare-feed', {
      DATABASE_URL: large.database.environment.DATABASE_URL ?? '',
      TENANT_ID: large.reader.person.tenant_id,
      USER_ID: large.reader.person.id,
      FEED_LIMIT: String(FEED_LIMIT),
    });
    const seconds = context.size(10, 2);
    const measured = [];
    for (const { name, path, bare: barePath } of PATHS) {
      const at = ({ url, reader }: typeof large): Load => ({
        url: `${url}/api/v1/notifications${path.startsWith('?') ? '' : '/'}${path}`,
        token: reader.token,
        seconds,
      });
      const atBare: Load = { url: `${bare.url}/bare/${barePath}`, token: null, seconds };
      // Warm up both sides before measuring.
      for (const load of [at(large), at(small), atBare]) await fullSpeed({ ...load, seconds: 2 });
      const p99 = { large: [] as number[], small: [] as number[] };
      const speed = { ours: [] as number[], bare: [] as number[] };
      for (let run = 1; run <= context.runs; run++) {
        p99.large.push(await p99At(PER_SECOND, at(large)));
        p99.small.push(await p99At(PER_SECOND, at(small)));
        speed.ours.push(await fullSpeed(at(large)));
        speed.bare.push(await fullSpeed(atBare));
        context.log(
          `${name}, run ${run}: p99 ${p99.large.at(-1)} ms; small table ${p99.small.at(-1)} ms; ` +
            `${Math.round(speed.ours.at(-1) ?? 0)} requests/s; bare ${Math.round(speed.bare.at(-1) ?? 0)}`,
        );
      }
      measured.push(
        compare({
          id: 'P5',
          what: `${name}, p99 at ${PER_SECOND}/s, ${large.rows} notifications vs ${small.rows}`,
          unit: 'ms',
          values: p99.large,
          references: p99.small,
          target: { at_most: 1.5 },
        }),
        compare({
          id: 'P5',
          what: `${name}, full speed, vs a bare Nest + Fastify handler with one query`,
          unit: 'requests/s',
          values: speed.ours,
          references: speed.bare,
          target: { at_least: 0.6 },
        }),
      );
    }
    await Promise.all([large.web.stop(), small.web.stop(), bare.stop()]);
    await large.database.drop();
    await small.database.drop();
    return measured;
  },
};

async function start(context: BenchContext, sizes: FeedSizes) {
  context.log(`filling a table of ${sizes.rows} notifications`);
  const database = await context.database();
  const reader: Reader = await fillFeeds(database, sizes);
  const web = await startServer(database.environment, 'web');
  return { database, reader, web, url: web.url, rows: sizes.rows };
}
