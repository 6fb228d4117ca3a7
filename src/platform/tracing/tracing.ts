import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { CURRENT_SPAN } from './current.js';
import type { OtlpTracer, StartedSpan } from './otlp.js';

/** The attributes of a span: ids, routes, kinds and outcomes. Never a name, an address or a content. */
export type SpanAttributes = Record<string, string | number | boolean>;

export interface SpanOptions {
  kind?: 'internal' | 'server' | 'client' | 'consumer';
  /** A W3C `traceparent` from elsewhere; ignored if it is not valid. Default: the current span. */
  traceparent?: string | null;
}

/** Records what happens as OpenTelemetry traces. Without OTEL_EXPORTER_OTLP_ENDPOINT nothing is loaded or recorded. */
@Injectable()
export class Tracing implements OnModuleInit, OnApplicationShutdown {
  private tracer: OtlpTracer | null = null;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  async onModuleInit(): Promise<void> {
    const { otlpEndpoint: endpoint, otlpHeaders, traceSampleRatio, traceServiceName } = this.config;
    if (endpoint === null) return;
    const { OtlpTracer } = await import('./otlp.js');
    this.tracer = new OtlpTracer({
      endpoint,
      headers: headersOf(otlpHeaders),
      ratio: Number(traceSampleRatio ?? 1),
      service: traceServiceName,
    });
  }

  /** Sends what is recorded, within 2 s. */
  async onApplicationShutdown(): Promise<void> {
    await this.tracer?.stop();
  }

  /** Runs `work` in a span, which ends with it. An error is recorded by its class, without its message. */
  async span<Result>(
    name: string,
    attributes: SpanAttributes,
    work: (note: (attributes: SpanAttributes) => void) => Promise<Result>,
    options: SpanOptions = {},
  ): Promise<Result> {
    const span = this.start(name, attributes, options);
    if (span === null) return work(() => undefined);
    try {
      return await CURRENT_SPAN.run(span, () => work((more) => span.note(more)));
    } catch (error) {
      span.fail(error instanceof Error ? error.name : 'unknown');
      throw error;
    } finally {
      span.end();
    }
  }

  /** A span that its caller ends; null if nothing is recorded. */
  start(name: string, attributes: SpanAttributes, options: SpanOptions = {}): StartedSpan | null {
    return this.tracer?.start(name, attributes, options) ?? null;
  }
}

/** `name=value,…`, with values in URL encoding, as the OpenTelemetry SDKs read it. */
function headersOf(text: string | null): Record<string, string> {
  return Object.fromEntries(
    (text ?? '').split(',').flatMap((pair): [string, string][] => {
      const at = pair.indexOf('=');
      return at < 1 ? [] : [[pair.slice(0, at), decodeURIComponent(pair.slice(at + 1))]];
    }),
  );
}
