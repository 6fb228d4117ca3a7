import { Inject, Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config, publicUrl } from '../../platform/config/config.js';
import { SystemDatabase } from '../../platform/database/database.js';
import { Problem } from '../../platform/errors/problem.js';
import type { OperatorCredentials } from '../operators.js';
import { Signing } from './signing.js';

const NAME = 'vigie_ops';
/** A working day; then the operator signs in again. */
const LIFE_SECONDS = 8 * 60 * 60;
/** Identifies a known browser, so that failures of strangers do not lock its operator out. */
const DEVICE_NAME = 'vigie_device';
/** As long as browsers keep a cookie (RFC 6265bis). */
const DEVICE_LIFE_SECONDS = 400 * 86_400;

/**
 * Keeps an operator signed in to the pages under /ops. The cookie names a row of `operator_sessions`, which is queried
 * at each request, so that ending it takes effect at once. Cookies are not valid as API tokens, nor API tokens as
 * cookies: they are signed for different purposes. Not @fastify/cookie: its parser needs Node 22 and would read the
 * cookies of every request, while only these pages have one.
 */
@Injectable()
export class OperatorCookies {
  constructor(
    private readonly system: SystemDatabase,
    private readonly signing: Signing,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Begins a session of 8 hours; returns the `Set-Cookie` header.
   * @throws Problem invalid_credentials where the password was replaced meanwhile.
   */
  async begin({ id, password_hash }: Omit<OperatorCredentials, 'email'>): Promise<string> {
    const now = this.clock.now();
    const [row] = await this.system.query<{ family: string }>(
      // It never gets a refresh token: the empty hash matches none.
      `INSERT INTO operator_sessions (operator_id, token_hash, created_at, expires_at)
       SELECT id, '', $2, $3 FROM operators WHERE id = $1 AND password_hash = $4 FOR SHARE
       RETURNING family`,
      [id, now, new Date(now.getTime() + LIFE_SECONDS * 1_000), password_hash],
    );
    if (row === undefined) throw new Problem('invalid_credentials');
    return this.cookie(NAME, this.signing.seal('operator_cookie', row.family), LIFE_SECONDS);
  }

  /** The operator whose cookie this is, or null. @param header the request's `Cookie`. */
  async recognise(header: string | undefined): Promise<{ operator_id: string; email: string } | null> {
    const family = this.familyIn(header);
    if (family === null) return null;
    const [row] = await this.system.query<{ operator_id: string; email: string }>(
      `SELECT s.operator_id, o.email FROM operator_sessions s JOIN operators o ON o.id = s.operator_id
       WHERE s.family = $1 AND s.revoked_at IS NULL AND s.expires_at > $2`,
      [family, this.clock.now()],
    );
    return row ?? null;
  }

  /** Ends the session; returns the `Set-Cookie` header that deletes the cookie. */
  async end(header: string | undefined): Promise<string> {
    const family = this.familyIn(header);
    if (family !== null) {
      await this.system.query(
        `UPDATE operator_sessions SET revoked_at = $2 WHERE family = $1 AND revoked_at IS NULL`,
        [family, this.clock.now()],
      );
    }
    return this.cookie(NAME, '', 0);
  }

  /** The device token of a browser that has signed in before. @param header the request's `Cookie`. */
  deviceIn(header: string | undefined): string | undefined {
    return valueIn(header, DEVICE_NAME);
  }

  /** The `Set-Cookie` header that stores a browser's device token. */
  keepDevice(token: string): string {
    return this.cookie(DEVICE_NAME, token, DEVICE_LIFE_SECONDS);
  }

  private familyIn(header: string | undefined): string | null {
    const value = valueIn(header, NAME);
    if (value === undefined) return null;
    const [family] = this.signing.unseal('operator_cookie', value) ?? [];
    return family !== undefined && isUUID(family) ? family : null;
  }

  private cookie(name: string, value: string, seconds: number): string {
    const secure = publicUrl(this.config).startsWith('https:') ? '; Secure' : '';
    return `${name}=${value}; Path=/ops; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
  }
}

function valueIn(header = '', name: string): string | undefined {
  return new RegExp(`(?:^|;\\s*)${name}=([^;\\s]+)`).exec(header)?.[1];
}
