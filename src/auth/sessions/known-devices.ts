import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Signing } from './signing.js';

/** 128 random bits, base64url. */
const NONCE = /^[\w-]{22}$/;

/**
 * Device tokens: who signs in gets one, and a client that sends it again is known to have signed in to this account
 * before. Strangers who guess passwords then cannot lock it out (OWASP, "Slow Down Online Guessing Attacks with
 * Device Cookies"). A token signs nobody in.
 */
@Injectable()
export class KnownDevices {
  constructor(private readonly signing: Signing) {}

  /** A token for this account. @param account hash of the login name */
  issue(account: string): string {
    return this.signing.seal('device', `${account}.${randomBytes(16).toString('base64url')}`);
  }

  /** What names the device, or null where the token is not one of this account. */
  read(token: string | undefined, account: string): string | null {
    if (token === undefined) return null;
    const [owner, nonce] = this.signing.unseal('device', token) ?? [];
    return owner === account && nonce !== undefined && NONCE.test(nonce) ? nonce : null;
  }
}
