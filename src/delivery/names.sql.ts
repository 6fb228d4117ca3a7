/** Stored names as an SQL list: `'a', 'b'`. */
export function names(of: readonly string[]): string {
  return of.map((name) => `'${name}'`).join(', ');
}
