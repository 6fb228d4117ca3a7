import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Database, SystemDatabase } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { Problem } from '../../platform/errors/problem.js';
import type { OperatorCredentials } from '../operators.js';
import type { Subject } from './access-tokens.js';
import { SessionCookies } from './session-cookies.js';
import { Sessions } from './sessions.js';
import { shortUserAgent } from './user-agent.js';

const DAY_SECONDS = 86_400;
/** A working day; then the operator signs in again. */
const OPERATOR_SECONDS = 8 * 60 * 60;

/**
 * Sessions whose credential is a cookie: scripts cannot read it, and the browser's storage holds no token.
 * They are listed and ended like other sessions, but have no refresh token: the empty hash matches none.
 * `SessionUse` extends a user's session; an operator's ends after 8 hours.
 */
@Injectable()
export class ConsoleSessions {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly sessions: Sessions,
    private readonly cookies: SessionCookies,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** Begins a session of a user, whom the caller has authenticated and locked. @returns the `Set-Cookie` header. */
  async begin(tx: TenantTransaction, userId: string, userAgent: string): Promise<string> {
    const { refreshTokenDays, sessionMaxDays } = this.config;
    const row = await tx.one<{ family: string }>(
      `INSERT INTO sessions (tenant_id, user_id, token_hash, created_at, expires_at, user_agent)
       VALUES ($1, $2, '', $3, $4, $5) RETURNING family`,
      [
        tx.tenant_id,
        userId,
        this.clock.now(),
        this.inSeconds(Math.min(refreshTokenDays, sessionMaxDays) * DAY_SECONDS),
        shortUserAgent(userAgent),
      ],
    );
    if (row === null) throw new Error('INSERT … RETURNING returned no row');
    const subject: Subject = { tenant_id: tx.tenant_id, id: userId, family: row.family };
    return this.cookies.keep(subject, sessionMaxDays * DAY_SECONDS);
  }

  /**
   * Begins a session of an operator whom the caller has authenticated by the password with this hash.
   * @returns the `Set-Cookie` header.
   * @throws Problem invalid_credentials if the password has been replaced since.
   */
  async beginOperator(
    { id, password_hash }: Omit<OperatorCredentials, 'email'>,
    userAgent: string,
  ): Promise<string> {
    const [row] = await this.system.query<{ family: string }>(
      `INSERT INTO operator_sessions (operator_id, token_hash, created_at, expires_at, user_agent)
       SELECT id, '', $2, $3, $5 FROM operators WHERE id = $1 AND password_hash = $4 FOR SHARE
       RETURNING family`,
      [id, this.clock.now(), this.inSeconds(OPERATOR_SECONDS), password_hash, shortUserAgent(userAgent)],
    );
    if (row === undefined) throw new Problem('invalid_credentials');
    return this.cookies.keep({ tenant_id: null, id, family: row.family }, OPERATOR_SECONDS);
  }

  /** The signed-in operator of a page under /ops, or null. @param header the request's `Cookie`. */
  async operator(header: string | undefined): Promise<{ operator_id: string; email: string } | null> {
    const subject = this.cookies.read(header);
    if (subject?.tenant_id !== null) return null;
    const [row] = await this.system.query<{ operator_id: string; email: string }>(
      `SELECT s.operator_id, o.email FROM operator_sessions s JOIN operators o ON o.id = s.operator_id
       WHERE s.family = $1 AND s.operator_id = $2 AND s.revoked_at IS NULL AND s.expires_at > $3`,
      [subject.family, subject.id, this.clock.now()],
    );
    return row ?? null;
  }

  /** Ends the session of this `Cookie`, and its sockets. @returns the `Set-Cookie` header that deletes the cookie. */
  async end(header: string | undefined): Promise<string> {
    const subject = this.cookies.read(header);
    if (subject !== null) await this.revoke(subject);
    return this.cookies.forget();
  }

  private async revoke({ tenant_id, id, family }: Subject): Promise<void> {
    const now = this.clock.now();
    if (tenant_id === null) {
      await this.system.query(
        `UPDATE operator_sessions SET revoked_at = $2 WHERE family = $1 AND revoked_at IS NULL`,
        [family, now],
      );
      return;
    }
    await this.database.tenant(tenant_id, (tx) =>
      tx.execute(
        `UPDATE sessions SET revoked_at = $3 WHERE tenant_id = $1 AND family = $2 AND revoked_at IS NULL`,
        [tenant_id, family, now],
      ),
    );
    this.sessions.announceEnd(tenant_id, id);
  }

  private inSeconds(seconds: number): Date {
    return new Date(this.clock.now().getTime() + seconds * 1_000);
  }
}
