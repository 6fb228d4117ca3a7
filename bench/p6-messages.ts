import { type Benchmark, compare } from './benchmark.js';
import { CONNECTIONS, fullSpeed, type Load } from './support/load.js';
import { insertTenants, signIn } from './support/people.js';
import { startEntry, startServer } from './support/processes.js';
import type { BenchContext } from './context.js';

const SIZE = 100;
const SIZES = [
  { name: 'single', recipients: 1 },
  { name: `bulk of ${SIZE}`, recipients: SIZE },
] as const;

/** Creating messages through the API: the cost besides their inserts. */
export const p6: Benchmark = {
  id: 'P6',
  title: 'POST notifications, single and to 100 users',
  async run(context) {
    const ours = await startOurs(context);
    const bare = await startBare(context);
    const seconds = context.size(8, 2);
    const measured = [];
    for (const { name, recipients } of SIZES) {
      const rates = { ours: [] as number[], bare: [] as number[] };
      const loads = { ours: loadOf(ours, recipients, seconds), bare: loadOf(bare, recipients, seconds) };
      for (const load of [loads.ours, loads.bare]) await fullSpeed({ ...load, seconds: 2 });
      for (let run = 1; run <= context.runs; run++) {
        for (const side of ['ours', 'bare'] as const) {
          await { ours, bare }[side].database.sql.query('CHECKPOINT');
          rates[side].push(recipients * (await fullSpeed(loads[side])));
        }
        const latest = [rates.ours, rates.bare].map((all) => `${Math.round(all.at(-1) ?? 0)}/s`);
        context.log(`${name}, run ${run}: ${latest[0]}; bare ${latest[1]}`);
      }
      measured.push(
        compare({
          id: 'P6',
          what: `messages created by \`POST notifications\`, ${name}, vs a bare handler with the same inserts`,
          unit: '/s',
          values: rates.ours,
          references: rates.bare,
          target: { at_least: 0.5 },
        }),
      );
    }
    for (const side of [ours, bare]) {
      await side.stop();
      await side.database.drop();
    }
    return measured;
  },
};

type Side = Awaited<ReturnType<typeof startOurs>>;

async function startOurs(context: BenchContext) {
  const { database, people } = await fill(context);
  const tokens = await signIn(database, people.slice(0, CONNECTIONS));
  const server = await startServer(database.environment, 'web');
  return {
    database,
    people,
    tokens: tokens as (string | null)[],
    url: `${server.url}/api/v1/notifications`,
    stop: () => server.stop(),
  };
}

async function startBare(context: BenchContext): Promise<Side> {
  const { database, people } = await fill(context);
  const [first] = people;
  const server = await startEntry('bare-messages', {
    DATABASE_URL: database.environment.DATABASE_URL ?? '',
    TENANT_ID: first?.tenant_id ?? '',
    CREATED_BY: `user:${first?.id ?? ''}`,
  });
  const tokens = people.slice(0, CONNECTIONS).map(() => null);
  return { database, people, tokens, url: `${server.url}/bare/messages`, stop: () => server.stop() };
}

/** A tenant with 100 members per connection, so that connections do not wait for each other's inboxes. */
async function fill(context: BenchContext) {
  const database = await context.database();
  database.environment = {
    ...database.environment,
    SMTP_HOST: '127.0.0.1',
    SMTP_FROM_EMAIL: 'vigie@vigie.example',
  };
  const people = await insertTenants(database.sql, 1, CONNECTIONS * SIZE);
  // Not the empty tables: PostgreSQL analyses none by itself, and would expect them to stay empty for a minute.
  await database.sql.query('VACUUM ANALYZE tenants, users');
  return { database, people };
}

function loadOf({ url, people, tokens }: Side, recipients: number, seconds: number): Load {
  return {
    url,
    token: null,
    seconds,
    callers: tokens.map((token, connection) => {
      const users = people.slice(connection * SIZE, (connection + 1) * SIZE).map(({ id }) => id);
      return { token, bodies: inGroups(users, recipients).map(message) };
    }),
  };
}

function inGroups(ids: readonly string[], size: number): string[][] {
  return Array.from({ length: ids.length / size }, (_none, at) => ids.slice(at * size, (at + 1) * size));
}

function message(user_ids: string[]): string {
  const body = 'Bonjour,\n\nvotre liasse fiscale est prête. Merci de la vérifier avant vendredi.\n';
  return JSON.stringify({ channel: 'email', user_ids, subject: 'Votre liasse fiscale', body });
}
