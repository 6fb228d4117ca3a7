import type { Format, Variable } from './variables.js';

const MIN_LENGTH = 32;
const MIN_DISTINCT = 10;
/** Characters of random text carry about 4 bits each, fewer when some characters are frequent. */
const MIN_BITS = 100;
const MAX_SECRETS = 10;

const SENTENCE = `must be random: at least ${MIN_LENGTH} characters, at least ${MIN_DISTINCT} different ones, no pattern (openssl rand -base64 32)`;

/** A secret from which keys are derived. */
export const STRONG_SECRET: Format = {
  type: `random text of at least ${MIN_LENGTH} characters`,
  check: (text) => {
    if (text.includes(','))
      throw new Error(
        'must have no comma: JWT_SECRET_PREVIOUS, which it goes to one day, separates by commas',
      );
    if (
      text.length < MIN_LENGTH ||
      new Set(text).size < MIN_DISTINCT ||
      bitsOf(text) < MIN_BITS ||
      repeats(text)
    )
      throw new Error(SENTENCE);
  },
};

/** Several such secrets, separated by commas. */
export function secretListVariable(written: {
  env: string;
  yaml: string;
  doc: string;
}): Variable<readonly string[] | null> {
  return {
    aliases: [],
    ...written,
    secret: true,
    list: true,
    type: `up to ${MAX_SECRETS}, each ${STRONG_SECRET.type}, separated by commas`,
    default: null,
    parse: (text) => {
      const secrets = text
        .split(',')
        .map((secret) => secret.trim())
        .filter((secret) => secret !== '');
      if (secrets.length > MAX_SECRETS) throw new Error(`must be at most ${MAX_SECRETS} secrets`);
      for (const secret of secrets) STRONG_SECRET.check(secret);
      return secrets;
    },
  };
}

/** The Shannon entropy of its characters times its length: what a guesser who knows their frequencies must try. */
function bitsOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  const each = [...counts.values()].map((count) => count / text.length);
  return -text.length * each.reduce((sum, share) => sum + share * Math.log2(share), 0);
}

/** Whether the text is one part repeated several times. */
function repeats(text: string): boolean {
  return (text + text).indexOf(text, 1) < text.length;
}
