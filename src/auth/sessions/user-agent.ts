const MAX_LENGTH = 200;

/**
 * The client's description of itself, for people to recognise their sessions: printable ASCII, truncated; null when
 * empty.
 */
export function shortUserAgent(header: string): string | null {
  const text = header
    .replace(/[^\x20-\x7e]/g, '')
    .trim()
    .slice(0, MAX_LENGTH);
  return text === '' ? null : text;
}
