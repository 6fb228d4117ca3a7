/** The eight groups of an IPv6 address in any spelling that `isIP` accepts; a zone is left out. */
export function groupsOf(address: string): number[] {
  const [written = ''] = address.split('%');
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(written);
  const hex = (high = '0', low = '0') => ((Number(high) << 8) | Number(low)).toString(16);
  const text =
    dotted === null ? written : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`;
  const [before = '', after] = text.split('::');
  const head = parse(before);
  if (after === undefined) return head;
  const tail = parse(after);
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/**
 * The IPv4 addresses inside an IPv6 address.
 * - `translated`: packets go to that IPv4 address: mapped (RFC 4291 §2.5.5.2), or by NAT64's well-known prefix (RFC 6052).
 * - Else ISATAP's (RFC 5214 §6.1), which a router may forward to.
 */
export function embeddedIpv4(groups: readonly number[]): { inside: string[]; translated: boolean } {
  const last = ipv4Of(groups[6], groups[7]);
  const starts = (...prefix: number[]) => prefix.every((group, at) => groups[at] === group);
  if (starts(0, 0, 0, 0, 0, 0xffff)) return { inside: [last], translated: true };
  if (starts(0x64, 0xff9b, 0, 0, 0, 0)) return { inside: [last], translated: true };
  const isatap = ((groups[4] ?? 0) & ~0x200) === 0 && groups[5] === 0x5efe;
  return { inside: isatap ? [last] : [], translated: false };
}

function ipv4Of(high = 0, low = 0): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

function parse(part: string): number[] {
  return part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
}
