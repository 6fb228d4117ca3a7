import { createHash } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Database, SystemDatabase } from '../../platform/database/database.js';
import type { TenantTransaction, Transaction } from '../../platform/database/transaction.js';
import { Problem } from '../../platform/errors/problem.js';
import { WakeUps } from '../../platform/queues/wake-ups.js';
import { AccessTokens } from './access-tokens.js';
import { unauthenticated } from '../authenticator.js';
import type { OperatorCredentials } from '../operators.js';
import { Signing } from './signing.js';
import { shortUserAgent } from './user-agent.js';

/** The response to a login or a refresh. */
export interface TokenPair {
  access_token: string;
  token_type: 'Bearer';
  /** Lifetime of the access token, in seconds. */
  expires_in: number;
  refresh_token: string;
}

/** How long a client that lost the response to a refresh, or sent it twice, may repeat it. */
const GRACE_MS = 30_000;
const DAY_MS = 86_400_000;

interface SessionRow {
  owner_id: string;
  role: 'member' | 'admin' | 'operator';
  token_hash: Buffer;
  previous_hash: Buffer | null;
  rotated_at: Date | null;
  expires_at: Date;
  revoked_at: Date | null;
  suspended: boolean;
}

/** Locates a family's row. */
interface Family {
  /** Null: an operator's. */
  tenant_id: string | null;
  family: string;
}

/** The outcome of a refresh; the transaction commits in either case, so that a revocation lasts. */
type Refreshed = { pair: TokenPair } | { problem: Problem; revoked?: string };

/**
 * Sessions: one family of refresh tokens per login. A session ends when it is not used for REFRESH_TOKEN_DAYS, and
 * SESSION_MAX_DAYS after the login in any case. The n-th token of a family is a signature of its place, so presenting
 * the previous one again within 30 s returns the same next token: the family never forks. An older token means that it
 * was copied, and ends the family.
 */
@Injectable()
export class Sessions {
  private readonly logger = new Logger('Sessions');

  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly tokens: AccessTokens,
    private readonly signing: Signing,
    private readonly wakeUps: WakeUps,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** Starts a session of a user, whom the caller has authenticated and locked. */
  async begin(
    tx: TenantTransaction,
    user: { id: string; role: 'member' | 'admin' },
    userAgent = '',
  ): Promise<TokenPair> {
    const row = await tx.one<{ family: string }>(
      `INSERT INTO sessions (tenant_id, user_id, token_hash, created_at, expires_at, user_agent)
       VALUES ($1, $2, '', $3, $4, $5) RETURNING family`,
      [tx.tenant_id, user.id, this.clock.now(), this.firstExpiry(), shortUserAgent(userAgent)],
    );
    return this.first(tx, { tenant_id: tx.tenant_id, family: inserted(row).family }, user.id, user.role);
  }

  /** Deletes the expired sessions of operators, including those of the pages under /ops. */
  async cleanOperators(): Promise<void> {
    await this.system.query(`DELETE FROM operator_sessions WHERE expires_at < $1`, [this.clock.now()]);
  }

  /**
   * Begins a session of an operator, whom the caller has recognised by the password with this hash.
   * @throws Problem invalid_credentials where the password was replaced meanwhile.
   */
  async beginOperator(
    { id: operatorId, password_hash }: Omit<OperatorCredentials, 'email'>,
    userAgent = '',
  ): Promise<TokenPair> {
    return this.system.transaction(async (tx) => {
      const row = await tx.one<{ family: string }>(
        `INSERT INTO operator_sessions (operator_id, token_hash, created_at, expires_at, user_agent)
         SELECT id, '', $2, $3, $4 FROM operators WHERE id = $1 AND password_hash = $5 FOR SHARE
         RETURNING family`,
        [operatorId, this.clock.now(), this.firstExpiry(), shortUserAgent(userAgent), password_hash],
      );
      if (row === null) throw new Problem('invalid_credentials');
      return this.first(tx, { tenant_id: null, family: row.family }, operatorId, 'operator');
    });
  }

