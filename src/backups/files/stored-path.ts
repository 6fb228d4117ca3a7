import { createHash } from 'node:crypto';

/** What determines the path of a stored backup. */
export interface Stored {
  company_name: string;
  city: string;
  agent_id: string;
  database_name: string;
  operation_timestamp_utc: Date;
  staged_file_name: string;
}

/** Longest part of a path, in bytes; file systems allow 255, and a file name has more parts. */
const MAX_PART_BYTES = 180;

/**
 * `<tenant slug>/<company>/<city>/<agent>/<database>/<YYYY>/<MM>/<database>_<UTC timestamp><ext>`, below the store.
 * Characters that file systems or people could misread are percent-encoded, so that two names never become one. Names
 * are NFC-normalized before they are stored; names that differ here are different names.
 */
export function storedPath(slug: string, stored: Stored): string {
  const { company_name, city, agent_id, database_name, operation_timestamp_utc, staged_file_name } = stored;
  const at = operation_timestamp_utc.toISOString();
  const database = part(database_name);
  const timestamp = at.replace(/\.000Z$/, 'Z').replace(/[-:]/g, '');
  return [
    slug,
    part(company_name),
    part(city),
    part(agent_id),
    database,
    at.slice(0, 4),
    at.slice(5, 7),
    `${database}_${timestamp}${extensionOf(staged_file_name)}`,
  ].join('/');
}

/** Text as a part of a path. */
function part(text: string): string {
  const safe = text.replace(/[%/\\:*?"<>|\p{Cc}\p{Cf}]|^[.\s-]|[.\s]$/gu, percentEncoded);
  if (Buffer.byteLength(safe) <= MAX_PART_BYTES) return safe;
  const digest = createHash('sha256').update(safe).digest('hex').slice(0, 12);
  return `${Array.from(safe).slice(0, 40).join('')}~${digest}`;
}

function percentEncoded(sign: string): string {
  const codes = Array.from(Buffer.from(sign), (byte) => byte.toString(16).toUpperCase().padStart(2, '0'));
  return codes.map((code) => `%${code}`).join('');
}

/** `.gz`, or `.sql.gz`; empty if there is none. */
function extensionOf(name: string): string {
  return /(?:\.[A-Za-z][A-Za-z0-9]{0,9})?\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0] ?? '';
}
