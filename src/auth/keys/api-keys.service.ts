import { randomBytes } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { LessThan } from 'typeorm';
import type { Scope } from '../../contracts/scopes.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { invalid, notFound, Problem } from '../../platform/errors/problem.js';
import { decodeCursor, type Page, pageOf } from '../../platform/http/cursor.js';
import type { PageQuery } from '../../platform/http/page.dto.js';
import { ApiKey } from './api-key.entity.js';
import { CreatedApiKey, type NewApiKey } from './api-keys.dto.js';
import { hashOfKey } from '../authenticator.js';

const HOUR_MS = 60 * 60 * 1_000;

/** The API keys of a tenant's programs. */
@Injectable()
export class ApiKeysService {
  private readonly logger = new Logger('ApiKeys');

  constructor(
    private readonly database: Database,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * @returns the key, shown only now: only its hash is stored.
   * @throws Problem not_found for an unknown tenant, validation_failed when it has already expired, or its scopes and
   * agent do not match.
   */
  async create(tenantId: string, body: NewApiKey): Promise<CreatedApiKey> {
    const { name, scopes, agent_id = null, expires_at } = body;
    assertAgentsOwn(scopes, agent_id);
    const now = this.clock.now();
    const expires = expires_at == null ? null : new Date(expires_at);
    if (expires !== null && !(expires > now)) throw invalid('/expires_at', 'must be in the future');
    const key = newSecret(tenantId);
    return this.database.tenant(tenantId, async (tx) => {
      await this.assertTenant(tx);
      const saved = await tx.repository(ApiKey).save({
        tenant_id: tenantId,
        name,
        key_hash: hashOfKey(key),
        scopes,
        agent_id,
        created_at: now,
        last_used_at: null,
        expires_at: expires,
        revoked_at: null,
        rotated_at: null,
        previous_until: null,
      });
      this.logger.log({ event: 'api_key_created', tenant_id: tenantId, key_id: saved.id });
      return Object.assign(new CreatedApiKey(), saved, {
        key_hash: undefined,
        previous_hash: undefined,
        key,
      });
    });
  }

  /**
   * A page, newest first, including revoked keys.
   * @throws Problem not_found for an unknown tenant.
   */
  async list(tenantId: string, { limit, cursor }: PageQuery): Promise<Page<ApiKey>> {
    const [after] = cursor === undefined ? [] : decodeCursor(cursor, [(key) => isUUID(key)]);
    const rows = await this.database.tenant(tenantId, async (tx) => {
      await this.assertTenant(tx);
      return tx.repository(ApiKey).find({
        where: { tenant_id: tenantId, ...(after === undefined ? {} : { id: LessThan(after) }) },
        order: { id: 'DESC' },
        take: limit + 1,
      });
    });
    return pageOf(
      rows,
      limit,
      (key) => [key.id],
      (key) => key,
    );
  }

  /**
   * Gives the key a new secret. The previous one works for another `graceHours`; older ones end now, so at most two are
   * valid.
   * @returns the key with its new secret, shown only now.
   * @throws Problem not_found, or conflict when the key was revoked or has expired.
   */
  async rotate(tenantId: string, id: string, graceHours: number): Promise<CreatedApiKey> {
    const now = this.clock.now();
    const key = newSecret(tenantId);
    const rotated = await this.database.tenant(tenantId, async (tx) => {
      const keys = tx.repository(ApiKey);
      const found = await keys.findOne({
        where: { tenant_id: tenantId, id },
        lock: { mode: 'pessimistic_write' },
      });
      if (found === null) throw notFound();
      if (found.revoked_at !== null) throw new Problem('conflict', 'the key was revoked');
      if (found.expires_at !== null && found.expires_at <= now) {
        throw new Problem('conflict', 'the key has expired');
      }
      const until = graceHours === 0 ? null : new Date(now.getTime() + graceHours * HOUR_MS);
      await tx.execute(
        `UPDATE api_keys SET key_hash = $3, rotated_at = $4, previous_until = $5,
                previous_hash = CASE WHEN $5::timestamptz IS NULL THEN NULL ELSE key_hash END
         WHERE tenant_id = $1 AND id = $2`,
        [tenantId, id, hashOfKey(key), now, until],
      );
      return Object.assign(found, { rotated_at: now, previous_until: until });
    });
    this.logger.log({ event: 'api_key_rotated', tenant_id: tenantId, key_id: id });
    return Object.assign(new CreatedApiKey(), rotated, { key });
  }

  /**
   * Takes effect with the next request. Idempotent.
   * @throws Problem not_found
   */
  async revoke(tenantId: string, id: string): Promise<void> {
    const found = await this.database.tenant(tenantId, (tx) =>
      tx.execute(
        `UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3) WHERE tenant_id = $1 AND id = $2`,
        [tenantId, id, this.clock.now()],
      ),
    );
    if (found === 0) throw notFound();
    this.logger.log({ event: 'api_key_revoked', tenant_id: tenantId, key_id: id });
  }

  private async assertTenant(tx: TenantTransaction): Promise<void> {
    if ((await tx.one(`SELECT 1 FROM tenants WHERE id = $1`, [tx.tenant_id])) === null) throw notFound();
  }
}

/** An agent's key is kept on the agent's machine: it may only report for that agent. */
function assertAgentsOwn(scopes: readonly Scope[], agentId: string | null): void {
  const reports = scopes.includes('reports:write');
  if (reports && scopes.length > 1) throw invalid('/scopes', 'reports:write must be the only scope');
  if (reports && agentId === null) throw invalid('/agent_id', 'is required for a key with reports:write');
  if (!reports && agentId !== null)
    throw invalid('/agent_id', 'is allowed only for a key with reports:write');
}

function newSecret(tenantId: string): string {
  return `vk_${tenantId}_${randomBytes(32).toString('base64url')}`;
}
