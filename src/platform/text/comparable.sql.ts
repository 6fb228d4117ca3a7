/** As in `comparable`: what is a space, and what is left out. */
const SPACES =
  '\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000';
const UNSEEN_INSIDE = '\u00ad\u180e\u200b\u200e\u200f\u2060\ufeff';

/**
 * A jsonb object whose texts are `normalized` already, with each of them as `comparable` makes it, as an SQL
 * expression.
 */
export function comparableSql(jsonb: string): string {
  return `translate((${jsonb})::text, '${SPACES}${UNSEEN_INSIDE}', '${' '.repeat(SPACES.length)}')::jsonb`;
}
