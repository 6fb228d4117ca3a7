import { createHash } from 'node:crypto';
import { type DatabaseReport, REPORTED_INSTANTS, type StatusReport } from './status-report.js';

/** The content of a report, the same however it was written. */
export interface ReportContent {
  operation_timestamp_utc: string;
  agent_id: string;
  company_name: string;
  city: string;
  neighborhood: string | null;
  databases: Record<string, Partial<DatabaseReport>>;
}

export function contentOf(report: StatusReport): ReportContent {
  const instant = (text: string) => new Date(text).toISOString();
  const databases = [...report.databases]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, said]) => {
      const known = DATABASE_FIELDS.flatMap((field) => {
        const value = said[field];
        if (value == null) return [];
        const isInstant = (REPORTED_INSTANTS as readonly string[]).includes(field);
        return [[field, isInstant ? instant(String(value)) : value] as const];
      });
      return [name, Object.fromEntries(known)] as const;
    });
  return {
    operation_timestamp_utc: instant(report.operation_timestamp_utc),
    agent_id: report.agent_id,
    company_name: report.company_name,
    city: report.city,
    neighborhood: report.neighborhood ?? null,
    databases: Object.fromEntries(databases),
  };
}

/** SHA-256, in hexadecimal digits: it identifies the same report, as a file and over REST. */
export function contentHash(content: ReportContent): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

/** The fields of a database, in the order in which they are hashed. */
const DATABASE_FIELDS = [
  'status',
  'hash_sha256',
  'size_bytes',
  'compress_size_pre_compress',
  'compress_size_post_compress',
  'agent_transfer_process_status',
  'agent_transfer_process_start_time_utc',
  'agent_transfer_process_timestamp_utc',
  'agent_transfer_error_message',
  'staged_file_name',
  'logs_summary',
  'error_msg',
] as const satisfies readonly (keyof DatabaseReport)[];
