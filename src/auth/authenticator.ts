import { createHash } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { SystemDatabase } from '../platform/database/database.js';
import { MicroBatch } from '../platform/database/micro-batch.js';
import { prepared } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import type { Scope } from '../contracts/scopes.js';
import { AccessTokens } from './sessions/access-tokens.js';
import { SessionCookies } from './sessions/session-cookies.js';
import { SessionUse } from './sessions/session-use.js';
import type { AnyCaller, TenantCaller } from '../platform/http/caller.js';

/** A caller with a token or cookie, the session, and when the token expires. */
export interface Recognised {
  caller: AnyCaller;
  session: string;
  expires_at: Date;
}

/** A caller with an API key, and its scopes. */
export interface RecognisedKey {
  caller: TenantCaller;
  scopes: readonly Scope[];
}

/** RFC 9110 §15.5.2: a 401 says how to authenticate. */
export function unauthenticated(): Problem {
  return new Problem('unauthenticated', undefined, { headers: { 'www-authenticate': 'Bearer' } });
}

const API_KEY = /^vk_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_[\w-]{43}$/;
/** `last_used_at` is for people: they do not need seconds, and a busy key would write all the time. */
const USED_INTERVAL_MS = 60_000;
const DAY_MS = 86_400_000;

interface Session {
  tenant_id: string;
  family: string;
  user_id: string;
}

interface SessionRow {
  place: number;
  role: 'member' | 'admin';
  suspended: boolean;
}

/** Concurrent statements of this kind. */
const BATCHES = 2;

const SESSIONS = prepared(
  `SELECT a.place, u.role, t.suspended_at IS NOT NULL AS suspended
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) WITH ORDINALITY AS a (tenant_id, family, user_id, place)
         JOIN sessions s ON s.tenant_id = a.tenant_id AND s.family = a.family AND s.user_id = a.user_id
                        AND s.revoked_at IS NULL AND s.expires_at > $4
         JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id
         JOIN tenants t ON t.id = s.tenant_id`,
);

/**
 * Authenticates callers. It queries PostgreSQL each time and trusts the token only for its ids, so that an erased user,
 * an ended session, a suspended tenant and a changed role take effect at once. The tenant is not known yet, hence the
 * system role.
 */
@Injectable()
export class Authenticator {
  private readonly logger = new Logger('Authenticator');
  /** Keys whose last use is being written. */
  private readonly recording = new Set<string>();
  /** Concurrent requests share one query. */
  private readonly sessions = new MicroBatch((asked: Session[]) => this.sessionsOf(asked), BATCHES);

