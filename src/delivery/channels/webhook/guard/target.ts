import { isIP } from 'node:net';
import { withTimeout } from '../../../../platform/clock/timeout.js';
import type { AddressGuard } from './address-guard.js';
import type { Resolve } from './resolver.js';
import { parseUrl } from '../../../../platform/text/url.js';

/** Longest URL, in characters. */
export const MAX_URL = 2_000;
/** RFC 1035 §2.3.4. */
const MAX_NAME = 253;
/** A host name with more addresses is refused. */
const MAX_ADDRESSES = 32;
const RESOLVE_MS = 5_000;

/** Where a call goes: the connection is made to one of these addresses, with the URL's name for TLS and `Host`. */
export interface Target {
  url: URL;
  /** The URL's host without brackets and trailing dot. */
  host: string;
  addresses: readonly { address: string; family: 4 | 6 }[];
}

/** A URL that must not be called. The message is a sentence for people, without the URL. */
export class TargetError extends Error {
  constructor(
    readonly fault: 'invalid' | 'forbidden' | 'dns',
    message: string,
  ) {
    super(message);
    this.name = 'TargetError';
  }
}

/**
 * Decides where URLs of tenants may lead: only to public addresses, unless an operator allows a network. The addresses
 * that it returns are the ones to connect to: a name that resolves to others a moment later changes nothing.
 */
export class TargetGuard {
  constructor(
    private readonly addresses: AddressGuard,
    private readonly resolve: Resolve,
    private readonly allowHttp: boolean,
  ) {}

  /**
   * Checks the form of a URL, and its address if that is numeric in any spelling (WHATWG URL normalizes them).
   * @throws TargetError `invalid` or `forbidden`
   */
  parse(text: string): { url: URL; host: string } {
    if (text.length > MAX_URL) throw new TargetError('invalid', `is longer than ${MAX_URL} characters`);
    // WHATWG URL drops these: what an admin sees would not be what is called.
    if (/[\s\p{Cc}\p{Cf}\\]/u.test(text))
      throw new TargetError('invalid', 'must not contain spaces, control characters or backslashes');
    const url = parseUrl(text);
    if (url === null) throw new TargetError('invalid', 'is not a URL');
    const protocols = this.allowHttp ? ['https:', 'http:'] : ['https:'];
    if (!protocols.includes(url.protocol) || !/^https?:\/\//i.test(text))
      throw new TargetError(
        'invalid',
        this.allowHttp ? 'must begin with https:// or http://' : 'must begin with https://',
      );
    if (url.username !== '' || url.password !== '' || /^[^/]*\/\/[^/?#]*@/.test(text))
      throw new TargetError('invalid', 'must not contain a user name or password');
    if (url.hash !== '') throw new TargetError('invalid', 'must not contain a fragment');
    if (!isUsualPort(url)) throw new TargetError('forbidden', 'must use port 443, or a port from 1024 on');
    const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
    if (host === '' || host.length > MAX_NAME || host.endsWith('.'))
      throw new TargetError('invalid', 'has no valid host name');
    if (isIP(host) !== 0) this.refuse(host);
    return { url, host };
  }

  /**
   * The same, and resolves the name: all of its addresses must be permitted.
   * @throws TargetError
   */
  async resolveTarget(text: string): Promise<Target> {
    const { url, host } = this.parse(text);
    const found = isIP(host) === 0 ? await this.lookUp(host) : [host];
    for (const address of found) this.refuse(address);
    const addresses = found.map((address) => ({ address, family: isIP(address) === 6 ? 6 : 4 }) as const);
    return { url, host, addresses };
  }

  private async lookUp(host: string): Promise<string[]> {
    let found: string[];
    try {
      found = await withTimeout(this.resolve(host), RESOLVE_MS, 'no answer');
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      throw new TargetError('dns', `has a host name that cannot be resolved (${code})`);
    }
    if (found.length === 0) throw new TargetError('dns', 'has a host name without an address');
    if (found.length > MAX_ADDRESSES)
      throw new TargetError('forbidden', 'has a host name with too many addresses');
    return found;
  }

  /** Does not repeat the address: it would show a tenant what an internal name resolves to. */
  private refuse(address: string): void {
    const refusal = this.addresses.refusal(address);
    if (refusal !== null)
      throw new TargetError('forbidden', `leads to an address that is not public (${refusal})`);
  }
}

/** Ports below 1024 belong to other services, which could misread a call as their own commands. */
function isUsualPort({ protocol, port }: URL): boolean {
  if (port === '') return true;
  return Number(port) >= 1024 || port === '443' || (protocol === 'http:' && port === '80');
}
