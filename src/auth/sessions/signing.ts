import { createHmac, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../platform/config/config.js';

/** What a signature is for. One made for one purpose is worth nothing for another. */
const PURPOSES = ['password_link', 'refresh_token', 'operator_cookie', 'device'] as const;
type Purpose = (typeof PURPOSES)[number];

/** The installation's secret, and signatures by keys derived from it. */
@Injectable()
export class Signing {
  /** Signs access tokens; nothing else uses it directly. */
  readonly secret: Uint8Array;
  private readonly keys: Record<Purpose, Buffer>;

  /** @throws Error when there is no secret: main.ts provides one. */
  constructor(@Inject(CONFIG) config: Config) {
    if (config.jwtSecret === null) throw new Error('JWT_SECRET is not set');
    this.secret = new TextEncoder().encode(config.jwtSecret);
    const keyFor = (purpose: Purpose) =>
      createHmac('sha256', this.secret).update(`vigie:${purpose}`).digest();
    this.keys = Object.fromEntries(PURPOSES.map((purpose) => [purpose, keyFor(purpose)])) as Record<
      Purpose,
      Buffer
    >;
  }

  /** HMAC-SHA256, base64url (43 characters). */
  sign(purpose: Purpose, message: string): string {
    return createHmac('sha256', this.keys[purpose]).update(message).digest('base64url');
  }

  /** `<message>.<signature>`; the message must be free to hold dots. */
  seal(purpose: Purpose, message: string): string {
    return `${message}.${this.sign(purpose, message)}`;
  }

  /** The parts of a sealed message between dots, or null when it was not sealed here for this purpose. */
  unseal(purpose: Purpose, sealed: string): string[] | null {
    const end = sealed.lastIndexOf('.');
    if (end === -1) return null;
    const message = sealed.slice(0, end);
    const given = Buffer.from(sealed.slice(end + 1));
    const right = Buffer.from(this.sign(purpose, message));
    return given.length === right.length && timingSafeEqual(given, right) ? message.split('.') : null;
  }
}
