import { declarationOf } from '../contracts/kind-lists.js';
import type { WordedItem } from './worded.js';

/**
 * Where the item of a notification can be opened, by the pattern of ITEM_URL; null without a pattern, for kinds that
 * are about no item, and where the pattern wants a tenant that is not known.
 */
export function itemUrl(
  pattern: string | null,
  tenantSlug: string | undefined,
  { kind, data }: Pick<WordedItem, 'kind' | 'data'>,
): string | null {
  const item = declarationOf(kind)?.item;
  if (pattern === null || item === undefined) return null;
  const id = data[item.id];
  if (typeof id !== 'string') return null;
  const fields: Record<string, string | undefined> = { tenant: tenantSlug, type: item.type, id };
  const named = [...pattern.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => fields[name]);
  if (named.includes(undefined)) return null;
  return pattern.replace(/\{(\w+)\}/g, (_field, name: string) => encodeURIComponent(fields[name] ?? ''));
}
