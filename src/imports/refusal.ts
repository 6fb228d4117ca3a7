import { Problem } from '../platform/errors/problem.js';

/** The file as a whole is refused: nothing of it is applied. */
export function refused(detail: string): Problem {
  return new Problem('file_refused', detail);
}