  /**
   * The next pair of tokens.
   * @throws Problem unauthenticated for a token that is not, or no longer, valid; tenant_suspended.
   */
  async refresh(token: string): Promise<TokenPair> {
    const parsed = this.parse(token);
    if (parsed === null) throw unauthenticated();
    const { place } = parsed;
    const outcome = await this.transaction(parsed, (tx) => this.rotate(tx, parsed, place, token));
    if ('pair' in outcome) return outcome.pair;
    if (outcome.revoked !== undefined) {
      this.logger.warn({ event: 'refresh_token_reused', tenant_id: parsed.tenant_id, family: parsed.family });
      this.announceEnd(parsed.tenant_id, outcome.revoked);
    }
    throw outcome.problem;
  }

  /** Ends the session of this refresh token. An invalid token is ignored. */
  async end(token: string): Promise<void> {
    const parsed = this.parse(token);
    if (parsed === null) return;
    const owner = await this.transaction(parsed, (tx) => this.revoke(tx, parsed));
    if (owner !== null) this.announceEnd(parsed.tenant_id, owner);
  }

  /** Ends all sessions of a user except the one of this family. */
  async endAll(tx: TenantTransaction, userId: string, spared: string | null = null): Promise<void> {
    await tx.execute(
      `UPDATE sessions SET revoked_at = $3
       WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL AND family IS DISTINCT FROM $4::uuid`,
      [tx.tenant_id, userId, this.clock.now(), spared],
    );
    tx.afterCommit(() => this.announceEnd(tx.tenant_id, userId));
  }

  private async rotate(tx: Transaction, family: Family, place: number, token: string): Promise<Refreshed> {
    const row = await this.hold(tx, family);
    const now = this.clock.now();
    if (row === null || row.revoked_at !== null || row.expires_at <= now)
      return { problem: unauthenticated() };
    if (row.suspended) return { problem: new Problem('tenant_suspended') };

    const [next = ''] = this.tokensAt(family, place + 1);
    const presented = hashOf(token);
    const current = presented.equals(row.token_hash);
    const justReplaced =
      row.previous_hash?.equals(presented) === true &&
      row.rotated_at !== null &&
      now.getTime() - row.rotated_at.getTime() <= GRACE_MS;
    if (!current && !justReplaced) {
      await this.revoke(tx, family);
      return { problem: unauthenticated(), revoked: row.owner_id };
    }
    if (current) {
      await this.store(tx, family, next, { previous_hash: presented, rotated_at: now });
      return { pair: await this.pair(family, row.owner_id, row.role, next) };
    }
    // The lost response, unchanged: another process may have signed it with another secret.
    const again = this.tokensAt(family, place + 1).find((each) => hashOf(each).equals(row.token_hash));
    if (again === undefined) return { problem: unauthenticated() };
    return { pair: await this.pair(family, row.owner_id, row.role, again) };
  }

  private async first(
    tx: Transaction,
    family: Family,
    ownerId: string,
    role: SessionRow['role'],
  ): Promise<TokenPair> {
    const [token = ''] = this.tokensAt(family, 1);
    await this.store(tx, family, token, { previous_hash: null, rotated_at: null });
    return this.pair(family, ownerId, role, token);
  }

  private async pair(
    { tenant_id, family }: Family,
    id: string,
    role: SessionRow['role'],
    refresh_token: string,
  ): Promise<TokenPair> {
    const { token, expires_in } = await this.tokens.issue({ tenant_id, id, family }, role);
    return { access_token: token, token_type: 'Bearer', expires_in, refresh_token };
  }

