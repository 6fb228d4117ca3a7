import { checked } from '../platform/http/validation.js';
import type { LineFault } from './file-line.js';
import type { ImportKind } from './import-kind.js';

/** Faults reported of one line; further ones are left out. */
const FAULTS_OF_A_LINE = 20;
const FIELDS_OF_A_LINE = 50;
const ITEMS_OF_A_LIST = 50;

/** A line that can be stored: the fields it has, as they are stored. */
export interface CheckedRow {
  fields: Record<string, unknown>;
}

/** Holds a line against the rules of the JSON endpoint. */
export function checkRow(
  kind: ImportKind,
  values: Record<string, unknown>,
): CheckedRow | { faults: LineFault[] } {
  const entries = Object.entries(values);
  if (entries.length > FIELDS_OF_A_LINE) return { faults: [{ field: null, detail: 'has too many fields' }] };
  // Before anything walks down into it: it may be nested as deeply as a line is long.
  const nested = entries.filter(([field, value]) => !isPlain(value) && !isList(kind, field, value));
  if (nested.length > 0) {
    return faulty(nested.map(([field]) => ({ field, detail: `${field} must ${shapeOf(kind, field)}` })));
  }
  const { value, faults } = checked(kind.row, values);
  // A few names mean something to every object, and are passed over.
  for (const field of Object.keys(values)) {
    if (!Object.hasOwn(value, field)) {
      faults.push({ pointer: `/${field}`, detail: `property ${field} should not exist` });
    }
  }
  if (faults.length > 0) return faulty(faults.map((fault) => worded(kind, fault, values)));
  return { fields: { ...value } };
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

function isList({ lists }: ImportKind, field: string, value: unknown): boolean {
  return (
    lists.includes(field) && Array.isArray(value) && value.length <= ITEMS_OF_A_LIST && value.every(isPlain)
  );
}

function shapeOf({ lists }: ImportKind, field: string): string {
  return lists.includes(field)
    ? `be a list of at most ${ITEMS_OF_A_LIST} plain values`
    : 'not be a list or an object';
}

function worded(
  { required }: ImportKind,
  { pointer, detail }: { pointer: string; detail: string },
  values: Record<string, unknown>,
) {
  const field = pointer.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
  // One rule after the other says what nothing is not.
  const missing = required.includes(field) && values[field] == null;
  return { field, detail: missing ? `${field} is missing` : detail };
}

/** One fault a field, in words that can be stored: a field's name may be anything. */
function faulty(all: readonly { field: string; detail: string }[]): { faults: LineFault[] } {
  const byField = new Map<string, Set<string>>();
  for (const { field, detail } of all) {
    const name = printable(field);
    const details = byField.get(name) ?? new Set();
    byField.set(name, details.add(printable(detail)));
  }
  return {
    faults: [...byField]
      .slice(0, FAULTS_OF_A_LINE)
      .map(([field, details]) => ({ field, detail: [...details].join('; ') })),
  };
}

function printable(text: string): string {
  // Through bytes, which lone surrogates don't survive.
  return Buffer.from(text.slice(0, 200)).toString().replaceAll('\0', '\ufffd');
}
