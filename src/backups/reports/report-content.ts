import { createHash } from 'node:crypto';
import { printable } from '../../platform/http/text.js';
import type { ReadReport } from './read-status-report.js';
import type { DatabaseReport } from './status-report.js';

/** The content of a report, independent of its formatting. */
export interface ReportContent {
  operation_timestamp_utc: string;
  agent_id: string;
  company_name: string;
  city: string;
  neighborhood: string | null;
  databases: Record<string, ReportedContent>;
}

/** The report's fields about a database; `fault` is why it cannot be evaluated. */
export type ReportedContent = Partial<DatabaseReport> & { fault?: string };

/** The fields of a report that this version knows. */
export function contentOf({ head, databases }: ReadReport): ReportContent {
  const content = [...databases]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { valid, fault }]) => [name, fault === null ? valid : { ...valid, fault }] as const);
  return {
    operation_timestamp_utc: head.operation_timestamp_utc,
    agent_id: head.agent_id,
    company_name: head.company_name,
    city: head.city,
    neighborhood: head.neighborhood ?? null,
    databases: Object.fromEntries(content),
  };
}

/** SHA-256, in hexadecimal digits: it identifies the same report, as a file and over REST. */
export function contentHash(content: ReportContent): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

/** The fields that this version does not know, as PostgreSQL can store them; undefined if there are none. */
export function unknownContent({ unknown, databases }: ReadReport): object | undefined {
  const ofDatabases = [...databases]
    .filter(([, database]) => Object.keys(database.unknown).length > 0)
    .map(([name, database]) => [name, database.unknown] as const);
  if (Object.keys(unknown).length === 0 && ofDatabases.length === 0) return undefined;
  const kept = { report: unknown, databases: Object.fromEntries(ofDatabases) };
  return storable(kept) as object;
}

/** PostgreSQL cannot store NUL or lone surrogates. The depth of JSON from outside is limited. */
function storable(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [printable(name), storable(inner)]));
}
