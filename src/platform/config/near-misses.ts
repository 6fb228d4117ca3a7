import { SCHEMA } from './schema.js';

/** Vigie's own names start with these prefixes; other variables belong to other programs. */
const OWN =
  /^(VIGIE|SMTP|DATABASE|REDIS|JWT|BACKUP|EMAIL|RETRY|DELIVERY|CHANNEL|LIMIT|DISPATCH|SCHEDULER|LOG)_/;
/** Maximum edits between two names that look alike. */
const MAX_EDITS = 2;

/** Variables that look like a setting but are not one: one sentence each, for the log at start. */
export function nearMisses(names: readonly string[]): string[] {
  const known = Object.values(SCHEMA).flatMap(({ env, aliases }) => [env, ...aliases]);
  const settings = new Set([...known, ...known.map((name) => `${name}_FILE`), 'VIGIE_CONFIG']);
  return names
    .filter((name) => OWN.test(name) && !settings.has(name))
    .toSorted()
    .flatMap((name) => {
      const meant = known.find((setting) => edits(name, setting) <= MAX_EDITS);
      return meant === undefined ? [] : [`${name} is not a setting and is ignored; did you mean ${meant}?`];
    });
}

/** The Levenshtein distance. */
function edits(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_value, index) => index);
  for (let i = 0; i < one.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < other.length; j += 1) {
      const replaced = (row[j] ?? 0) + (one[i] === other[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
