import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Signing } from './signing.js';

/** 128 random bits, base64url. */
const NONCE = /^[\w-]{22}$/;

/**
 * Device tokens: a client gets one when it signs in, and by sending it again shows that it has signed in to this
 * account before. Strangers who guess passwords then cannot lock it out (OWASP, "Slow Down Online Guessing Attacks with
 * Device Cookies"). A device token does not authenticate.
 */
@Injectable()
export class KnownDevices {
  constructor(private readonly signing: Signing) {}

  /** Issues a token for this account. @param account hash of the login name */
  issue(account: string): string {
    return this.signing.seal('device', `${account}.${randomBytes(16).toString('base64url')}`);
  }

  /** The device's nonce, or null when the token does not belong to this account. */
  read(token: string | undefined, account: string): string | null {
    if (token === undefined) return null;
    const [owner, nonce] = this.signing.unseal('device', token) ?? [];
    return owner === account && nonce !== undefined && NONCE.test(nonce) ? nonce : null;
  }
}
