import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { embeddedIpv4, groupsOf } from './ipv6.js';

/**
 * IPv4 networks that are not public (IANA special-purpose registry), multicast, and addresses at which clouds serve
 * metadata. 192.0.0.0/24 includes Oracle's, 100.64.0.0/10 Alibaba's, 169.254.0.0/16 all others'.
 */
const NOT_PUBLIC: readonly [network: string, prefix: number, name: string][] = [
  ['0.0.0.0', 8, 'unspecified'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'shared by a provider’s customers'],
  ['127.0.0.0', 8, 'loopback'],
  ['168.63.129.16', 32, 'Azure’s own'],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'documentation'],
  ['192.88.99.0', 24, 'reserved'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'benchmarking'],
  ['198.51.100.0', 24, 'documentation'],
  ['203.0.113.0', 24, 'documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
];
const LISTS = NOT_PUBLIC.map(([network, prefix, name]) => {
  const list = new BlockList();
  list.addSubnet(network, prefix, 'ipv4');
  return { list, name };
});

/** The names of networks in WEBHOOK_ALLOWED_NETWORKS. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** Decides which numeric addresses may be called. */
export class AddressGuard {
  private readonly allowed = new BlockList();

  /**
   * @param allowedNetworks WEBHOOK_ALLOWED_NETWORKS; null: none
   * @param ownAddresses the addresses of this machine: services that listen on all of them are not public
   */
  constructor(
    allowedNetworks: string | null,
    private readonly ownAddresses: () => readonly string[] = machineAddresses,
  ) {
    const written = allowedNetworks?.split(',').map((part) => part.trim()) ?? [];
    for (const network of written.flatMap((part) => NAMED[part] ?? [part])) {
      const [address = '', prefix] = network.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.allowed.addAddress(address, family);
      else this.allowed.addSubnet(address, Number(prefix), family);
    }
  }

  /** Why an address must not be called, as an adjective; null if it may. */
  refusal(address: string): string | null {
    const version = isIP(address);
    // An address with a zone is link-local.
    if (version === 0 || address.includes('%')) return 'not numeric';
    if (version === 4) return this.refusalOfIpv4(address);
    const groups = groupsOf(address);
    const { inside, translated } = embeddedIpv4(groups);
    if (translated) return this.refusalOfIpv4(inside[0] ?? '0.0.0.0');
    if (this.allowed.check(address, 'ipv6')) return null;
    if (this.isOwn(groups.join(':'))) return 'this machine’s own';
    const refused = refusalOfIpv6(groups);
    if (refused !== null) return refused;
    return inside.map((each) => this.refusalOfIpv4(each)).find((each) => each !== null) ?? null;
  }

  private refusalOfIpv4(address: string): string | null {
    if (this.allowed.check(address, 'ipv4')) return null;
    const known = LISTS.find(({ list }) => list.check(address, 'ipv4'));
    if (known !== undefined) return known.name;
    return this.isOwn(address) ? 'this machine’s own' : null;
  }

  private isOwn(address: string): boolean {
    return this.ownAddresses().includes(address);
  }
}

/** Only global unicast (RFC 4291 §2.4), without the parts that are reserved or that tunnel to IPv4. */
function refusalOfIpv6(groups: readonly number[]): string | null {
  const [first = 0, second = 0] = groups;
  if ((first & 0xe000) !== 0x2000) return ipv6Kind(groups);
  // 2001::/23: IETF protocols, Teredo among them. 2002::/16: 6to4.
  if (first === 0x2001 && second < 0x200) return 'reserved';
  if (first === 0x2001 && second === 0xdb8) return 'documentation';
  if (first === 0x2002) return 'a 6to4 tunnel';
  if (first === 0x3fff && second < 0x1000) return 'documentation';
  return null;
}

function ipv6Kind(groups: readonly number[]): string {
  const [first = 0] = groups;
  if (groups.every((group) => group === 0)) return 'unspecified';
  if (groups.slice(0, 7).every((group) => group === 0)) return 'loopback';
  if ((first & 0xfe00) === 0xfc00) return 'private';
  if ((first & 0xffc0) === 0xfe80) return 'link-local';
  return (first & 0xff00) === 0xff00 ? 'multicast' : 'reserved';
}

/** IPv4 as written, IPv6 as groups in decimal. */
function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.map(({ address, family }) => (family === 'IPv6' ? groupsOf(address).join(':') : address)),
  );
}
