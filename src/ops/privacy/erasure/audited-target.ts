import { createHash } from 'node:crypto';

const HASH_CHARACTERS = 16;

/**
 * What the audit log says about whom an erasure is for: the user's id, or a hash of the e-mail address, by which those
 * who know the address find the entry. Not of a number: there are so few that its hash would name it.
 */
export function auditedTarget(userId: string | null, address: string | undefined): Record<string, string> {
  if (userId !== null) return { user_id: userId };
  if (address === undefined) return {};
  if (!address.includes('@')) return { address: 'phone' };
  const hash = createHash('sha256').update(address.trim().toLowerCase()).digest('hex');
  return { address_sha256: hash.slice(0, HASH_CHARACTERS) };
}