  /** The family's row, locked: of two concurrent refreshes the second sees the first one's result. */
  private async hold(tx: Transaction, { tenant_id, family }: Family): Promise<SessionRow | null> {
    if (tenant_id === null) {
      return tx.one(
        `SELECT operator_id AS owner_id, 'operator' AS role, token_hash, previous_hash, rotated_at, expires_at,
                revoked_at, false AS suspended
         FROM operator_sessions WHERE family = $1 FOR UPDATE`,
        [family],
      );
    }
    return tx.one(
      `SELECT s.user_id AS owner_id, u.role, s.token_hash, s.previous_hash, s.rotated_at, s.expires_at,
              s.revoked_at, t.suspended_at IS NOT NULL AS suspended
       FROM sessions s
       JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id
       JOIN tenants t ON t.id = s.tenant_id
       WHERE s.family = $1 AND s.tenant_id = $2 FOR UPDATE OF s`,
      [family, tenant_id],
    );
  }

  private async store(
    tx: Transaction,
    family: Family,
    token: string,
    before: { previous_hash: Buffer | null; rotated_at: Date | null },
  ): Promise<void> {
    const { table, condition, keys } = rowOf(family);
    await tx.execute(
      `UPDATE ${table}
       SET token_hash = $3, previous_hash = $4, rotated_at = $5,
           expires_at = LEAST($6::timestamptz, created_at + make_interval(days => $7))
       WHERE ${condition}`,
      [
        ...keys,
        hashOf(token),
        before.previous_hash,
        before.rotated_at,
        this.idleEnd(),
        this.config.sessionMaxDays,
      ],
    );
  }

  /** @returns the owner, or null when it had already ended. */
  private async revoke(tx: Transaction, family: Family): Promise<string | null> {
    const { table, owner, condition, keys } = rowOf(family);
    const row = await tx.one<{ owner_id: string }>(
      `UPDATE ${table} SET revoked_at = $3 WHERE ${condition} AND revoked_at IS NULL
       RETURNING ${owner} AS owner_id`,
      [...keys, this.clock.now()],
    );
    return row?.owner_id ?? null;
  }

  private async transaction<Result>(
    { tenant_id }: Family,
    work: (tx: Transaction) => Promise<Result>,
  ): Promise<Result> {
    return tenant_id === null ? this.system.transaction(work) : this.database.tenant(tenant_id, work);
  }

  /** Ends the sockets of sessions that are no longer valid. */
  announceEnd(tenantId: string | null, userId: string): void {
    // Operators have no sockets.
    if (tenantId !== null) this.wakeUps.send('access.revoked', { tenant_id: tenantId, user_ids: [userId] });
  }

  /** When a session ends if it is not used from now on. */
  private idleEnd(): Date {
    return new Date(this.clock.now().getTime() + this.config.refreshTokenDays * DAY_MS);
  }

  private firstExpiry(): Date {
    const { refreshTokenDays, sessionMaxDays } = this.config;
    return new Date(this.clock.now().getTime() + Math.min(refreshTokenDays, sessionMaxDays) * DAY_MS);
  }

  /** The token of this place, signed with each secret, the current one first. */
  private tokensAt({ tenant_id, family }: Family, place: number): string[] {
    return this.signing.sealWithEach('refresh_token', `${tenant_id ?? 'operator'}.${family}.${place}`);
  }

  private parse(token: string): (Family & { place: number }) | null {
    const [owner, family, place] = this.signing.unseal('refresh_token', token) ?? [];
    if (owner === undefined || !isUUID(family) || place === undefined) return null;
    return { tenant_id: owner === 'operator' ? null : owner, family: family as string, place: Number(place) };
  }
}

/** $1 is the family in each, and $2 the tenant if any. */
function rowOf({ tenant_id, family }: Family) {
  return tenant_id === null
    ? {
        table: 'operator_sessions',
        owner: 'operator_id',
        condition: 'family = $1 AND $2::uuid IS NULL',
        keys: [family, null],
      }
    : {
        table: 'sessions',
        owner: 'user_id',
        condition: 'family = $1 AND tenant_id = $2',
        keys: [family, tenant_id],
      };
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function inserted<Row>(row: Row | null): Row {
  if (row === null) throw new Error('INSERT … RETURNING returned no row');
  return row;
}
