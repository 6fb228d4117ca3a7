import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import { withTimeout } from '../clock/timeout.js';
import { VERSION } from '../version.js';
import { CURRENT_SPAN, type CurrentSpan } from './current.js';
import type { SpanAttributes, SpanOptions } from './tracing.js';

const EXPORT_TIMEOUT_MS = 10_000;
const STOP_DEADLINE_MS = 2_000;
const EXPORT_INTERVAL_MS = 2_000;

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
};

/** A span that has not ended. */
export interface StartedSpan extends CurrentSpan {
  note(attributes: SpanAttributes): void;
  /** @param type the class of the error, or the status of an answer */
  fail(type: string): void;
  end(): void;
}

/**
 * Only `Tracing` loads this file, when an endpoint is configured. Nothing is registered globally: the application
 * carries its context itself, and several may run in one process.
 */
export class OtlpTracer {
  private readonly provider: NodeTracerProvider;
  private readonly tracer: Tracer;

  constructor(options: {
    endpoint: string;
    headers: Record<string, string>;
    ratio: number;
    service: string;
  }) {
    const exporter = new OTLPTraceExporter({
      url: `${options.endpoint.replace(/\/+$/, '')}/v1/traces`,
      headers: options.headers,
      timeoutMillis: EXPORT_TIMEOUT_MS,
    });
    this.provider = new NodeTracerProvider({
      resource: resourceFromAttributes({ 'service.name': options.service, 'service.version': VERSION }),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.ratio) }),
      spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: EXPORT_INTERVAL_MS })],
    });
    this.tracer = this.provider.getTracer('vigie', VERSION);
  }

  start(
    name: string,
    attributes: SpanAttributes,
    { kind = 'internal', traceparent }: SpanOptions,
  ): StartedSpan {
    const parent = contextOf(traceparent) ?? CURRENT_SPAN.getStore()?.context ?? ROOT_CONTEXT;
    const span = this.tracer.startSpan(name, { attributes, kind: KINDS[kind] }, parent);
    const { traceId, spanId } = span.spanContext();
    return {
      context: trace.setSpan(parent, span),
      traceparent: span.isRecording() ? `00-${traceId}-${spanId}-01` : null,
      note: (more) => void span.setAttributes(more),
      fail: (type) => {
        span.setAttribute('error.type', type);
        span.setStatus({ code: SpanStatusCode.ERROR });
      },
      end: () => span.end(),
    };
  }

  /** Exports the rest; a collector that does not answer loses it. */
  async stop(): Promise<void> {
    await withTimeout(this.provider.shutdown(), STOP_DEADLINE_MS, 'no answer').catch(() => undefined);
  }
}

/** https://www.w3.org/TR/trace-context/#traceparent-header; null if it is absent or not valid. */
function contextOf(traceparent: string | null | undefined): Context | null {
  const [, traceId, spanId, flags] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId))
    return null;
  const traceFlags = parseInt(flags ?? '00', 16) & 1;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}
