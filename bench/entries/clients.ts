import { io, type Socket } from 'socket.io-client';
import { now, serve } from '../support/entry.js';

/** A request to the process with the clients: connect some, or report the next messages that arrive. */
export type ClientsRequest =
  { connect: { url: string; tokens: readonly string[] } } | { expect: number; withinMs: number };

/** When each notification arrived; ms of the monotonic clock. */
export interface Arrivals {
  arrived: [title: string, at: number][];
}

const AT_ONCE = 50;
let arrived: Arrivals['arrived'] = [];
let enough: { count: number; done: () => void } | null = null;

function connect(url: string, token: string): Promise<Socket> {
  const socket = io(`${url}/notifications`, {
    auth: { token },
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
  });
  socket.on('notification.created', ({ title }: { title: string }) => {
    arrived.push([title, now()]);
    if (enough !== null && arrived.length >= enough.count) enough.done();
  });
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.once('connect_error', reject);
    socket.once('disconnect', (reason) => {
      process.stderr.write(`a client was disconnected: ${reason}\n`);
    });
  });
}

async function answer(request: ClientsRequest): Promise<object> {
  if ('connect' in request) {
    const { url, tokens } = request.connect;
    for (let from = 0; from < tokens.length; from += AT_ONCE) {
      await Promise.all(tokens.slice(from, from + AT_ONCE).map((token) => connect(url, token)));
    }
    return {};
  }
  arrived = [];
  const { expect: count, withinMs } = request;
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`${arrived.length} of ${count} messages arrived`)),
      withinMs,
    );
    enough = {
      count,
      done: () => {
        clearTimeout(late);
        enough = null;
        resolve();
      },
    };
  });
  return { arrived } satisfies Arrivals;
}

serve('', answer);