  constructor(
    private readonly tokens: AccessTokens,
    private readonly cookies: SessionCookies,
    private readonly use: SessionUse,
    private readonly system: SystemDatabase,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @throws Problem unauthenticated, tenant_suspended. */
  async byToken(token: string): Promise<Recognised> {
    const verified = await this.tokens.verify(token);
    if (verified === null) throw unauthenticated();
    const { id, family, tenant_id, expires_at } = verified;
    const caller =
      tenant_id === null ? await this.operator(id, family) : await this.user(tenant_id, id, family);
    return { caller, session: family, expires_at };
  }

  /**
   * By the cookie of the console. Whether it may authenticate this request is the caller's to check (`admitsCookie`).
   * `expires_at` is the latest possible end: a session without use ends before.
   * @param header the request's `Cookie`
   * @throws Problem unauthenticated, tenant_suspended.
   */
  async byCookie(header: string | undefined): Promise<Recognised> {
    const subject = this.cookies.read(header);
    if (subject === null) throw unauthenticated();
    const { tenant_id, id, family } = subject;
    const caller =
      tenant_id === null ? await this.operator(id, family) : await this.user(tenant_id, id, family);
    this.use.note(subject);
    const expires_at = new Date(this.clock.now().getTime() + this.config.sessionMaxDays * DAY_MS);
    return { caller, session: family, expires_at };
  }

  /**
   * A rotated key is also found by its previous secret, until the grace period is over. Secrets are compared as SHA-256
   * hashes: the time of an index lookup reveals nothing of the secret.
   * @throws Problem unauthenticated, tenant_suspended.
   */
  async byApiKey(key: string): Promise<RecognisedKey> {
    const tenant_id = API_KEY.exec(key)?.[1];
    if (tenant_id === undefined) throw unauthenticated();
    const now = this.clock.now();
    const [row] = await this.system.query<{
      id: string;
      scopes: Scope[];
      agent_id: string | null;
      suspended: boolean;
      last_used_at: Date | null;
    }>(
      `SELECT k.id, k.scopes, k.agent_id, k.last_used_at, t.suspended_at IS NOT NULL AS suspended
       FROM api_keys k JOIN tenants t ON t.id = k.tenant_id
       WHERE k.tenant_id = $1 AND (k.key_hash = $2 OR (k.previous_hash = $2 AND k.previous_until > $3))
         AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $3)`,
      [tenant_id, hashOfKey(key), now],
    );
    if (row === undefined) throw unauthenticated();
    if (row.suspended) throw new Problem('tenant_suspended');
    if (row.last_used_at === null || now.getTime() - row.last_used_at.getTime() >= USED_INTERVAL_MS) {
      void this.recordUse(tenant_id, row.id, now);
    }
    return {
      caller: {
        kind: 'api_key',
        tenant_id,
        principal: `key:${row.id}`,
        user_id: null,
        agent_id: row.agent_id,
        role: row.scopes.includes('admin') ? 'admin' : 'member',
      },
      scopes: row.scopes,
    };
  }

  /** Not awaited; a failure refuses no request. */
  private async recordUse(tenantId: string, id: string, now: Date): Promise<void> {
    if (this.recording.has(id)) return;
    this.recording.add(id);
    try {
      await this.system.query(
        `UPDATE api_keys SET last_used_at = $3
         WHERE tenant_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at <= $4)`,
        [tenantId, id, now, new Date(now.getTime() - USED_INTERVAL_MS)],
      );
    } catch (error) {
      this.logger.warn({ event: 'key_use_not_noted', key_id: id, err: error });
    } finally {
      this.recording.delete(id);
    }
  }

  /**
   * Whether these sessions are valid, in order: not ended or expired, of an existing user and a tenant that is not
   * suspended. One statement for any number.
   */
  async areValid(
    sessions: readonly { tenant_id: string; user_id: string; session: string }[],
  ): Promise<boolean[]> {
    const rows = await this.sessionsOf(
      sessions.map(({ tenant_id, user_id, session }) => ({ tenant_id, user_id, family: session })),
    );
    return rows.map((row) => row !== null && !row.suspended);
  }

  private async user(tenant_id: string, id: string, family: string): Promise<TenantCaller> {
    const row = await this.sessions.add({ tenant_id, family, user_id: id });
    if (row === null) throw unauthenticated();
    if (row.suspended) throw new Problem('tenant_suspended');
    return { kind: 'user', tenant_id, principal: `user:${id}`, user_id: id, agent_id: null, role: row.role };
  }

  private async sessionsOf(asked: readonly Session[]): Promise<(SessionRow | null)[]> {
    const rows = await this.system.query<SessionRow>(SESSIONS, [
      asked.map(({ tenant_id }) => tenant_id),
      asked.map(({ family }) => family),
      asked.map(({ user_id }) => user_id),
      this.clock.now(),
    ]);
    const found = new Array<SessionRow | null>(asked.length).fill(null);
    // WITH ORDINALITY counts from 1.
    for (const row of rows) found[row.place - 1] = row;
    return found;
  }

  private async operator(id: string, family: string): Promise<AnyCaller> {
    const [row] = await this.system.query(
      `SELECT 1 FROM operator_sessions
       WHERE family = $1 AND operator_id = $2 AND revoked_at IS NULL AND expires_at > $3`,
      [family, id, this.clock.now()],
    );
    if (row === undefined) throw unauthenticated();
    return { kind: 'operator', operator_id: id, principal: `operator:${id}` };
  }
}

/** The stored form of an API key. A key has 256 random bits: a slow hash would add nothing. */
export function hashOfKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
