import { Agent, get, type RequestOptions } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';
import { percentile } from '../benchmark.js';

export interface Load {
  url: string;
  token: string | null;
  seconds: number;
  /** One for each connection: POSTs these bodies in turn. Default: all connections GET. */
  callers?: readonly Caller[];
}

export interface Caller {
  token: string | null;
  /** JSON. */
  bodies: readonly string[];
}

/** Parallel requests at full speed. */
export const CONNECTIONS = 50;

/** Sends requests at a fixed rate, however long the responses take. @returns the 99th percentile, in ms */
export async function p99At(perSecond: number, { url, token, seconds }: Load): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const headers = token === null ? {} : authorization(token);
  const began = performance.now();
  const latencies = await Promise.all(
    Array.from({ length: perSecond * seconds }, async (_, place) => {
      await delay(Math.max(0, began + (place * 1_000) / perSecond - performance.now()));
      return latency(url, { agent, headers });
    }),
  );
  agent.destroy();
  return percentile(latencies, 0.99);
}

function latency(url: string, options: RequestOptions): Promise<number> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const request = get(url, options, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url}: ${response.statusCode}`));
      response.resume();
      response.once('end', () => resolve(performance.now() - began));
    });
    request.once('error', reject);
  });
}

/**
 * Sends requests as fast as they are answered, 50 in parallel. @returns requests per second
 * @throws Error if a response is not 2xx: refusals are fast.
 */
export async function fullSpeed({ url, token, seconds, callers }: Load): Promise<number> {
  let next = 0;
  const { requests, non2xx, errors, timeouts } = await autocannon({
    url,
    duration: seconds,
    connections: CONNECTIONS,
    ...(token === null ? {} : { headers: authorization(token) }),
    ...(callers === undefined
      ? {}
      : {
          setupClient: (client: autocannon.Client) => {
            const caller = callers[next++ % callers.length];
            if (caller !== undefined) client.setRequests(postsOf(caller));
          },
        }),
  });
  if (non2xx + errors + timeouts > 0) {
    throw new Error(`${url}: ${non2xx} not 2xx, ${errors} errors, ${timeouts} timeouts`);
  }
  return requests.average;
}

function postsOf({ token, bodies }: Caller): autocannon.Request[] {
  const headers = { 'content-type': 'application/json', ...(token === null ? {} : authorization(token)) };
  return bodies.map((body) => ({ method: 'POST', headers, body }));
}

function authorization(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}
