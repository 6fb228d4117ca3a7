import { createHmac, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config, publicUrl } from '../platform/config/config.js';
import type { TenantTransaction } from '../platform/database/transaction.js';

/** How long a link to set a password works, in ms. */
const LIFE_MS = 72 * 60 * 60 * 1_000;

/**
 * One-time links to set a password. A token is the link's id, signed: no table holds anything that could be
 * used, and the same link can be written again when its mail is sent again.
 */
@Injectable()
export class PasswordLinks {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async create(tx: TenantTransaction, userId: string): Promise<{ link_id: string; expires_at: Date }> {
    const now = this.clock.now();
    const expires_at = new Date(now.getTime() + LIFE_MS);
    const link = await tx.one<{ id: string }>(
      `INSERT INTO password_links (tenant_id, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)
       RETURNING id`,
      [tx.tenant_id, userId, now, expires_at],
    );
    if (link === null) throw new Error('the link was not created');
    return { link_id: link.id, expires_at };
  }

  /** Where the link leads: a page that asks for the new password. */
  url(tenantId: string, linkId: string): string {
    return `${publicUrl(this.config)}/password?token=${tenantId}.${linkId}.${this.sign(tenantId, linkId)}`;
  }

  /** The link that a token names; null when the token is not one of ours. */
  read(token: string): { tenant_id: string; link_id: string } | null {
    const [tenant_id = '', link_id = '', signature = '', ...rest] = token.split('.');
    if (rest.length > 0 || !isUUID(tenant_id) || !isUUID(link_id)) return null;
    const expected = Buffer.from(this.sign(tenant_id, link_id));
    const given = Buffer.from(signature);
    if (expected.length !== given.length || !timingSafeEqual(expected, given)) return null;
    return { tenant_id, link_id };
  }

  /** Uses the link up: whose password may be set; null when it was used or has expired. */
  async use(tx: TenantTransaction, linkId: string): Promise<string | null> {
    const link = await tx.one<{ user_id: string }>(
      `UPDATE password_links SET used_at = $3
       WHERE tenant_id = $1 AND id = $2 AND used_at IS NULL AND expires_at > $3
       RETURNING user_id`,
      [tx.tenant_id, linkId, this.clock.now()],
    );
    return link?.user_id ?? null;
  }

  private sign(tenantId: string, linkId: string): string {
    return createHmac('sha256', this.config.jwtSecret ?? '')
      .update(`password-link:${tenantId}:${linkId}`)
      .digest('base64url');
  }
}
