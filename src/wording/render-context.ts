import { SEVERITIES } from '../contracts/severities.js';
import { printable } from '../platform/http/text.js';
import { declarationOf } from '../contracts/kind-lists.js';
import { bundleLines, LISTS } from './bundle-lines.js';
import type { Secrets } from './engine.js';
import { BUNDLE } from './template-files.js';
import type { MessageLinks, Reader, WordedItem, Words } from './worded.js';

/** Longer texts are truncated: no mail needs them, and they must not fill a worker's memory. */
const MAX_TEXT = 100_000;
const MAX_DEPTH = 8;
/** Names that reach into prototypes, and the one by which Handlebars recognises trusted markup. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'toHTML']);

/** A copied object: printed by mistake it is empty, not "[object Object]". */
class PlainData {
  [key: string]: unknown;

  toString(): string {
    return '';
  }
}

/**
 * The template context of a kind: the notification's own names, then `data` as a whole and its fields at top level
 * unless they would hide the former (a deadline's own title is `data.title`). Everything is copied and cleaned: nothing
 * inherited, no functions, no control characters.
 */
export function itemContext(item: WordedItem, reader: Reader): PlainData {
  const data = clean(withoutLink(item), 0);
  const context = new PlainData();
  if (data instanceof PlainData) Object.assign(context, data);
  const { kind, severity, created_at, audience, author_name, item_url = null } = item;
  context.kind = cleanText(kind);
  context.severity = severity;
  context.created_at = clean(created_at, 0);
  context.audience = clean(audience, 0);
  context.author = author_name === null ? null : plain({ name: cleanText(author_name) });
  context.title = '';
  context.body = '';
  context.links = plain({ item_url: clean(item_url, 0) });
  context.data = data;
  return Object.assign(context, shared(reader));
}

/** The links that are kept out of every context. */
export function secretsOf({ unsubscribe_url }: MessageLinks, item?: WordedItem): Secrets {
  const link_url = item !== undefined && hasLink(item) ? clean(item.data.link_url, 0) : null;
  return {
    link_url,
    act_url: clean(item?.act_url ?? null, 0),
    unsubscribe_url: clean(unsubscribe_url, 0),
  };
}

function withoutLink(item: WordedItem): Record<string, unknown> {
  return hasLink(item) ? { ...item.data, link_url: undefined } : item.data;
}

function hasLink({ kind }: WordedItem): boolean {
  return declarationOf(kind)?.link === true;
}

/** An item of a bundle, with its words. */
export type BundledItem = WordedItem & Words;

/** The template context of a bundle. */
export function bundleContext(items: readonly BundledItem[], reader: Reader): PlainData {
  const lines = bundleLines(items, reader.today);
  const counts = Object.fromEntries(
    LISTS.map((list) => [list, lines.filter((line) => line.list === list).length]),
  );
  const severity = SEVERITIES.findLast((each) => items.some((item) => item.severity === each)) ?? 'info';
  const whole = { kind: BUNDLE, severity, total: items.length, counts, items: lines, title: '', body: '' };
  return Object.assign(new PlainData(), shared(reader), clean({ ...whole, links: { item_url: null } }, 0));
}

function shared({ locale, today, tenant, recipient }: Reader): object {
  return { locale, today, tenant: clean(tenant, 0), recipient: clean(recipient, 0) };
}

/** Characters that `cleanText` changes. */
const MAY_NEED_CLEANING = /[^\P{Cc}\n\t]|\p{Cs}|[\u2028-\u202e\u2066-\u2069]/u;

/**
 * Makes a text printable and limits its length. Invisible direction marks serve only to deceive here, and line
 * separators (U+2028, U+2029) would start a new line within a name.
 */
export function cleanText(text: string): string {
  // Nearly every text needs no change, and each notification has several.
  if (text.length <= MAX_TEXT && !MAY_NEED_CLEANING.test(text)) return text;
  return printable(text.slice(0, MAX_TEXT))
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, '')
    .replace(/[\u2028\u2029]/g, ' ');
}

function plain(fields: object): PlainData {
  return Object.assign(new PlainData(), fields);
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
