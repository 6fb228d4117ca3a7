import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../../test/support/until.js';
import { testLogger } from '../../test/support/test-logger.js';
import { Logger } from '@nestjs/common';
import { environmentFor } from '../../test/support/database.js';
import { readConfig } from '../platform/config/config.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { Heartbeat, HEARTBEAT_TIMES } from './heartbeat.js';

let server: Server;
let port: number;
let calls: string[];
let answer: () => number | null;
const made: Heartbeat[] = [];

beforeAll(async () => {
  Logger.overrideLogger(testLogger('info'));
  server = createServer((request, response) => {
    calls.push(`${request.method} ${request.url}`);
    const status = answer();
    if (status === null) request.socket.destroy();
    else response.writeHead(status).end('OK');
  }).listen(0, '127.0.0.1');
  await until('the server', () => server.listening);
  port = (server.address() as AddressInfo).port;
});
afterAll(() => new Promise((done) => server.close(done)));
beforeEach(() => {
  calls = [];
  answer = () => 200;
  HEARTBEAT_TIMES.interval_ms = 0;
  HEARTBEAT_TIMES.retry_after_ms = 10;
});
afterEach(() => made.splice(0).forEach((heartbeat) => heartbeat.onApplicationShutdown()));

function create(env: Record<string, string>) {
  const urls = { owner_url: 'postgres://a/b', app_url: 'postgres://a/b', system_url: 'postgres://a/b' };
  const config = readConfig({ ...environmentFor({ ...urls, drop: () => Promise.resolve() }), ...env });
  const metrics = new Metrics();
  const heartbeat = new Heartbeat(config, metrics);
  made.push(heartbeat);
  const counted = async (outcome: string) =>
    Number(
      new RegExp(`^vigie_heartbeats_total{outcome="${outcome}"} (\\d+)$`, 'm').exec(
        await metrics.text(),
      )?.[1] ?? 0,
    );
  return { heartbeat, counted };
}

const url = (path: string) => `http://127.0.0.1:${port}${path}`;
const events = () =>
  (globalThis.logged ?? []).flatMap((line) => /"(outside_heartbeat_\w+)"/.exec(line)?.[1] ?? []);

test('HEARTBEAT_URL is called after a run, with the name of its job', async () => {
  const { heartbeat, counted } = create({
    HEARTBEAT_URL: url('/ping/vigie-{job}'),
    HEARTBEAT_METHOD: 'POST',
  });
  heartbeat.send('scan-backups');
  heartbeat.send('cleanup');
  await until('both', async () => (await counted('answered')) === 2);
  expect(calls.sort()).toEqual(['POST /ping/vigie-cleanup', 'POST /ping/vigie-scan-backups']);
});

test('the runs of many tenants are one call', async () => {
  HEARTBEAT_TIMES.interval_ms = 60_000;
  const { heartbeat, counted } = create({ HEARTBEAT_URL: url('/ping') });
  for (let run = 0; run < 1_000; run += 1) heartbeat.send('check-notifications');
  await until('the call', async () => (await counted('answered')) === 1);
  expect(calls).toEqual(['GET /ping']);
});

test.each([
  ['answers 500', 500],
  ['redirects', 302],
  ['closes the connection', null],
])(
  'a service that %s is tried twice, and logged once until it answers, without its address',
  async (_, status) => {
    const { heartbeat, counted } = create({ HEARTBEAT_URL: url('/secret-key') });
    answer = () => status;
    for (const failed of [1, 2]) {
      heartbeat.send('cleanup');
      await until('the failure', async () => (await counted('failed')) === failed);
    }
    expect(calls).toHaveLength(4);
    expect(events()).toEqual(['outside_heartbeat_failed']);
    answer = () => (calls.length === 5 ? status : 200);
    heartbeat.send('cleanup');
    await until('the answer', async () => (await counted('answered')) === 1);
    expect(calls).toHaveLength(6);
    expect(events()).toEqual(['outside_heartbeat_failed', 'outside_heartbeat_answered']);
    expect(globalThis.logged?.filter((line) => line.includes('secret-key'))).toEqual([]);
  },
);

test('a service that never answers delays no run, and a stop ends the call', async () => {
  const { heartbeat, counted } = create({ HEARTBEAT_URL: url('/ping') });
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await until('the server', () => silent.listening);
  const { port: other } = silent.address() as AddressInfo;
  const waiting = create({ HEARTBEAT_URL: `http://127.0.0.1:${other}/` });
  const connected = new Promise((done) => silent.once('request', done));
  waiting.heartbeat.send('cleanup');
  await connected;
  heartbeat.send('cleanup');
  await until('the other', async () => (await counted('answered')) === 1);
  waiting.heartbeat.onApplicationShutdown();
  await new Promise((done) => silent.close(done));
  expect(await waiting.counted('failed')).toBe(0);
});

test('without HEARTBEAT_URL nothing is called', () => {
  const fetched = jest.spyOn(globalThis, 'fetch');
  create({}).heartbeat.send('cleanup');
  expect(fetched).not.toHaveBeenCalled();
  fetched.mockRestore();
});

test.each(['ftp://x/', 'https://u:p@x/', 'https://x/{tenant}', 'x'])(
  'HEARTBEAT_URL=%s is refused',
  (text) => {
    expect(() => create({ HEARTBEAT_URL: text })).toThrow('HEARTBEAT_URL');
  },
);
