import { createHash } from 'node:crypto';
import type { Subject } from '../subject.js';

const HASH_CHARACTERS = 16;

/**
 * What the audit log says about whom an erasure is for: the user's id, or the first 16 hexadecimal digits of the SHA-256
 * of the normalised e-mail address in lower case, by which those who know the address find the entry. Not of a number:
 * there are so few that its hash would name it.
 */
export function auditedTarget({ user_id, addresses: [address] }: Subject): Record<string, string> {
  if (user_id !== null) return { user_id };
  if (address === undefined) return {};
  if (!address.includes('@')) return { address: 'phone' };
  const hash = createHash('sha256').update(address).digest('hex');
  return { address_sha256: hash.slice(0, HASH_CHARACTERS) };
}
