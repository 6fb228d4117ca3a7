import { declarationOf } from '../contracts/kind-lists.js';
import { typeOfList } from './bundle-lines.js';
import { mapLines } from './item-groups.js';
import type { WordedItem } from './worded.js';

/**
 * The URL of a notification's item, from the ITEM_URL pattern; null without a pattern, for kinds without an item, and
 * when the pattern needs an unknown tenant.
 */
export function itemUrl(
  pattern: string | null,
  tenantSlug: string | undefined,
  { kind, data }: Pick<WordedItem, 'kind' | 'data'>,
): string | null {
  const item = declarationOf(kind)?.item;
  return item === undefined ? null : urlOf(pattern, tenantSlug, item.type, data[item.id]);
}

/** The same for the lines of lists in `data` grouped by client, as `item_url` of each. */
export function withLineUrls(
  pattern: string | null,
  tenantSlug: string | undefined,
  data: Record<string, unknown>,
): Record<string, unknown> {
  if (pattern === null) return data;
  const withUrl = (line: Record<string, unknown>) => ({
    ...line,
    item_url: urlOf(pattern, tenantSlug, typeOfList(line.list), line.id),
  });
  const entries = Object.entries(data).map(([name, value]) => [name, mapLines(value, withUrl)]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function urlOf(
  pattern: string | null,
  tenant: string | undefined,
  type: string | undefined,
  id: unknown,
): string | null {
  if (pattern === null || typeof id !== 'string') return null;
  const fields: Record<string, string | undefined> = { tenant, type, id };
  const named = [...pattern.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => fields[name]);
  if (named.includes(undefined)) return null;
  return pattern.replace(/\{(\w+)\}/g, (_field, name: string) => encodeURIComponent(fields[name] ?? ''));
}
