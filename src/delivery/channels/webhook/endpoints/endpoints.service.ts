import { Inject, Injectable, Logger } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Clock } from '../../../../platform/clock/clock.js';
import { Database } from '../../../../platform/database/database.js';
import type { TenantTransaction } from '../../../../platform/database/transaction.js';
import { invalid, notFound, Problem } from '../../../../platform/errors/problem.js';
import { decodeCursor, type Page, pageOf } from '../../../../platform/http/cursor.js';
import type { PageQuery } from '../../../../platform/http/page.dto.js';
import { REPLAY, HASTEN_OF_ENDPOINT, SUPPRESS_OF_ENDPOINT } from '../../../transitions/webhooks.sql.js';
import { newSecret } from '../calls/webhook-caller.js';
import { TargetError, TargetGuard } from '../guard/target.js';
import { type EndpointFormat, type EndpointState, HIDDEN, recipientOf, shownUrl } from './endpoint.js';
import { EndpointCalls } from './endpoint-calls.js';
import { EndpointSecrets } from './endpoint-secrets.js';
import type {
  AttemptView,
  EndpointPatch,
  EndpointView,
  EndpointWithSecret,
  NewEndpoint,
  ReplayView,
} from './endpoints.dto.js';

const MAX_ENDPOINTS = 20;
/** The old secret stays valid for this long after a rotation. */
const GRACE_MS = 24 * 60 * 60 * 1_000;
/** Deliveries per replay. */
const MAX_REPLAYED = 10_000;

const COLUMNS = `id, url_shown AS url, format, kinds, description, state, state_reason, state_since, failing_since,
  last_success_at, last_error, previous_until AS previous_secret_until, created_at`;

/**
 * Failures of an earlier URL say nothing about a new one. The error is kept when the endpoint is enabled: it may be why
 * it was disabled.
 * $1 tenant id, $2 id, $3 the URL (null: as it is), $4 as it is shown, $5 whether to set the kinds, $6 the kinds, $7
 * whether to set the description, $8 the description, $9 whether to enable it, $10 now
 */
const UPDATE = `
  UPDATE webhook_endpoints
  SET url = coalesce($3, url), url_shown = coalesce($4, url_shown),
      kinds = CASE WHEN $5::boolean THEN $6::text[] ELSE kinds END,
      description = CASE WHEN $7::boolean THEN $8 ELSE description END,
      state = CASE WHEN $9::boolean THEN 'enabled' ELSE state END,
      state_reason = CASE WHEN NOT $9 THEN state_reason END,
      state_since = CASE WHEN $9 THEN $10::timestamptz ELSE state_since END,
      failing_since = CASE WHEN $3::text IS NULL AND NOT $9 THEN failing_since END,
      warned_at = CASE WHEN $3::text IS NULL AND NOT $9 THEN warned_at END,
      last_error = CASE WHEN $3::text IS NULL THEN last_error END
  WHERE tenant_id = $1 AND id = $2`;

/** The webhook endpoints of a tenant. */
@Injectable()
export class Endpoints {
  private readonly logger = new Logger('Webhooks');

