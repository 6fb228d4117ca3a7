import { Problem } from '../platform/errors/problem.js';

/** The file as a whole can't be imported: nothing of it lands. */
export function refused(detail: string): Problem {
  return new Problem('file_refused', detail);
}
