import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

const MAX_WRITTEN = 40;

/**
 * The one rule for telephone numbers, shared by users and channels. Returns the number as E.164 (`+33612345678`); null
 * for anything else: no country code, an impossible number, an extension (E.164 has none), several numbers, other text.
 */
export function parsePhoneNumber(written: string): string | null {
  if (written.length > MAX_WRITTEN) return null;
  // By default the library searches for a number within the text, and ignores the rest of it.
  const number = parsePhoneNumberFromString(written.trim(), { extract: false });
  return number?.isValid() === true && number.ext === undefined ? number.number : null;
}
