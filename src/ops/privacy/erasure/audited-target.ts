import { createHash } from 'node:crypto';
import type { Subject } from '../subject.js';

const HASH_CHARACTERS = 16;

/**
 * How the audit log identifies the person of an erasure: by the user's id, or by the first 16 hexadecimal digits of the
 * SHA-256 of the normalized e-mail address in lower case, so that anybody who knows the address can find the entry. A
 * phone number is not hashed: there are so few numbers that the hash would reveal it.
 */
export function auditedTarget({ user_id, addresses: [address] }: Subject): Record<string, string> {
  if (user_id !== null) return { user_id };
  if (address === undefined) return {};
  if (!address.includes('@')) return { address: 'phone' };
  const hash = createHash('sha256').update(address).digest('hex');
  return { address_sha256: hash.slice(0, HASH_CHARACTERS) };
}
