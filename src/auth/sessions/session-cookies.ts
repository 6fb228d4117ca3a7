import { Inject, Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { CONFIG, type Config, publicUrl } from '../../platform/config/config.js';
import type { Subject } from './access-tokens.js';
import { Signing } from './signing.js';

const SESSION = 'vigie_session';
/** Identifies a known browser, so that failures of strangers do not lock its user out. */
const DEVICE = 'vigie_device';
/** As long as browsers keep a cookie (RFC 6265bis §5.5). */
const MAX_LIFE_SECONDS = 400 * 86_400;
const OPERATOR = 'operator';

/**
 * The cookies of the console and of the pages under /ops. One names a row of `sessions` or `operator_sessions`, which is
 * queried at each request, so that ending it takes effect at once. Cookies are not valid as tokens, nor tokens as
 * cookies: they are signed for different purposes. @fastify/cookie is not used: its parser needs Node 22.
 */
@Injectable()
export class SessionCookies {
  private readonly isSecure: boolean;
  /** Over https no page of a sibling domain can set or replace a cookie with this prefix (RFC 6265bis §4.1.3.2). */
  private readonly prefix: '__Host-' | '';

  constructor(
    private readonly signing: Signing,
    @Inject(CONFIG) config: Config,
  ) {
    this.isSecure = publicUrl(config).startsWith('https:');
    this.prefix = this.isSecure ? '__Host-' : '';
  }

  /** The `Set-Cookie` header that keeps a session in a browser. */
  keep({ tenant_id, id, family }: Subject, seconds: number): string {
    return this.cookie(
      SESSION,
      this.signing.seal('session_cookie', `${tenant_id ?? OPERATOR}.${id}.${family}`),
      seconds,
    );
  }

  /** The `Set-Cookie` header that deletes it. */
  forget(): string {
    return this.cookie(SESSION, '', 0);
  }

  /** Whether a request's `Cookie` holds a session, valid or not. */
  isIn(header: string | undefined): boolean {
    return this.valueIn(header, SESSION) !== undefined;
  }

  /** The session that a request's `Cookie` names, or null. It may have ended. */
  read(header: string | undefined): Subject | null {
    const value = this.valueIn(header, SESSION);
    const [owner, id, family] =
      (value === undefined ? null : this.signing.unseal('session_cookie', value)) ?? [];
    if (owner === undefined || id === undefined || family === undefined) return null;
    if (!isUUID(id) || !isUUID(family) || (owner !== OPERATOR && !isUUID(owner))) return null;
    return { tenant_id: owner === OPERATOR ? null : owner, id, family };
  }

  /** The device token of a browser that has signed in before. @param header the request's `Cookie`. */
  deviceIn(header: string | undefined): string | undefined {
    return this.valueIn(header, DEVICE);
  }

  /** The `Set-Cookie` header that stores a browser's device token. */
  keepDevice(token: string): string {
    return this.cookie(DEVICE, token, MAX_LIFE_SECONDS);
  }

  private valueIn(header = '', name: string): string | undefined {
    return new RegExp(`(?:^|;\\s*)${this.prefix}${name}=([^;\\s]+)`).exec(header)?.[1];
  }

  private cookie(name: string, value: string, seconds: number): string {
    const life = Math.min(seconds, MAX_LIFE_SECONDS);
    const secure = this.isSecure ? '; Secure' : '';
    return `${this.prefix}${name}=${value}; Path=/; Max-Age=${life}; HttpOnly; SameSite=Strict${secure}`;
  }
}
