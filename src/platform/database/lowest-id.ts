/** An id has 48 bits for milliseconds. */
const MAX_MS = 2 ** 48 - 1;

/**
 * The lowest id that `new_id()` can return at an instant: its first 48 bits are Unix time (UUIDv7, RFC 9562 §5.7).
 * @param ms Unix time in ms
 */
export function lowestIdAt(ms: number): string {
  const digits = Math.max(0, Math.min(ms, MAX_MS)).toString(16).padStart(12, '0');
  return `${digits.slice(0, 8)}-${digits.slice(8)}-0000-0000-000000000000`;
}
