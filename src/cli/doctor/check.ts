import { withTimeout } from '../../platform/clock/timeout.js';
import type { Setting } from '../../platform/config/config.js';
import { SCHEMA } from '../../platform/config/schema.js';
import { messageOf } from './error-text.js';
import type { DoctorContext } from './context.js';
import { type CheckedFinding, type Finding, note, warning } from './finding.js';

/** The time limit of a check, in ms. */
export const CHECK_DEADLINE_MS = 5_000;
/** The time limit of one connection or exchange inside a check: shorter, because its error says more. */
export const STEP_DEADLINE_MS = 4_000;

/** One area, checked without the others. */
export interface Check {
  id: string;
  /** Settings that it depends on: while one is faulty, it is not run. */
  settings: readonly Setting[];
  /** Whether it needs PostgreSQL or Redis, which may be embedded and not started yet. */
  needs?: 'postgresql' | 'redis';
  run: (context: DoctorContext) => Promise<Finding[]>;
}

/**
 * Runs one check within its deadline.
 * @returns at least one finding; a check that fails unexpectedly is a warning, not an error.
 */
export async function runCheck(check: Check, context: DoctorContext): Promise<CheckedFinding[]> {
  const findings = await findingsOf(check, context);
  const different = new Map(findings.map((finding) => [finding.message, finding]));
  return [...different.values()].map((finding) => ({ id: check.id, ...finding }));
}

async function findingsOf({ settings, needs, run }: Check, context: DoctorContext): Promise<Finding[]> {
  const faulty = settings.filter((setting) => context.faulty.has(setting));
  if (faulty.length > 0) {
    const names = faulty.map((setting) => SCHEMA[setting].env).join(', ');
    return [note(`not checked, because of a fault in the configuration: ${names}`)];
  }
  if (needs !== undefined && isMissing(needs, context))
    return [note('not checked: it is embedded, and not started')];
  try {
    return await withTimeout(
      run(context),
      CHECK_DEADLINE_MS,
      `no result within ${CHECK_DEADLINE_MS / 1_000} s`,
    );
  } catch (error) {
    return [
      warning(`this check failed: ${messageOf(error)}`, 'Run it again, and report it if it fails again'),
    ];
  }
}

function isMissing(needs: 'postgresql' | 'redis', { config, notStarted }: DoctorContext): boolean {
  if (notStarted === null) return false;
  return needs === 'redis'
    ? config.redisUrl === null
    : (config.databaseUrl ?? config.databaseSystemUrl) === null;
}
