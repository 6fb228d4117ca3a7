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
  let missing = false;
  const url = pattern.replace(/\{(\w+)\}/g, (_field, name: string) => {
    const value = fields[name];
    missing ||= value === undefined;
    return encodeURIComponent(value ?? '');
  });
  return missing ? null : url;
}
