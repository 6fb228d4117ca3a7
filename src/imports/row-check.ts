import { checked } from '../platform/http/validation.js';
import { type LineFault, MAX_VALUE_LENGTH, type ReadLine } from './file-line.js';
import type { ImportKind } from './import-kind.js';

/** Faults reported per line; further ones are dropped. */
const MAX_FAULTS_OF_A_LINE = 20;
const MAX_FIELDS_OF_A_LINE = 50;
const MAX_ITEMS_OF_A_LIST = 50;
/** Characters of a cell shown in its fault. */
const SHOWN_OF_A_CELL = 40;
/** Maximum length of a field's name and a detail, in characters. */
const MAX_TEXT = 200;

/** A storable line: the fields it has, as stored. */
export interface CheckedRow {
  fields: Record<string, unknown>;
}

/** Checks a line by the rules of the JSON endpoint. */
export function checkRow(kind: ImportKind, line: ReadLine): CheckedRow | { faults: LineFault[] } {
  const { values } = line;
  const entries = Object.entries(values);
  if (entries.length > MAX_FIELDS_OF_A_LINE)
    return { faults: [{ field: null, detail: 'has too many fields' }] };
  // Before any code descends into it.
  const nested = entries.filter(([field, value]) => !isPlain(value) && !isList(kind, field, value));
  if (nested.length > 0) {
    return faulty(nested.map(([field]) => ({ field, detail: `${field} must ${shapeOf(kind, field)}` })));
  }
  const long = entries.filter(([, value]) => typeof value === 'string' && value.length > MAX_VALUE_LENGTH);
  if (long.length > 0) return faulty(long.map(([field]) => ({ field, detail: `${field} is too long` })));
  const { value, faults } = checked(kind.row, values);
  // Validation skips names that every object has.
  for (const field of Object.keys(values)) {
    if (!Object.hasOwn(value, field)) {
      faults.push({ pointer: `/${field}`, detail: `property ${field} should not exist` });
    }
  }
  if (faults.length > 0) return faulty(faults.map((fault) => worded(kind, fault, line)));
  return { fields: { ...value } };
}

/** A fault whose texts can be stored: a field's name may be anything. */
export function storable({ field, detail }: LineFault): LineFault {
  return { field: field === null ? null : printable(field), detail: printable(detail) };
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

function isList({ lists }: ImportKind, field: string, value: unknown): boolean {
  return (
    lists.includes(field) &&
    Array.isArray(value) &&
    value.length <= MAX_ITEMS_OF_A_LIST &&
    value.every(isPlain)
  );
}

function shapeOf({ lists }: ImportKind, field: string): string {
  return lists.includes(field)
    ? `be a list of at most ${MAX_ITEMS_OF_A_LIST} plain values`
    : 'not be a list or an object';
}

function worded(
  { required, cells: forms }: ImportKind,
  { pointer, detail }: { pointer: string; detail: string },
  { values, cells }: ReadLine,
) {
  const field = pointer.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
  // Every rule would report an empty value: report only that it is required.
  if (required.includes(field) && values[field] == null) return { field, detail: `${field} is missing` };
  const cell = cells?.[field];
  if (cell === undefined) return { field, detail };
  const takes = forms[field]?.takes;
  return { field, detail: takes === undefined ? detail : `${field} must be ${takes}`, cell };
}

/** One fault per field, with the raw cell of a spreadsheet. */
function faulty(all: readonly { field: string; detail: string; cell?: string }[]): { faults: LineFault[] } {
  const byField = new Map<string, { details: Set<string>; cell?: string }>();
  for (const { field, detail, cell } of all) {
    // Two names may become equal once they can be stored.
    const name = printable(field);
    const fault = byField.get(name) ?? { details: new Set(), cell };
    byField.set(name, { ...fault, details: fault.details.add(printable(detail)) });
  }
  return {
    faults: [...byField].slice(0, MAX_FAULTS_OF_A_LINE).map(([field, { details, cell }]) => {
      const shown = cell === undefined ? [] : [`the cell has "${excerpt(cell)}"`];
      return { field, detail: [...details, ...shown.map(printable)].join('; ') };
    }),
  };
}

function excerpt(cell: string): string {
  const written = cell.trim();
  return written.length > SHOWN_OF_A_CELL ? `${written.slice(0, SHOWN_OF_A_CELL)}…` : written;
}

function printable(text: string): string {
  // Converted through bytes, which lone surrogates do not survive.
  return Buffer.from(text.slice(0, MAX_TEXT)).toString().replaceAll('\0', '\ufffd');
}
