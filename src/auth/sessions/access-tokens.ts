import { Inject, Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { errors, jwtVerify, SignJWT } from 'jose';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Signing } from './signing.js';

const ALGORITHM = 'HS256';
const ISSUER = 'vigie';
const AUDIENCE = 'vigie-api';
/** Maximum number of cached tokens whose signature is not verified again; then the cache is cleared. */
const REMEMBERED = 10_000;

/** The owner of an access token's session. */
export interface Subject {
  /** Null: an operator. */
  tenant_id: string | null;
  /** The id of the user or operator. */
  id: string;
  /** The id of the session. */
  family: string;
}

export interface VerifiedToken extends Subject {
  expires_at: Date;
}

/** Signs and verifies access tokens (JWT, HS256). */
@Injectable()
export class AccessTokens {
  /** A valid signature stays valid: verifying it costs more than all other work of auth here. */
  private readonly verified = new Map<string, VerifiedToken>();

  constructor(
    private readonly signing: Signing,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @returns the token and its lifetime in seconds. `role` is for clients to display; it is never trusted. */
  async issue(
    subject: Subject,
    role: 'member' | 'admin' | 'operator',
  ): Promise<{ token: string; expires_in: number }> {
    const expires_in = this.config.accessTokenMinutes * 60;
    const { kid, key } = this.signing.accessTokenKey();
    const now = Math.floor(this.clock.now().getTime() / 1_000);
    const token = await new SignJWT({
      ...(subject.tenant_id === null ? {} : { tenant_id: subject.tenant_id }),
      role,
      family: subject.family,
    })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid })
      .setSubject(subject.id)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt(now)
      .setExpirationTime(now + expires_in)
      .sign(key);
    return { token, expires_in };
  }

  /** Null for a token that was not issued here for this API, or has expired. */
  async verify(token: string): Promise<VerifiedToken | null> {
    const known = this.verified.get(token);
    if (known !== undefined && known.expires_at > this.clock.now()) return known;
    const verified = await this.check(token);
    if (this.verified.size >= REMEMBERED) this.verified.clear();
    if (verified !== null) this.verified.set(token, verified);
    return verified;
  }

  /** @throws errors.JOSEError when no key has this name. */
  private keyOf(kid: unknown): Uint8Array {
    const key = this.signing.findAccessTokenKey(kid);
    if (key === null) throw new errors.JWKSNoMatchingKey();
    return key;
  }

  private async check(token: string): Promise<VerifiedToken | null> {
    try {
      const { payload } = await jwtVerify(token, (header) => this.keyOf(header.kid), {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'iat', 'exp', 'family', 'role'],
        currentDate: this.clock.now(),
      });
      const { sub, exp, family, role, tenant_id = null } = payload;
      if (!isUUID(sub) || !isUUID(family) || exp === undefined) return null;
      if (tenant_id === null ? role !== 'operator' : !isUUID(tenant_id)) return null;
      // isUUID has checked that these are strings.
      return {
        id: sub as string,
        family: family as string,
        tenant_id: tenant_id as string | null,
        expires_at: new Date(exp * 1_000),
      };
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }
}
