import { AGENT_STATUSES } from '../../contracts/backups.js';
import { printable } from '../../platform/http/text.js';
import { reportedInstant } from './reported-instant.js';
import type { DatabaseReport } from './status-report.js';

/*
 * The validation rules of a database in a report, one function per field. Not class-validator: a report may have 1,000
 * databases, and validation must take milliseconds.
 */

const MAX_TEXT_LENGTH = 20_000;
const MAX_NAME_LENGTH = 1_000;

type Read = { value: string | number } | { fault: string };
/** @param latest the latest instant that is not in the future, in ms */
type Rule = (written: unknown, latest: number) => Read | null;

const status: Rule = (written) =>
  AGENT_STATUSES.some((one) => one === written)
    ? { value: written as string }
    : { fault: `must be one of ${AGENT_STATUSES.join(', ')}` };

const sha256: Rule = (written) =>
  typeof written === 'string' && /^[0-9a-f]{64}$/i.test(written)
    ? { value: written.toLowerCase() }
    : { fault: 'must be the 64 hexadecimal digits of a SHA-256' };

const bytes: Rule = (written) =>
  typeof written === 'number' && Number.isSafeInteger(written) && written >= 0
    ? // Not -0, which JSON writes as 0.
      { value: written + 0 }
    : { fault: 'must be a whole number of bytes, from 0 to 2^53 - 1, without quotes' };

/** The output of other programs: cut and cleaned for storage. */
const words: Rule = (written) => {
  if (typeof written !== 'string') return { fault: 'must be text' };
  // Cut first: PostgreSQL cannot store half a character at the end.
  const kept = printable(written.slice(0, MAX_TEXT_LENGTH)).trim();
  return kept === '' ? null : { value: kept };
};

const instant: Rule = (written, latest) => {
  const at = typeof written === 'string' ? reportedInstant(written.trim()) : null;
  if (at === null) return { fault: 'must be an instant from 2000 on, such as 2026-03-30T02:10:00Z' };
  return Date.parse(at) > latest ? { fault: `${at} is in the future` } : { value: at };
};

/** The scan decides where a name leads. Refuses a name that PostgreSQL cannot store. */
const fileName: Rule = (written) =>
  typeof written === 'string' && written.length <= MAX_NAME_LENGTH && !/[\0\p{Cs}]/u.test(written)
    ? { value: written }
    : { fault: `must be a file name of at most ${MAX_NAME_LENGTH} characters without NUL` };

const RULES = {
  status,
  hash_sha256: sha256,
  size_bytes: bytes,
  compress_size_pre_compress: bytes,
  compress_size_post_compress: bytes,
  agent_transfer_process_status: words,
  agent_transfer_process_start_time_utc: instant,
  agent_transfer_process_timestamp_utc: instant,
  agent_transfer_error_message: words,
  staged_file_name: fileName,
  logs_summary: words,
  error_msg: words,
} as const satisfies Record<keyof DatabaseReport, Rule>;

/** The fields of a database, in the order in which they are hashed. */
export const DATABASE_FIELDS = Object.keys(RULES) as readonly (keyof DatabaseReport)[];

/** The valid fields, and a line for each fault. Agents omit unknown values, or write `""`. */
export function readDatabaseFields(
  written: Record<string, unknown>,
  latest: number,
): { valid: Partial<DatabaseReport>; faults: string[] } {
  const valid: Record<string, string | number> = {};
  const faults: string[] = [];
  for (const field of DATABASE_FIELDS) {
    const value = Object.hasOwn(written, field) ? written[field] : null;
    if (value == null || value === '') continue;
    const read = RULES[field](value, latest);
    if (read === null) continue;
    if ('value' in read) valid[field] = read.value;
    else faults.push(`/${field}: ${read.fault}`);
  }
  const needed = valid.status === 'success' ? (['hash_sha256', 'staged_file_name'] as const) : [];
  for (const field of ['status', ...needed] as const) {
    if (valid[field] === undefined && !faults.some((fault) => fault.startsWith(`/${field}:`))) {
      faults.push(`/${field}: is missing${field === 'status' ? '' : ' but required for a success'}`);
    }
  }
  return { valid, faults };
}
