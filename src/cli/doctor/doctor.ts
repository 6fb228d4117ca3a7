import { VERSION } from '../../platform/version.js';
import type { Environment } from '../installation.js';
import { runCheck } from './check.js';
import { CHECKS } from './checks.js';
import { createContext, type DoctorOptions } from './context.js';
import type { CheckedFinding, FindingState } from './finding.js';

/** The result of all checks. */
export interface Diagnosis {
  version: string;
  /** Whether no check found a fault. */
  ok: boolean;
  summary: Record<FindingState, number>;
  checks: CheckedFinding[];
}

/**
 * `vigie doctor`: checks the configured installation. Changes nothing, and works while the server, PostgreSQL or Redis
 * are down. Takes at most 5 s.
 */
export async function diagnose(environment: Environment, options: DoctorOptions = {}): Promise<Diagnosis> {
  const context = await createContext(environment, options);
  const checks = (await Promise.all(CHECKS.map((check) => runCheck(check, context)))).flat();
  const count = (state: FindingState) => checks.filter((finding) => finding.state === state).length;
  const summary = { ok: count('ok'), note: count('note'), warning: count('warning'), fault: count('fault') };
  return { version: VERSION, ok: summary.fault === 0, summary, checks };
}

/** The report for a terminal: a line for each finding, and the remedy below it. */
export function describeDiagnosis({ checks, summary }: Diagnosis): string {
  const width = Math.max(...checks.map(({ id }) => id.length));
  const lines = checks.flatMap(({ id, state, message, remedy }) => [
    `${state.padEnd('warning'.length)}  ${id.padEnd(width)}  ${message}`,
    ...(remedy === null ? [] : [`${' '.repeat('warning'.length + width + 4)}→ ${remedy}`]),
  ]);
  const { ok, note, warning, fault } = summary;
  return [...lines, '', `${ok} ok, ${note} notes, ${warning} warnings, ${fault} faults`].join('\n');
}
