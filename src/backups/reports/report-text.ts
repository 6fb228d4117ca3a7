import { createHash } from 'node:crypto';
import type { Fault } from '../../platform/errors/problem.js';
import { JSON_LIMITS, JsonFault, readJson } from '../../platform/json/read-json.js';
import { printable } from '../../platform/http/text.js';
import { checked } from '../../platform/http/validation.js';
import { futureFaults, StatusReport } from './status-report.js';

/** The result of reading a file: a report, or why it is no report. */
export type ReadReport = { report: StatusReport } | { refused: string };

/** Faults that a `.reason` names. */
const MAX_FAULTS = 50;

/**
 * Reads a STATUS.json, by the rules of `POST backups/reports`.
 * @param agentId the agent in whose folder it lies.
 */
export function readReport(bytes: Buffer, agentId: string, now: Date): ReadReport {
  if (bytes.length === 0) return { refused: 'the file is empty' };
  let text: string;
  try {
    // Windows programs write a UTF-8 byte order mark.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { refused: 'the file is not UTF-8' };
  }
  let plain: unknown;
  try {
    plain = readJson(text, { ...JSON_LIMITS, illFormedTexts: true });
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    return { refused: error.pointer === '' ? `the file is refused: ${error.detail}` : error.message };
  }
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    return { refused: 'the file must hold one JSON object' };
  }
  return judged(plain, agentId, now);
}

function judged(plain: object, agentId: string, now: Date): ReadReport {
  let found: { value: StatusReport; faults: Fault[] };
  try {
    found = checked(StatusReport, { ...plain });
  } catch (error) {
    // A report that breaks the validation itself is refused like any other, and stops no other report.
    return { refused: `the report can not be checked: ${error instanceof Error ? error.message : ''}` };
  }
  const { value: report, faults } = found;
  if (faults.length > 0) return { refused: inWords(faults) };
  const early = futureFaults(report, now);
  if (early.length > 0) return { refused: inWords(early) };
  if (report.agent_id !== agentId) {
    return { refused: `/agent_id: ${report.agent_id} is not the agent of this folder, ${agentId}` };
  }
  return { report };
}

/**
 * Identifies a file that is no report if it comes again. Never the hash of a report's content: a report that was
 * rejected because of its time, for example, may come again and be good.
 */
export function bytesHash(bytes: Buffer | string): string {
  return createHash('sha256').update('rejected\n').update(bytes).digest('hex');
}

/** One fault a line. */
function inWords(faults: readonly Fault[]): string {
  const lines = faults.slice(0, MAX_FAULTS).map(({ pointer, detail }) => `${pointer}: ${detail}`);
  const more = faults.length - lines.length;
  const text = [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
  return printable(text.slice(0, 4_000));
}
