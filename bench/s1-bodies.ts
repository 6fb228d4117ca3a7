import type { OpenAPIObject } from '@nestjs/swagger';
import { type Benchmark, limit } from './benchmark.js';
import type { BenchContext } from './context.js';
import { hostileBodies, jsonRoutes } from './support/hostile-bodies.js';
import { insertTenants, signIn } from './support/people.js';
import { startServer } from './support/processes.js';

const MAX_BLOCK_MS = 250;

/** How long an expensive body blocks a server's other responses. */
export const s1: Benchmark = {
  id: 'S1',
  title: 'bodies up to their limit, of shapes that cost',
  async run(context) {
    const database = await context.database();
    await insertTenants(database.sql, 1, 1);
    const { rows } = await database.sql.query<{ tenant_id: string; id: string }>(
      `SELECT tenant_id, id FROM users WHERE role = 'admin'`,
    );
    const [token = ''] = await signIn(database, rows);
    const web = await startServer(
      {
        ...database.environment,
        API_REQUESTS_PER_MINUTE: '0',
        API_ANONYMOUS_REQUESTS_PER_MINUTE: '0',
        LOG_LEVEL: 'info',
      },
      'web',
    );
    const document = (await (await fetch(`${web.url}/openapi.json`)).json()) as OpenAPIObject;
    const longest: number[] = [];
    for (let run = 1; run <= context.runs; run++) {
      longest.push(await worst(context, web.url, token, document));
      context.log(`run ${run}: ${Math.round(longest.at(-1) ?? 0)} ms`);
    }
    await web.stop();
    await database.drop();
    return [
      limit({
        id: 'S1',
        what: 'longest wait for /livez while any route gets any such body',
        unit: 'ms',
        values: longest,
        target: { at_most: MAX_BLOCK_MS },
      }),
    ];
  },
};

async function worst(
  context: BenchContext,
  url: string,
  token: string,
  document: OpenAPIObject,
): Promise<number> {
  let most = { ms: 0, what: '' };
  for (const { method, path, fields } of jsonRoutes(document)) {
    for (const { what, json } of hostileBodies(fields)) {
      const waits = watchAnswers(url);
      const answer = await fetch(url + path, {
        method,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: json,
      });
      await answer.arrayBuffer();
      const ms = await waits.stop();
      if (answer.status >= 500) throw new Error(`${method} ${path}, ${what}: ${answer.status}`);
      if (ms > most.ms) most = { ms, what: `${method} ${path}, ${what}` };
    }
  }
  context.log(most.what);
  return most.ms;
}

/** Requests /livez continuously. @returns the longest response time, in ms. */
function watchAnswers(url: string): { stop(): Promise<number> } {
  const stopped = new AbortController();
  let longest = 0;
  const asking = (async () => {
    while (!stopped.signal.aborted) {
      const began = performance.now();
      await (await fetch(`${url}/livez`)).arrayBuffer();
      longest = Math.max(longest, performance.now() - began);
    }
  })();
  return {
    stop: async () => {
      stopped.abort();
      await asking;
      return longest;
    },
  };
}
