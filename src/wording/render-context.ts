import { printable } from '../platform/http/text.js';
import type { RenderInput } from './template-store.js';

/** Beyond this a text is cut: no mail needs it, and it must not fill the memory of a worker. */
const MAX_TEXT = 100_000;
const MAX_DEPTH = 8;
/** Names that reach into prototypes, and the one by which Handlebars recognises markup to trust. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'toHTML']);

/** A copied object: printed by mistake it is empty, not "[object Object]". */
class PlainData {
  [key: string]: unknown;

  toString(): string {
    return '';
  }
}

/**
 * What a template sees: the notification's own names, then `data` whole and its fields at top level, where they
 * do not hide the former (a deadline's own title is `data.title`). Everything is copied and cleaned: nothing
 * inherited, no functions, no control characters.
 */
export function buildContext(input: RenderInput): PlainData {
  const data = clean(input.data, 0);
  const context = new PlainData();
  if (data instanceof PlainData) Object.assign(context, data);
  Object.assign(
    context,
    clean(
      {
        kind: input.kind,
        locale: input.locale,
        tenant: input.tenant,
        recipient: input.recipient,
        severity: input.severity,
        title: input.title,
        body: input.body,
        created_at: input.created_at,
        links: input.links,
      },
      0,
    ),
    { data },
  );
  return context;
}

/** Printable, and of a length that any mail can bear. */
export function cleanText(text: string): string {
  return printable(text.slice(0, MAX_TEXT));
}

function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return null;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (Array.isArray(value)) {
    const list = value.map((item) => clean(item, depth + 1));
    return Object.defineProperty(list, 'toString', { value: () => '' });
  }
  const copy = new PlainData();
  for (const [key, item] of Object.entries(value)) {
    if (!FORBIDDEN.has(key)) copy[key] = clean(item, depth + 1);
  }
  return copy;
}
