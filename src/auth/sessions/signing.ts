import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../platform/config/config.js';

/** The purposes of keys. A signature made for one purpose is invalid for another. */
const PURPOSES = [
  'access_token',
  'password_link',
  'refresh_token',
  'session_cookie',
  'first_run',
  'device',
  'alert_link',
  'unsubscribe_link',
] as const;
type Purpose = (typeof PURPOSES)[number];

const KEY_BYTES = 32;
/** Identifies a key in tokens without revealing anything about it. */
const KEY_ID_BYTES = 6;

/** The keys derived from one secret. */
interface KeySet {
  /** Identifies the secret in access tokens (`kid`). */
  id: string;
  keys: Record<Purpose, Buffer>;
}

/**
 * Signatures with keys derived from JWT_SECRET, one per purpose (HKDF-SHA256, RFC 5869). Signatures made with
 * JWT_SECRET_PREVIOUS are accepted too, so that replacing the secret signs nobody out.
 */
@Injectable()
export class Signing {
  private readonly current: KeySet;
  /** The current one first. */
  private readonly all: readonly KeySet[];

  /** @throws Error without a secret: main.ts provides one. */
  constructor(@Inject(CONFIG) config: Config) {
    if (config.jwtSecret === null) throw new Error('JWT_SECRET is not set');
    this.current = keySetOf(config.jwtSecret);
    this.all = [this.current, ...(config.jwtSecretPrevious ?? []).map(keySetOf)];
  }

  /** The key that signs new access tokens. */
  accessTokenKey(): { kid: string; key: Uint8Array } {
    return { kid: this.current.id, key: this.current.keys.access_token };
  }

  /** The key that a token names, or null when it is unknown. */
  findAccessTokenKey(kid: unknown): Uint8Array | null {
    return this.all.find(({ id }) => id === kid)?.keys.access_token ?? null;
  }

  /** `<message>.<signature>` (HMAC-SHA256, base64url, 43 characters); the message may hold dots. */
  seal(purpose: Purpose, message: string): string {
    return sealed(this.current, purpose, message);
  }

  /** The same message sealed with each secret, the current one first. */
  sealWithEach(purpose: Purpose, message: string): string[] {
    return this.all.map((keySet) => sealed(keySet, purpose, message));
  }

  /** The parts of a sealed message between dots, or null when it was not sealed here for this purpose. */
  unseal(purpose: Purpose, text: string): string[] | null {
    const end = text.lastIndexOf('.');
    if (end === -1) return null;
    const message = text.slice(0, end);
    const given = Buffer.from(text.slice(end + 1));
    const right = this.all.some(({ keys }) => {
      const expected = Buffer.from(signatureOf(keys[purpose], message));
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
    return right ? message.split('.') : null;
  }
}

function keySetOf(secret: string): KeySet {
  const derive = (info: string, bytes: number) => Buffer.from(hkdfSync('sha256', secret, '', info, bytes));
  const keys = Object.fromEntries(
    PURPOSES.map((purpose) => [purpose, derive(`vigie:${purpose}`, KEY_BYTES)]),
  ) as Record<Purpose, Buffer>;
  return { id: derive('vigie:kid', KEY_ID_BYTES).toString('base64url'), keys };
}

function sealed({ keys }: KeySet, purpose: Purpose, message: string): string {
  return `${message}.${signatureOf(keys[purpose], message)}`;
}

function signatureOf(key: Buffer, message: string): string {
  return createHmac('sha256', key).update(message).digest('base64url');
}
