import { domainToASCII } from 'node:url';
import { normalized } from '../text/normalized.js';

/** RFC 5321 §4.5.3.1.3: a path has 256 octets, two of them are its angle brackets. */
const MAX_ADDRESS = 254;
/** RFC 5321 §4.5.3.1.1, in octets. */
const MAX_LOCAL_PART = 64;
/** RFC 5322 §3.2.3 `dot-atom-text`, ASCII only: no quoted strings, comments or SMTPUTF8 (RFC 6531). */
const LOCAL_PART = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
/** Letters, marks and digits of any script, and the dots UTS #46 knows; no other sign can be in a domain. */
const WRITTEN_DOMAIN = /^[\p{L}\p{M}\p{N}.\u3002\uFF0E\uFF61-]+$/u;
/** RFC 1035 §2.3.1, after punycode. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** A last label has two characters at least (the shortest of the root zone), and one that is no digit: else it is an IPv4 address. */
const TOP_LABEL = /^(?!\d+$)..+$/;

/**
 * The one rule for e-mail addresses: configuration, API, imports and channels all use it.
 * Returns one plain e-mail address, normalised: surrounding blanks and invisible characters removed, the domain in lower case and in
 * punycode (RFC 5891); the local part is kept as written, because only its server may say what it means.
 * Returns null for anything else: several addresses, display names, comments, quotes, line breaks, literal IPs,
 * a domain without a dot, invalid punycode, a last label of one letter, a local part outside ASCII, more than
 * 254 characters.
 */
export function parseEmailAddress(input: string): string | null {
  if (input.length > 4 * MAX_ADDRESS || /[\r\n]/.test(input)) return null;
  const address = normalized(input);
  const at = address.indexOf('@');
  const local = address.slice(0, at);
  const written = address.slice(at + 1);
  if (at < 1 || local.length > MAX_LOCAL_PART || !LOCAL_PART.test(local)) return null;
  if (!WRITTEN_DOMAIN.test(written)) return null;
  const domain = domainToASCII(written).toLowerCase();
  const labels = domain.split('.');
  if (labels.length < 2 || !labels.every((label) => LABEL.test(label))) return null;
  if (!TOP_LABEL.test(labels.at(-1) ?? '')) return null;
  const normalised = `${local}@${domain}`;
  return normalised.length > MAX_ADDRESS ? null : normalised;
}

/** The part after the `@` of an address that `parseEmailAddress` returned. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
