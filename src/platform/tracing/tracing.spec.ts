import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { until } from '../../../test/support/until.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { type ScriptedSmtp, startScriptedSmtp } from '../../delivery/channels/email/scripted-smtp.fixture.js';

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  attributes: { key: string; value: object }[];
  status: { code?: number };
}

/** A collector, as OTLP over HTTP describes it. */
let collector: Server;
let requests: { url: string; key: string | undefined; body: string }[];
let smtp: ScriptedSmtp;
let web: World;
let worker: World;
let cast: Cast;

beforeAll(async () => {
  requests = [];
  collector = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      requests.push({ url: request.url ?? '', key: request.headers['api-key']?.toString(), body });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await until('the collector', () => collector.listening);
  const { port } = collector.address() as AddressInfo;
  smtp = await startScriptedSmtp({ script: () => 'ok' });
  const env = {
    ...mailEnvironment(smtp),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=of%20a%20test',
  };
  // Two processes: the request's trace has to reach the other one.
  web = await createWorld({ env });
  worker = await createWorld({ join: web, env: { ...env, VIGIE_ROLES: 'worker,scheduler' } });
  cast = await createCast(web);
});
afterAll(async () => {
  await worker.close();
  await web.close();
  await smtp.close();
  collector.closeAllConnections();
  await new Promise((done) => collector.close(done));
});

const spans = (): Span[] =>
  requests.flatMap(({ body }) =>
    (JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }).resourceSpans.flatMap(
      ({ scopeSpans }) => scopeSpans.flatMap(({ spans: some }) => some),
    ),
  );

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

test('one trace leads from POST notifications to the SMTP server, through two processes, without personal data', async () => {
  const subject = 'Canary subject';
  const before = smtp.received.length;
  const answer = await web.http('POST', '/api/v1/notifications', {
    token: cast.admin.token,
    headers: { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` },
    body: { channel: 'email', to: 'canary@client.example', subject, body: 'Canary body' },
  });
  expect(answer.status).toBeLessThan(300);
  await until('the mail', () => smtp.received.length > before);
  const names = ['POST /api/v1/notifications', 'announcement', 'send email', 'provider email'];
  await until('the spans', () => names.every((name) => spans().some((span) => span.name === name)));
  const [request, announcement, send, provider] = names.map((name) =>
    spans().find((span) => span.name === name),
  );
  expect([request, announcement, send, provider].map((span) => span?.traceId)).toEqual(
    Array.from({ length: 4 }, () => TRACE),
  );
  expect(request?.parentSpanId).toBe('00f067aa0ba902b7');
  expect(announcement?.parentSpanId).toBe(request?.spanId);
  expect(provider?.parentSpanId).toBe(send?.spanId);
  expect(send?.attributes).toEqual(
    expect.arrayContaining([
      { key: 'vigie.outcome', value: { stringValue: 'sent' } },
      { key: 'vigie.channel', value: { stringValue: 'email' } },
    ]),
  );
  expect(requests[0]).toMatchObject({ url: '/v1/traces', key: 'of a test' });
  const exported = requests.map(({ body }) => body).join('');
  for (const personal of ['canary', 'Canary', '@', cast.admin.name, cast.admin.token]) {
    expect([personal, exported.includes(personal)]).toEqual([personal, false]);
  }
});

test('health checks and scrapes have no spans, and a faulty traceparent starts a new trace', async () => {
  await web.http('GET', '/readyz');
  const headers = { traceparent: '00-00000000000000000000000000000000-00f067aa0ba902b7-01' };
  await web.http('GET', '/api/v1/notifications/unread-count', { token: cast.admin.token, headers });
  const found = () => spans().find(({ name }) => name === 'GET /api/v1/notifications/unread-count');
  await until('the span', () => found() !== undefined);
  expect(found()?.traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
  expect(spans().filter(({ name }) => name.includes('readyz'))).toEqual([]);
});
