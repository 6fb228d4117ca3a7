/** The same spaces and omitted characters as in `comparable`. */
const SPACES =
  '\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000';
const UNSEEN_INSIDE = '\u00ad\u180e\u200b\u200e\u200f\u2060\ufeff';

/**
 * An SQL expression: a jsonb object whose texts are `normalized` already, with each text as `comparable` returns it.
 */
export function comparableSql(jsonb: string): string {
  return `translate((${jsonb})::text, '${SPACES}${UNSEEN_INSIDE}', '${' '.repeat(SPACES.length)}')::jsonb`;
}
