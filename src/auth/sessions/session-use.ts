import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import type { Subject } from './access-tokens.js';

/** How often a session in use is extended: nobody needs seconds of `last_used_at`, and a page sends many requests. */
const EXTEND_INTERVAL_MS = 10 * 60_000;
/** Sessions whose last extension this process knows. */
const MAX_REMEMBERED = 10_000;
const DAY_MS = 86_400_000;

/**
 * Extends a user's cookie session while it is used, as a refresh extends a session with tokens: it ends after
 * REFRESH_TOKEN_DAYS without use, and SESSION_MAX_DAYS after the login in any case.
 */
@Injectable()
export class SessionUse {
  private readonly logger = new Logger('SessionUse');
  /** By family, in ms. */
  private readonly extended = new Map<string, number>();

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** Runs in the background; a failure does not affect the request. An operator's session is not extended. */
  note({ tenant_id, family }: Subject): void {
    const now = this.clock.now().getTime();
    const isRecent = now - (this.extended.get(family) ?? -Infinity) < EXTEND_INTERVAL_MS;
    if (tenant_id === null || isRecent) return;
    if (this.extended.size >= MAX_REMEMBERED) this.extended.clear();
    this.extended.set(family, now);
    this.extend(tenant_id, family, now).catch((error: unknown) => {
      this.extended.delete(family);
      this.logger.warn({ event: 'session_not_extended', err: error });
    });
  }

  private async extend(tenantId: string, family: string, now: number): Promise<void> {
    const idleEnd = new Date(now + this.config.refreshTokenDays * DAY_MS);
    const before = new Date(now - EXTEND_INTERVAL_MS);
    await this.database.tenant(tenantId, (tx) =>
      tx.execute(
        `UPDATE sessions SET rotated_at = $3,
                expires_at = LEAST($4::timestamptz, created_at + make_interval(days => $5))
         WHERE tenant_id = $1 AND family = $2 AND revoked_at IS NULL
           AND coalesce(rotated_at, created_at) <= $6`,
        [tenantId, family, new Date(now), idleEnd, this.config.sessionMaxDays, before],
      ),
    );
  }
}
