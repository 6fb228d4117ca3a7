import { isDeepStrictEqual } from 'node:util';
import { ClsServiceManager } from 'nestjs-cls';

/** Records for the audit log which fields this request changes: names, never values. */
export function noteChangedFields(names: readonly string[]): void {
  const cls = ClsServiceManager.getClsService();
  if (cls.isActive()) cls.set('changed_fields', [...names]);
}

/** Records for the audit log the targets of this request that are not in its path: ids and hashes. */
export function noteTargets(targets: Readonly<Record<string, string>>): void {
  const cls = ClsServiceManager.getClsService();
  if (cls.isActive()) cls.set('noted_targets', { ...targets });
}

/** The names of the fields that differ between two documents: `locale`, `limits.per_user_hour`. */
export function changedFields(before: object, after: object): string[] {
  const [one, other] = [plain(before), plain(after)];
  const names = keysOf(one, other).flatMap((key) => {
    const [was, is] = [one[key], other[key]];
    if (isDeepStrictEqual(was, is)) return [];
    if (!isRecord(was) || !isRecord(is)) return [key];
    return keysOf(was, is)
      .filter((inner) => !isDeepStrictEqual(was[inner], is[inner]))
      .map((inner) => `${key}.${inner}`);
  });
  return names.sort();
}

/** Drops classes, so that documents with the same content compare as equal. */
function plain(document: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function keysOf(one: object, other: object): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])];
}
