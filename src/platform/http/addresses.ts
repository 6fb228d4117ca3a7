import { isIP, type Socket } from 'node:net';

/**
 * The address of a request: the peer's, or the one reported by TRUST_PROXY's proxies. An IPv4-mapped IPv6 address is
 * written as IPv4.
 */
export function addressOf({ ip, socket }: { ip: string; socket: Pick<Socket, 'remoteAddress'> }): string {
  // A proxy forwards what the client sent, which may be anything.
  const address = isIP(ip) === 0 ? (socket.remoteAddress ?? '') : ip;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address.toLowerCase();
}

/** The proxies that TRUST_PROXY names, one by one. */
export function trustedProxies(setting: string | null): string[] {
  return setting?.split(',').map((address) => address.trim()) ?? [];
}

/** Who shares a limit: an IPv4 address, or an IPv6 network of 64 bits, the size that one household gets. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const missing = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(Math.max(0, missing)).fill('0'), ...right]
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':');
}
