import { BASE_URL } from './formats.js';
import { type Format, optionalVariable, textVariable } from './variables.js';

const RATIO: Format = {
  type: 'number from 0 to 1',
  check: (text) => {
    if (!/^(?:0(?:\.\d+)?|1(?:\.0+)?)$/.test(text))
      throw new Error('must be a number from 0 to 1, such as 0.1');
  },
};

/** As the OpenTelemetry SDKs read it: name=value pairs, with values in URL encoding. */
const HEADERS: Format = {
  type: 'list of name=value',
  check: (text) => {
    if (!/^[\w.-]+=[^,=]+={0,2}(?:,[\w.-]+=[^,=]+={0,2})*$/.test(text))
      throw new Error('must be name=value, several separated by commas');
    try {
      decodeURIComponent(text);
    } catch {
      throw new Error('must have its values in URL encoding: % is %25');
    }
  },
};

/** The settings of traces: a part of SCHEMA. */
export const TRACING_SETTINGS = {
  otlpEndpoint: optionalVariable({
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    yaml: 'tracing.otlp_endpoint',
    check: BASE_URL,
    doc: 'Collector of OpenTelemetry traces (OTLP over HTTP); they are sent to <this>/v1/traces. Unset: no traces, and their code is not loaded.',
  }),
  otlpHeaders: optionalVariable({
    env: 'OTEL_EXPORTER_OTLP_HEADERS',
    yaml: 'tracing.otlp_headers',
    secret: true,
    check: HEADERS,
    doc: 'Headers of the requests to the collector, such as api-key=secret.',
  }),
  traceSampleRatio: optionalVariable({
    env: 'OTEL_TRACES_SAMPLER_ARG',
    yaml: 'tracing.sample_ratio',
    check: RATIO,
    doc: 'Share of traces that are recorded; a caller that sends traceparent decides for its own. Unset: all.',
  }),
  traceServiceName: textVariable({
    env: 'OTEL_SERVICE_NAME',
    yaml: 'tracing.service_name',
    default: 'vigie',
    doc: 'Name of this process in traces.',
  }),
} as const;
