const MAX_LENGTH = 200;

/** A client's own words, for people to recognise their sessions: printable ASCII, cut; null where it says nothing. */
export function shortUserAgent(header: string): string | null {
  const text = header
    .replace(/[^\x20-\x7e]/g, '')
    .trim()
    .slice(0, MAX_LENGTH);
  return text === '' ? null : text;
}