  constructor(
    private readonly database: Database,
    private readonly secrets: EndpointSecrets,
    private readonly guard: TargetGuard,
    private readonly calls: EndpointCalls,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * @returns the endpoint with its secret, shown only now.
   * @throws Problem validation_failed for a URL that must not be called; conflict for the 21st endpoint.
   */
  async create(
    tenantId: string,
    { url, format = 'standard', kinds, description }: NewEndpoint,
  ): Promise<EndpointWithSecret> {
    const target = await this.checked(url);
    const secret = format === 'slack' ? null : newSecret();
    return this.database.tenant(tenantId, async (tx) => {
      await tx.lock(`webhook-endpoints:${tenantId}`);
      const found = await tx.one<{ id: string; endpoints: number }>(
        `SELECT new_id() AS id, (SELECT count(*) FROM webhook_endpoints WHERE tenant_id = $1) AS endpoints`,
        [tenantId],
      );
      if (found === null) throw new Error('no new id');
      const { id, endpoints } = found;
      if (endpoints >= MAX_ENDPOINTS)
        throw new Problem('conflict', `a tenant has at most ${MAX_ENDPOINTS} endpoints`);
      const now = this.clock.now();
      await tx.execute(
        `INSERT INTO webhook_endpoints (tenant_id, id, url, url_shown, format, kinds, description, secret, state_since,
                                        created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
        [
          tenantId,
          id,
          this.secrets.encrypt('url', tenantId, id, target.href),
          shownUrl(target),
          format,
          kinds ?? null,
          description ?? null,
          secret === null ? null : this.secrets.encrypt('secret', tenantId, id, secret),
          now,
        ],
      );
      this.logger.log({ event: 'webhook_created', tenant_id: tenantId, endpoint_id: id, format });
      return Object.assign(await this.one(tx, id), { secret });
    });
  }

  /** A page, newest first. */
  async list(tenantId: string, { limit, cursor }: PageQuery): Promise<Page<EndpointView>> {
    const rows = await this.database.tenant(tenantId, (tx) =>
      tx.query<EndpointView>(
        `SELECT ${COLUMNS} FROM webhook_endpoints
         WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
        [tenantId, afterOf(cursor), limit + 1],
      ),
    );
    return pageOf(
      rows,
      limit,
      ({ id }) => [id],
      (row) => row,
    );
  }

  /** @throws Problem not_found */
  async get(tenantId: string, id: string): Promise<EndpointView> {
    return this.database.tenant(tenantId, (tx) => this.one(tx, id));
  }

  /**
   * Changes the given fields. A new URL and enabling start a new count of failures; with a new URL, waiting retries
   * become due. What it missed while it was disabled is sent by `replay`.
   * @throws Problem not_found; validation_failed for a URL that must not be called.
   */
  async update(tenantId: string, id: string, patch: EndpointPatch): Promise<EndpointView> {
    const target = patch.url === undefined ? null : await this.checked(patch.url);
    return this.database.tenant(tenantId, async (tx) => {
      const { state } = await this.locked(tx, id);
      const enable = patch.enabled === true && state === 'disabled';
      const now = this.clock.now();
      await tx.execute(UPDATE, [
        ...[tenantId, id, target === null ? null : this.secrets.encrypt('url', tenantId, id, target.href)],
        ...[target === null ? null : shownUrl(target), patch.kinds !== undefined, patch.kinds ?? null],
        ...[patch.description !== undefined, patch.description ?? null, enable, now],
      ]);
      if (patch.enabled === false && state === 'enabled') await this.calls.setDisabled(tx, id, 'admin');
      else if (target !== null) {
        await tx.execute(HASTEN_OF_ENDPOINT, [tenantId, recipientOf(id), now]);
        this.calls.kick(tx);
      }
      return this.one(tx, id);
    });
  }

  /** Its waiting deliveries are suppressed. @throws Problem not_found */
  async remove(tenantId: string, id: string): Promise<void> {
    await this.database.tenant(tenantId, async (tx) => {
      await this.locked(tx, id);
      const recipient = recipientOf(id);
      await tx.execute(SUPPRESS_OF_ENDPOINT, [tenantId, recipient, this.clock.now(), 'endpoint_deleted']);
      await tx.execute(`DELETE FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2`, [tenantId, id]);
    });
    this.logger.log({ event: 'webhook_deleted', tenant_id: tenantId, endpoint_id: id });
  }

  /**
   * Gives it a new secret. For 24 h calls are signed with both secrets; an older secret ends now.
   * @throws Problem not_found; conflict for Slack, whose calls are not signed.
   */
  async rotate(tenantId: string, id: string): Promise<EndpointWithSecret> {
    const secret = newSecret();
    const rotated = await this.database.tenant(tenantId, async (tx) => {
      const { format } = await this.locked(tx, id);
      if (format === 'slack') throw new Problem('conflict', 'calls of Slack webhooks are not signed');
      await tx.execute(
        `UPDATE webhook_endpoints SET previous_secret = secret, previous_until = $4, secret = $3
         WHERE tenant_id = $1 AND id = $2`,
        [
          tenantId,
          id,
          this.secrets.encrypt('secret', tenantId, id, secret),
          new Date(this.clock.now().getTime() + GRACE_MS),
        ],
      );
      return this.one(tx, id);
    });
    this.logger.log({ event: 'webhook_secret_rotated', tenant_id: tenantId, endpoint_id: id });
    return Object.assign(rotated, { secret });
  }

  /** A page of its attempts, newest first. @throws Problem not_found */
  async attempts(tenantId: string, id: string, { limit, cursor }: PageQuery): Promise<Page<AttemptView>> {
    const rows = await this.database.tenant(tenantId, async (tx) => {
      await this.one(tx, id);
      return tx.query<AttemptView>(
        `SELECT id, delivery_id, attempt, delivered, status, duration_ms, fault, error, answer, at FROM webhook_attempts
         WHERE tenant_id = $1 AND endpoint_id = $2 AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4`,
        [tenantId, id, afterOf(cursor), limit + 1],
      );
    });
    return pageOf(
      rows,
      limit,
      (attempt) => [attempt.id],
      (attempt) => attempt,
    );
  }

  /**
   * Re-sends what was announced since an instant and not delivered: failed calls, and those that it missed
   * while it was disabled. Waiting retries become due at once. Delivered calls are not repeated.
   * @throws Problem not_found; conflict while it is disabled.
   */
  async replay(tenantId: string, id: string, since: Date | null): Promise<ReplayView> {
    return this.database.tenant(tenantId, async (tx) => {
      const { state } = await this.locked(tx, id);
      if (state === 'disabled') throw new Problem('conflict', 'enable the endpoint first');
      const [recipient, now] = [recipientOf(id), this.clock.now()];
      const rows = await tx.query(REPLAY, [tenantId, recipient, now, since, MAX_REPLAYED]);
      await tx.execute(HASTEN_OF_ENDPOINT, [tenantId, recipient, now]);
      this.calls.kick(tx);
      this.logger.log({
        event: 'webhook_replayed',
        tenant_id: tenantId,
        endpoint_id: id,
        deliveries: rows.length,
      });
      return { replayed: rows.length, more: rows.length === MAX_REPLAYED };
    });
  }

  private async checked(url: string): Promise<URL> {
    if (url.endsWith(`/${HIDDEN}`))
      throw invalid('/url', 'is the address without its path, as it is shown: send the whole one');
    try {
      return (await this.guard.resolveTarget(url)).url;
    } catch (error) {
      if (!(error instanceof TargetError)) throw error;
      // The name may exist later; each call checks it again.
      if (error.fault === 'dns') return this.guard.parse(url).url;
      throw invalid('/url', error.message);
    }
  }

  private async one(tx: TenantTransaction, id: string): Promise<EndpointView> {
    const row = await tx.one<EndpointView>(
      `SELECT ${COLUMNS} FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2`,
      [tx.tenant_id, id],
    );
    if (row === null) throw notFound();
    return row;
  }

  private async locked(
    tx: TenantTransaction,
    id: string,
  ): Promise<{ format: EndpointFormat; state: EndpointState }> {
    const row = await tx.one<{ format: EndpointFormat; state: EndpointState }>(
      `SELECT format, state FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
      [tx.tenant_id, id],
    );
    if (row === null) throw notFound();
    return row;
  }
}

function afterOf(cursor: string | undefined): string | null {
  const [after = null] = cursor === undefined ? [] : decodeCursor(cursor, [(key) => isUUID(key)]);
  return after;
}
