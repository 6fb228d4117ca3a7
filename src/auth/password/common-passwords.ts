/** A password with fewer different characters is a pattern, whatever its length. */
const MIN_DISTINCT = 5;
/** A repeated part up to this length is a pattern, whatever it says. */
const MAX_REPEATED_PART = 4;

let loading: Promise<ReadonlySet<string>> | null = null;

/**
 * Whether attackers try this password first: it is on zxcvbn's list of 49,000 leaked ones (English, French, keyboard
 * rows), such a word between digits and signs (`Soleil2026!!`), a repeated one, or has hardly any different characters.
 * NIST SP 800-63B-4 §3.1.1.2, OWASP ASVS 5, 6.2.4.
 */
export async function isCommonPassword(password: string): Promise<boolean> {
  const word = password.normalize('NFKC').toLowerCase();
  if (new Set(word).size < MIN_DISTINCT) return true;
  const part = repeatedPart(word);
  if (part !== null && part.length <= MAX_REPEATED_PART) return true;
  const list = await commonPasswords();
  const candidates = [word, part, coreOf(word), part === null ? null : coreOf(part)];
  return candidates.some((candidate) => candidate !== null && list.has(candidate));
}

/** Read when the first password is set: it takes 100 ms and 4 MB. */
function commonPasswords(): Promise<ReadonlySet<string>> {
  loading ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) => new Set(dictionary['passwords-common']),
    (error: unknown) => {
      // The next one tries again.
      loading = null;
      throw error;
    },
  );
  return loading;
}

/** The word without the digits and signs that people add at both ends. */
function coreOf(word: string): string | null {
  const core = word.replace(/^[^\p{L}]+/u, '').replace(/[^\p{L}]+$/u, '');
  return core === '' || core === word ? null : core;
}

/** The part that the word consists of, repeated, or null. */
function repeatedPart(word: string): string | null {
  const period = (word + word).indexOf(word, 1);
  return period < word.length ? word.slice(0, period) : null;
}
