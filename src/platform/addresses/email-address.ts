import { domainToASCII } from 'node:url';
import { normalized } from '../text/normalized.js';

/** RFC 5321 §4.5.3.1.3: a path has 256 octets, two of them are its angle brackets. */
const MAX_ADDRESS = 254;
/** RFC 5321 §4.5.3.1.1, in octets. */
const MAX_LOCAL_PART = 64;
/** RFC 5322 §3.2.3 `dot-atom-text`, ASCII only: no quoted strings, comments or SMTPUTF8 (RFC 6531). */
const LOCAL_PART = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
/** Letters, marks and digits of any script, and the dots that UTS #46 maps; a domain holds no other characters. */
const WRITTEN_DOMAIN = /^[\p{L}\p{M}\p{N}.\u3002\uFF0E\uFF61-]+$/u;
/** RFC 1035 §2.3.1, after punycode. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** A top-level label has at least two characters and at least one non-digit: all digits would be an IPv4 address. */
const TOP_LABEL = /^(?!\d+$)..+$/;

/**
 * The one rule for e-mail addresses, shared by configuration, API, imports and channels. Returns one plain, normalised
 * e-mail address: surrounding blanks and invisible characters are removed, the domain is lower-cased and converted to
 * punycode (RFC 5891). The local part stays as written, because only its server may interpret it. Returns null for
 * anything else: several addresses, display names, comments, quotes, line breaks, literal IPs, a domain without a dot,
 * invalid punycode, a last label of one letter, a local part outside ASCII, more than 254 characters.
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
