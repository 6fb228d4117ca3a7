import { environmentFor } from '../../../test/support/database.js';
import { readConfig } from '../config/config.js';
import { currentTraceparent } from './current.js';
import { Tracing } from './tracing.js';

jest.mock('./otlp.js', () => {
  throw new Error('OpenTelemetry was loaded');
});

function create(env: Record<string, string> = {}): Tracing {
  const urls = { owner_url: 'postgres://a/b', app_url: 'postgres://a/b', system_url: 'postgres://a/b' };
  return new Tracing(readConfig({ ...environmentFor({ ...urls, drop: () => Promise.resolve() }), ...env }));
}

test('without OTEL_EXPORTER_OTLP_ENDPOINT nothing of OpenTelemetry is loaded, and work runs without it', async () => {
  const tracing = create();
  await tracing.onModuleInit();
  expect(await tracing.span('x', {}, () => Promise.resolve(currentTraceparent()))).toBeNull();
  await expect(tracing.span('x', {}, () => Promise.reject(new Error('its own')))).rejects.toThrow('its own');
  await tracing.onApplicationShutdown();
});

test('with OTEL_EXPORTER_OTLP_ENDPOINT it is loaded', async () => {
  const tracing = create({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' });
  await expect(tracing.onModuleInit()).rejects.toThrow('OpenTelemetry was loaded');
});

test.each([
  ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
  ['OTEL_TRACES_SAMPLER_ARG', 'half'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'no-value'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'api-key=50%off'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://u:p@x/'],
])('%s=%s is refused', (name, text) => {
  expect(() => create({ [name]: text })).toThrow(name);
});
