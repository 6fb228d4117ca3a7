import { once } from 'node:events';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { selfSigned } from '../../../test/support/self-signed.js';
import { until } from '../../../test/support/until.js';
import { type LocalProvider, type ProviderAct, startProvider } from './provider.fixture.js';
import { exchange, retryAfter } from './request.js';
import { SendError } from './sender.js';
import { closeAll, closing, outcome, TestLease } from './sending.fixture.js';

/** M2: what any provider can do to a request, whatever it answers. */
const LIMITS = { connect_ms: 5_000, total_ms: 800 };
/** Far above the limits, and far below those of production. */
const IN_TIME_MS = 5_000;

afterEach(closeAll);

const ask = (url: string, lease: TestLease | null = null, limits = LIMITS) =>
  exchange({ method: 'POST', url: new URL(url), headers: {}, body: 'text' }, lease, limits);

const provider = async (act: ProviderAct): Promise<LocalProvider> => closing(await startProvider(act));

/** Listens, and does nothing else with a connection. */
async function listening(server: Server): Promise<{ port: number; connections: Socket[] }> {
  const connections: Socket[] = [];
  server.on('connection', (socket: Socket) => connections.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing({
    close: async () => {
      for (const socket of connections) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  });
  return { port: (server.address() as AddressInfo).port, connections };
}

test.each(['silence', 'trickle'] as const)(
  '%s: ambiguous, once the time for an answer is over',
  async (act) => {
    const { url, received } = await provider(act);
    const began = performance.now();
    const error: unknown = await ask(url).catch((reason: unknown) => reason);
    expect(performance.now() - began).toBeLessThan(IN_TIME_MS);
    expect(error).toBeInstanceOf(SendError);
    expect(error).toMatchObject({
      failure: 'ambiguous',
      code: 'ETIMEDOUT',
      message: expect.stringMatching(/no complete answer .+ in time, after the request was sent/) as string,
    });
    expect(received).toMatchObject([{ body: 'text' }]);
  },
);

test('an endless answer is read up to 64 KB', async () => {
  const { url } = await provider('endless');
  const { status, body } = await ask(url, null, { ...LIMITS, total_ms: IN_TIME_MS });
  expect([status, body.length]).toEqual([200, 65_536]);
});

test('a server that never answers to TLS is unreachable: it has received nothing', async () => {
  const { port, connections } = await listening(createServer());
  const began = performance.now();
  expect(await outcome(ask(`https://127.0.0.1:${port}/`, null, { connect_ms: 200, total_ms: 60_000 }))).toBe(
    'channel unreachable',
  );
  expect(performance.now() - began).toBeLessThan(IN_TIME_MS);
  expect(connections).toHaveLength(1);
});

test('a certificate that nobody vouches for, and no TLS at all, are faults of TLS', async () => {
  const requests: string[] = [];
  const { port } = await listening(createHttps(selfSigned(), ({ url = '' }) => requests.push(url)));
  expect(await outcome(ask(`https://localhost:${port}/`))).toBe('channel tls');
  const { url, received } = await provider({ status: 200 });
  expect(await outcome(ask(url.replace('http:', 'https:')))).toBe('channel tls');
  expect([requests, received]).toEqual([[], []]);
});

test('a lease that is lost while it connects ends the request: nothing was sent', async () => {
  const { port, connections } = await listening(createServer());
  const lease = new TestLease();
  const asked = outcome(ask(`https://127.0.0.1:${port}/`, lease, { connect_ms: 60_000, total_ms: 60_000 }));
  await until('the connection', () => connections.length === 1);
  lease.lose();
  expect(await asked).toBe('retryable');
});

test('a lease that is lost later does not hide the answer', async () => {
  const lease = new TestLease();
  const { url } = closing(
    await startProvider(() => {
      lease.lose();
      return { status: 201 };
    }),
  );
  expect(await ask(url, lease, { ...LIMITS, total_ms: IN_TIME_MS })).toMatchObject({ status: 201 });
});

test.each([
  ['7', 7_000],
  ['0', 0],
  ['Mon, 02 Mar 2026 08:01:00 GMT', 60_000],
  ['Mon, 02 Mar 2026 07:00:00 GMT', 0],
  ['soon', undefined],
  [undefined, undefined],
])('Retry-After: %s', (value, expected) => {
  expect(retryAfter(value, Date.parse('2026-03-02T08:00:00Z'))).toBe(expected);
});
