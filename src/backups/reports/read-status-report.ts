import type { Fault } from '../../platform/errors/problem.js';
import { printable } from '../../platform/http/text.js';
import { checked } from '../../platform/http/validation.js';
import { comparable } from '../../platform/text/normalized.js';
import { isDatabaseName } from '../jobs/database-name.js';
import { DATABASE_FIELDS, readDatabaseFields } from './database-fields.js';
import { type DatabaseReport, HEAD_FIELDS, ReportHead } from './status-report.js';

/** Faults listed in one answer, reason or verdict. */
const MAX_FAULTS = 20;
/** Databases of one report. */
const MAX_DATABASES = 1_000;
/** How far an agent's clock may be ahead, in ms. */
const AHEAD_MS = 10 * 60_000;

/** The valid fields of a database in a report. */
export interface ReportedDatabase {
  valid: Partial<DatabaseReport>;
  /** Why it cannot be evaluated; null if it can. */
  fault: string | null;
  /** Fields that this version does not know, unchanged. */
  unknown: Record<string, unknown>;
}

/** A report that can be read. */
export interface ReadReport {
  head: ReportHead;
  databases: Map<string, ReportedDatabase>;
  unknown: Record<string, unknown>;
  /** Warnings for people: unknown fields, and the faults of databases. At most 21 lines. */
  warnings: string[];
}

/**
 * Reads a report of STATUS.json's shape. Refuses only reports that cannot be read at all: each database is evaluated
 * separately, and unknown fields of newer agents are kept. The limits of JSON must have been checked.
 * @returns the report, or up to 20 faults.
 */
export function readStatusReport(plain: unknown, now: Date): ReadReport | { faults: Fault[] } {
  if (!isObject(plain)) return { faults: [{ pointer: '', detail: 'a report must be one JSON object' }] };
  const latest = now.getTime() + AHEAD_MS;
  const { value: head, faults } = checked(ReportHead, pick(plain, HEAD_FIELDS));
  // The reports of an agent whose clock is ahead would stay the newest until then.
  if (Date.parse(head.operation_timestamp_utc) > latest) {
    const detail = `${head.operation_timestamp_utc} is in the future (it is ${now.toISOString()})`;
    faults.push({ pointer: '/operation_timestamp_utc', detail });
  }
  const { databases: written } = plain;
  const names = isObject(written) ? Object.keys(written) : [];
  if (!isObject(written) || names.length < 1 || names.length > MAX_DATABASES) {
    faults.push({ pointer: '/databases', detail: `databases must be an object of 1 to ${MAX_DATABASES}` });
    return { faults: faults.slice(0, MAX_FAULTS) };
  }
  if (faults.length > 0) return { faults: faults.slice(0, MAX_FAULTS) };
  const databases = new Map<string, ReportedDatabase>();
  const warnings: string[] = [];
  for (const name of names) {
    const { key, database } = readDatabase(name, written[name], latest);
    const isTwice = databases.has(key);
    if (isTwice) database.fault = `the report contains this database twice, also as ${JSON.stringify(name)}`;
    if (database.fault !== null) warnings.push(...lines(database.fault, `/databases/${escaped(name)}`));
    warnings.push(...unknownLines(database.unknown, `/databases/${escaped(name)}`));
    databases.set(key, isTwice ? { ...database, valid: {} } : database);
  }
  const unknown = omit(plain, [...HEAD_FIELDS, 'databases']);
  warnings.unshift(...unknownLines(unknown, ''));
  return { head, databases, unknown, warnings: inBrief(warnings) };
}

/** At most 20 lines, and the number of others. */
export function inBrief(lines: readonly string[]): string[] {
  const more = lines.length - MAX_FAULTS;
  return [...lines.slice(0, MAX_FAULTS), ...(more > 0 ? [`and ${more} more`] : [])];
}

/** Faults as lines of text. */
export function faultLines(faults: readonly Fault[]): string[] {
  return faults.map(({ pointer, detail }) => (pointer === '' ? detail : `${pointer}: ${detail}`));
}

function readDatabase(
  name: string,
  written: unknown,
  latest: number,
): { key: string; database: ReportedDatabase } {
  const key = comparable(name);
  const fields = isObject(written) ? written : {};
  const { valid, faults } = readDatabaseFields(fields, latest);
  const found = isObject(written) ? faults : ['must be an object'];
  const isNamed = isDatabaseName(key);
  if (!isNamed) found.unshift('its name must be 1 to 100 characters without control characters');
  const fault = found.length === 0 ? null : inBrief(found).join('\n');
  const unknown = omit(fields, DATABASE_FIELDS);
  return { key: isNamed ? key : shownName(name), database: { valid, fault, unknown } };
}

/** The name shown for a database with an invalid name. */
function shownName(name: string): string {
  const shown = Array.from(printable(name).replace(/\s/g, ' ').trim()).slice(0, 50).join('');
  return `${shown} (not a name)`.trim();
}

function unknownLines(unknown: Record<string, unknown>, path: string): string[] {
  return Object.keys(unknown).map((name) => `${path}/${escaped(name)}: is unknown to this version and kept`);
}

function lines(fault: string, path: string): string[] {
  return fault.split('\n').map((line) => (line.startsWith('/') ? `${path}${line}` : `${path}: ${line}`));
}

/** A name in a JSON pointer (RFC 6901), escaped for people. */
function escaped(name: string): string {
  return printable(name.slice(0, 100)).replaceAll('~', '~0').replaceAll('/', '~1');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pick(from: Record<string, unknown>, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    fields.filter((field) => Object.hasOwn(from, field)).map((field) => [field, from[field]]),
  );
}

function omit(from: Record<string, unknown>, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => !fields.includes(name)));
}
