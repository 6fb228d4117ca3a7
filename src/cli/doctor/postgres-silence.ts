import { type Finding, note, warning } from './finding.js';
import { codeOf, messageOf } from './error-text.js';

export const PREPARING = 'docs/operations.md, "Preparing an external PostgreSQL"';

/** The check of the logins says why a connection failed; a statement may fail for another reason. */
export function unreachable(error: unknown): Finding {
  const code = codeOf(error);
  const isStatement = code !== null && /^(42|57|0A|25)/.test(code);
  return isStatement
    ? warning(`not checked: PostgreSQL refused: ${messageOf(error)}`, `See ${PREPARING}`)
    : note('not checked: PostgreSQL does not answer, or rejects the login');
}
