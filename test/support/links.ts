/** The token in the fragment of a one-time link. */
export function tokenOf(url: string): string {
  const token = new URLSearchParams(new URL(url).hash.slice(1)).get('token');
  if (token === null) throw new Error(`${url} has no token in its fragment`);
  return token;
}
