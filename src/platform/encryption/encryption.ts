import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';

/** What is stored encrypted. Each purpose has its own key. */
const PURPOSES = ['webhook_endpoint', 'device'] as const;
type Purpose = (typeof PURPOSES)[number];

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
/** NIST SP 800-38D §8.2: 96 bits. */
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Identifies a key without revealing anything about it. */
const KEY_ID_BYTES = 6;

/** A stored text is not from this place, was changed, or its secret is no longer configured. */
export class UndecryptableError extends Error {
  constructor() {
    super('cannot be decrypted: JWT_SECRET was replaced, and JWT_SECRET_PREVIOUS does not have the old one');
    this.name = 'UndecryptableError';
  }
}

/** The keys derived from one secret. */
interface KeySet {
  id: string;
  keys: Record<Purpose, Buffer>;
}

/**
 * Encrypts what the database must not show to its readers (AES-256-GCM), with keys derived from JWT_SECRET
 * (HKDF-SHA256, RFC 5869). Texts encrypted with JWT_SECRET_PREVIOUS can be decrypted; their owners encrypt them again.
 */
@Injectable()
export class Encryption {
  /** The current one first. */
  private readonly keySets: readonly KeySet[];

  constructor(@Inject(CONFIG) config: Config) {
    const secrets = [config.jwtSecret, ...(config.jwtSecretPrevious ?? [])];
    this.keySets = secrets.flatMap((secret) => (secret === null ? [] : [keySetOf(secret)]));
  }

  /** How a text begins that was encrypted with the current secret. */
  get currentPrefix(): string {
    return prefixOf(this.current());
  }

  /**
   * @param place where it is stored, such as table, column and row: it can be decrypted nowhere else
   * @returns `v1.<key id>.<base64url of IV, tag and ciphertext>`
   */
  encrypt(purpose: Purpose, place: string, text: string): string {
    const keySet = this.current();
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, keySet.keys[purpose], iv).setAAD(Buffer.from(place));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return prefixOf(keySet) + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  /** @throws UndecryptableError */
  decrypt(purpose: Purpose, place: string, stored: string): string {
    const keySet = this.keySets.find((each) => stored.startsWith(prefixOf(each)));
    if (keySet === undefined) throw new UndecryptableError();
    const bytes = Buffer.from(stored.slice(prefixOf(keySet).length), 'base64url');
    try {
      const decipher = createDecipheriv(ALGORITHM, keySet.keys[purpose], bytes.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      })
        .setAAD(Buffer.from(place))
        .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      return (
        decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
      );
    } catch {
      throw new UndecryptableError();
    }
  }

  private current(): KeySet {
    const [current] = this.keySets;
    if (current === undefined) throw new Error('JWT_SECRET is not set');
    return current;
  }
}

function prefixOf({ id }: KeySet): string {
  return `v1.${id}.`;
}

function keySetOf(secret: string): KeySet {
  const derive = (info: string, bytes: number) => Buffer.from(hkdfSync('sha256', secret, '', info, bytes));
  const keys = Object.fromEntries(
    PURPOSES.map((purpose) => [purpose, derive(`vigie:encrypt:${purpose}`, KEY_BYTES)]),
  ) as Record<Purpose, Buffer>;
  return { id: derive('vigie:encrypt:kid', KEY_ID_BYTES).toString('base64url'), keys };
}
