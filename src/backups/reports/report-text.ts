import { createHash } from 'node:crypto';
import { printable } from '../../platform/http/text.js';
import { JSON_LIMITS, JsonFault, readJson } from '../../platform/json/read-json.js';
import { faultLines, inBrief, type ReadReport, readStatusReport } from './read-status-report.js';

/** The result of reading a file: a report, or why it is not one. */
export type ReadFile = { report: ReadReport } | { refused: string };

/** Agents truncate the output of other programs, even in the middle of a character. */
const REPORT_LIMITS = { ...JSON_LIMITS, illFormedTexts: true };
/** Characters of a reason. */
const MAX_REASON_LENGTH = 4_000;

/**
 * Reads a STATUS.json, with the rules of `POST backups/reports`.
 * @param agentId the agent whose folder it is in.
 */
export function readReport(bytes: Buffer, agentId: string, now: Date): ReadFile {
  if (bytes.length === 0) return { refused: 'the file is empty' };
  let text: string;
  try {
    // Windows programs write a UTF-8 byte order mark.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { refused: 'the file is not UTF-8' };
  }
  try {
    const read = readStatusReport(readJson(text, REPORT_LIMITS), now);
    if ('faults' in read) return { refused: reasonOf(faultLines(read.faults)) };
    if (read.head.agent_id !== agentId) {
      return {
        refused: `/agent_id: ${read.head.agent_id} does not match the agent of this folder, ${agentId}`,
      };
    }
    return { report: read };
  } catch (error) {
    if (error instanceof JsonFault) return { refused: reasonOf([error.message]) };
    // A report that breaks the validation itself is refused like any other, and blocks no other report.
    return { refused: `the report cannot be checked: ${error instanceof Error ? error.message : ''}` };
  }
}

/**
 * Identifies an invalid report if it comes again. Never the hash of a report's content: a report that was rejected
 * because of its time, for example, may be valid the next time.
 */
export function bytesHash(bytes: Buffer | string): string {
  return createHash('sha256').update('rejected\n').update(bytes).digest('hex');
}

/** One fault per line. */
export function reasonOf(lines: readonly string[]): string {
  return printable(inBrief(lines).join('\n').slice(0, MAX_REASON_LENGTH));
}
