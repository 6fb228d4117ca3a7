import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Signing } from './signing.js';

/** 128 random bits, base64url. */
const NONCE = /^[\w-]{22}$/;

/** What a device is known to. */
export interface DeviceAccount {
  /** Hash of the login name. */
  account: string;
  /** Of the account's password; null: it has none, or there is no such account, and so no device. */
  password_hash: string | null;
}

/**
 * Device tokens: who signs in gets one, and a client that sends it again is known to have signed in to this account
 * before. Strangers who guess passwords then cannot lock it out (OWASP, "Slow Down Online Guessing Attacks with
 * Device Cookies"). A token signs nobody in, and ends when the password changes: its signature is of the password's
 * hash too, which is not in the token.
 */
@Injectable()
export class KnownDevices {
  constructor(private readonly signing: Signing) {}

  /** A token for this account, signed by the current key. @param nonce of a device that is known already */
  issue(owner: DeviceAccount, nonce = randomBytes(16).toString('base64url')): string {
    const sealed = this.signing.seal('device', messageOf(owner, nonce));
    return `${owner.account}.${nonce}${sealed.slice(sealed.lastIndexOf('.'))}`;
  }

  /** What names the device, or null where the token is not one of this account and password. */
  read(token: string | undefined, owner: DeviceAccount): string | null {
    if (token === undefined || owner.password_hash === null) return null;
    const [account, nonce, signature, ...more] = token.split('.');
    if (account !== owner.account || nonce === undefined || !NONCE.test(nonce) || more.length > 0)
      return null;
    return this.signing.unseal('device', `${messageOf(owner, nonce)}.${signature}`) === null ? null : nonce;
  }
}

function messageOf({ account, password_hash }: DeviceAccount, nonce: string): string {
  const password = createHash('sha256')
    .update(password_hash ?? '')
    .digest('base64url');
  return `${account}.${nonce}.${password}`;
}
