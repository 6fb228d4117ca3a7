import { MAX_COLUMNS } from './csv-records.js';
import type { ImportKind } from './import-kind.js';
import { refused } from './refusal.js';

/** Stands in place of a field: the column is ignored. */
export const IGNORED = '';

/** The columns of a file: our field for each, null for one without a name, `IGNORED`. */
export type Columns = readonly (string | null)[];

/** A column's name in its form for lookups: `Date d'échéance` → `date_d_echeance`. */
export function normalisedName(name: string): string {
  return name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');
}

/** How many of these are column names of this kind, and whether they include all required ones. */
export function recognised(names: readonly string[], kind: ImportKind): { known: number; complete: boolean } {
  const fields = fieldsOf(names.slice(0, MAX_COLUMNS), kind).filter((field) => field != null);
  return { known: fields.length, complete: kind.required.every((field) => fields.includes(field)) };
}

/**
 * @param count the total number of columns
 * @throws Problem file_refused for unknown, duplicate and missing columns, naming all of them.
 */
export function columnsOf(header: readonly string[], count: number, kind: ImportKind): Columns {
  if (count > MAX_COLUMNS) throw refused(`the header has ${count} columns; ${MAX_COLUMNS} is the limit`);
  const columns = fieldsOf(header, kind);
  const unknown = header.filter((_name, at) => columns[at] === undefined);
  if (unknown.length > 0) {
    throw refused(
      `unknown columns: ${listed(unknown)}. Known columns: ${knownFields(kind)}; see docs/imports.md for French names`,
    );
  }
  const fields = columns.map((column) => column ?? null);
  const named = fields.filter((field) => field !== null);
  const doubled = named.filter((field, at) => named.indexOf(field) !== at);
  if (doubled.length > 0) throw refused(`duplicate columns: ${listed(doubled)}`);
  const missing = kind.required.filter((field) => !fields.includes(field));
  if (missing.length > 0) {
    throw refused(`the header lacks ${missing.join(' and ')}; it has ${listed(header)}`);
  }
  return fields;
}

/** The field of each column; null for one without a name, undefined for an unknown one. */
export function fieldsOf(
  header: readonly string[],
  { columns, ambiguous }: ImportKind,
): (string | null | undefined)[] {
  const names = header.map((name) => (name.length > MAX_NAME_LENGTH ? undefined : variants(name)));
  const fields = names.map((forms) => {
    if (forms === undefined) return undefined;
    return forms[0] === ''
      ? null
      : forms.map((form) => columns.get(form)).find((field) => field !== undefined);
  });
  for (const [at, forms] of names.entries()) {
    const meanings = forms?.map((form) => ambiguous.get(form)).find((found) => found !== undefined);
    if (fields[at] === undefined) fields[at] = meanings?.find((field) => !fields.includes(field));
  }
  return fields;
}

/** No known name is longer. */
const MAX_NAME_LENGTH = 200;

/** A name as written, and without an explanation in brackets: `Échéance (JJ/MM/AAAA)`. */
function variants(name: string): string[] {
  return [normalisedName(name), normalisedName(name.replace(/[([][^()[\]]*[)\]]\s*$/, ''))];
}

function knownFields({ columns }: ImportKind): string {
  return [...new Set(columns.values())].join(', ');
}

/** Names from a file, for a message: limited in number and length. */
export function listed(names: readonly string[]): string {
  const some = names.slice(0, 20).map((name) => `"${name.trim().slice(0, 60)}"`);
  return [...some, ...(names.length > some.length ? ['…'] : [])].join(', ');
}
