import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from '@opentelemetry/api';

/** The span in which this code runs. */
export interface CurrentSpan {
  context: Context;
  /** W3C Trace Context; null if this trace is not recorded. */
  traceparent: string | null;
}

export const CURRENT_SPAN = new AsyncLocalStorage<CurrentSpan>();

/** The `traceparent` of the current span (W3C Trace Context, hexadecimal digits and hyphens); null without one. */
export function currentTraceparent(): string | null {
  return CURRENT_SPAN.getStore()?.traceparent ?? null;
}
