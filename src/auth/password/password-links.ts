import { Inject, Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config, publicUrl } from '../../platform/config/config.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { UserEvents } from '../../users/user-events.js';
import { Signing } from '../sessions/signing.js';

const HOUR_MS = 60 * 60 * 1_000;
/**
 * How long a link works. New users read their mail when they can; users who request a new password wait for it (OWASP
 * Forgot Password Cheat Sheet: "expire after an appropriate period").
 */
const LIFE_MS = { welcome: 72 * HOUR_MS, password_reset: HOUR_MS };
export type LinkPurpose = keyof typeof LIFE_MS;

/** The contents of a link's token. */
export interface PasswordLink {
  tenant_id: string;
  link_id: string;
}

/**
 * One-time links to set a password: 72 hours for the first one, 1 hour for a new one. A link's secret is a signature of
 * its id, made when the mail is sent: no table stores it.
 */
@Injectable()
export class PasswordLinks {
  constructor(
    private readonly signing: Signing,
    private readonly events: UserEvents,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async create(
    tx: TenantTransaction,
    userId: string,
    purpose: LinkPurpose,
  ): Promise<{ link_id: string; expires_at: Date }> {
    const now = this.clock.now();
    const expires_at = new Date(now.getTime() + LIFE_MS[purpose]);
    const row = await tx.one<{ id: string }>(
      `INSERT INTO password_links (tenant_id, user_id, created_at, expires_at)
       VALUES ($1, $2, $3, $4) RETURNING id`,
      [tx.tenant_id, userId, now, expires_at],
    );
    if (row === null) throw new Error('INSERT … RETURNING returned no row');
    return { link_id: row.id, expires_at };
  }

  /**
   * The page on which the link's owner sets a password. It is a secret: put it only into the mail. The token is in the
   * fragment, which browsers never send, so no proxy logs it.
   * @param slug of the tenant: the page then links to a sign-in with this tenant filled in.
   */
  url(tenantId: string, linkId: string, slug?: string): string {
    const token = this.signing.seal('password_link', `${tenantId}.${linkId}`);
    const tenant = slug === undefined ? '' : `&tenant=${encodeURIComponent(slug)}`;
    return `${publicUrl(this.config)}/password#token=${token}${tenant}`;
  }

  /** The user's newest valid link, or null. */
  async newest(tx: TenantTransaction, userId: string): Promise<{ link_id: string; expires_at: Date } | null> {
    return tx.one(
      `SELECT id AS link_id, expires_at FROM password_links
       WHERE tenant_id = $1 AND user_id = $2 AND used_at IS NULL AND expires_at > $3 ORDER BY id DESC LIMIT 1`,
      [tx.tenant_id, userId, this.clock.now()],
    );
  }

  /** The contents of a token, or null when it was not made here. */
  read(token: string): PasswordLink | null {
    const [tenant_id, link_id] = this.signing.unseal('password_link', token) ?? [];
    if (tenant_id === undefined || link_id === undefined) return null;
    return isUUID(tenant_id) && isUUID(link_id) ? { tenant_id, link_id } : null;
  }

  /** Whose password a link sets, or null where no such link is stored. It is not locked: hold the user first. */
  async ownerOf(tx: TenantTransaction, linkId: string): Promise<string | null> {
    const link = await tx.one<{ user_id: string }>(
      `SELECT user_id FROM password_links WHERE tenant_id = $1 AND id = $2`,
      [tx.tenant_id, linkId],
    );
    return link?.user_id ?? null;
  }

  /**
   * Uses a link up, for a caller who holds its user: of two who try at the same moment one gets it.
   * @returns whose password it sets, or null when it was used or has expired.
   */
  async redeem(tx: TenantTransaction, linkId: string): Promise<string | null> {
    const now = this.clock.now();
    const link = await tx.one<{ user_id: string }>(
      `UPDATE password_links SET used_at = $3
       WHERE tenant_id = $1 AND id = $2 AND used_at IS NULL AND expires_at > $3 RETURNING user_id`,
      [tx.tenant_id, linkId, now],
    );
    return link?.user_id ?? null;
  }

  /**
   * Ends all links of this user; mails that would carry one are suppressed. The caller holds the user, as
   * all do who make a link for somebody, so that there is no other link meanwhile.
   */
  async endAll(tx: TenantTransaction, userId: string): Promise<void> {
    await tx.execute(
      `UPDATE password_links SET used_at = $3 WHERE tenant_id = $1 AND user_id = $2 AND used_at IS NULL`,
      [tx.tenant_id, userId, this.clock.now()],
    );
    await this.events.linksEnded(tx, userId);
  }
}
