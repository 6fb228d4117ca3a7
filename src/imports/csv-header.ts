import type { ImportKind } from './import-kind.js';
import { refused } from './refusal.js';

/** What the columns of a file are: our field for each, null for one without a name. */
export type Columns = readonly (string | null)[];

/** A column's name as it is looked up: `Date d'échéance` → `date_d_echeance`. */
export function normalisedName(name: string): string {
  return name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');
}

/** The separator of a header line: the one that gives the most columns we know, then the most columns. */
export function separatorOf(header: string, kind: ImportKind): string {
  const ranked = [';', ',', '\t'].map((separator) => {
    const names = header.split(separator).map((name) => normalisedName(name));
    return { separator, known: names.filter((name) => kind.columns.has(name)).length, all: names.length };
  });
  ranked.sort((one, other) => other.known - one.known || other.all - one.all);
  return ranked[0]?.separator ?? ';';
}

/** @throws Problem file_refused for unknown, doubled and missing columns, all of them named. */
export function columnsOf(header: readonly string[], kind: ImportKind): Columns {
  if (header.length > COLUMNS_LIMIT) throw refused(`the header has ${header.length} columns`);
  const columns = header.map((name) => {
    const known = normalisedName(name);
    return known === '' ? null : kind.columns.get(known);
  });
  const unknown = header.filter((_name, at) => columns[at] === undefined);
  if (unknown.length > 0) {
    throw refused(
      `unknown columns: ${listed(unknown)}. Known are ${fieldsOf(kind).join(', ')}; French names are in docs/imports.md`,
    );
  }
  const fields = columns.map((column) => column ?? null);
  const named = fields.filter((field) => field !== null);
  const doubled = named.filter((field, at) => named.indexOf(field) !== at);
  if (doubled.length > 0) throw refused(`more than one column is ${listed(doubled)}`);
  const missing = kind.required.filter((field) => !fields.includes(field));
  if (missing.length > 0) {
    throw refused(`the header lacks ${missing.join(' and ')}; it has ${listed(header)}`);
  }
  return fields;
}

const COLUMNS_LIMIT = 200;

function fieldsOf({ columns }: ImportKind): string[] {
  return [...new Set(columns.values())];
}

/** Names out of a file, for a message: not too many, not too long. */
function listed(names: readonly string[]): string {
  const some = names.slice(0, 20).map((name) => `"${name.trim().slice(0, 60)}"`);
  return [...some, ...(names.length > some.length ? ['…'] : [])].join(', ');
}
