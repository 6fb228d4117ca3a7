import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../../../platform/clock/clock.js';
import { Database } from '../../../../platform/database/database.js';
import { prepared, type TenantTransaction } from '../../../../platform/database/transaction.js';
import { WakeUps } from '../../../../platform/queues/wake-ups.js';
import {
  DEFER_OF_ENDPOINT,
  HASTEN_OF_ENDPOINT,
  SUPPRESS_OF_ENDPOINT,
} from '../../../transitions/webhooks.sql.js';
import type { Call } from '../calls/webhook-caller.js';
import type { Verdict } from '../calls/verdict.js';
import { type CallResult, resultOf } from './attempt.js';
import { type CallableEndpoint, type DisableReason, type EndpointFormat, recipientOf } from './endpoint.js';
import { type DisabledEndpoint, EndpointEvents, type TroubledEndpoint } from './endpoint-events.js';
import { EndpointSecrets } from './endpoint-secrets.js';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** An endpoint without a success for this long is reported, and later disabled. */
export const WARN_AFTER_MS = DAY_MS;
export const DISABLE_AFTER_MS = 5 * DAY_MS;
/** An admin has at least this long to act after the warning. */
const TIME_TO_ACT_MS = DAY_MS;
/** A success is not written again within this time, in seconds. */
const NOTED_SECONDS = 10;

interface EndpointRow {
  url: string;
  format: EndpointFormat;
  state: string;
  secret: string | null;
  previous_secret: string | null;
  previous_until: Date | null;
}

interface HealthRow {
  url_shown: string;
  state: string;
  failing_since: Date;
  warned_at: Date | null;
}

/** What calls read and write: an endpoint's URL and secrets, its attempts, and its health. */
@Injectable()
export class EndpointCalls {
  private readonly logger = new Logger('Webhooks');

  constructor(
    private readonly database: Database,
    private readonly secrets: EndpointSecrets,
    private readonly events: EndpointEvents,
    private readonly wakeUps: WakeUps,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * The endpoint as a call needs it, whatever its state; null if it was deleted.
   * @throws UndecryptableError
   */
  async find(tenantId: string, id: string): Promise<{ endpoint: CallableEndpoint; enabled: boolean } | null> {
    const row = await this.database.tenant(tenantId, (tx) =>
      tx.one<EndpointRow>(
        prepared(`SELECT url, format, state, secret, previous_secret, previous_until FROM webhook_endpoints
                  WHERE tenant_id = $1 AND id = $2`),
        [tenantId, id],
      ),
    );
    if (row === null) return null;
    const { url, format, state, secret, previous_secret, previous_until } = row;
    const previous = previous_until !== null && previous_until > this.clock.now() ? previous_secret : null;
    const decrypted = (column: 'secret' | 'previous_secret', stored: string | null) =>
      stored === null ? [] : [this.secrets.decrypt(column, tenantId, id, stored)];
    return {
      endpoint: {
        ...{ tenant_id: tenantId, id, format },
        url: this.secrets.decrypt('url', tenantId, id, url),
        secrets: [...decrypted('secret', secret), ...decrypted('previous_secret', previous)],
      },
      enabled: state === 'enabled',
    };
  }

  /**
   * Records an attempt, and updates the endpoint's health. Never throws: the outcome of the delivery must not
   * depend on it.
   * @param delivery null for a test, whose failure does not count
   * @returns whether the endpoint is disabled now
   */
  async record(
    endpoint: CallableEndpoint,
    delivery: { id: string; attempt: number } | null,
    call: Call,
    verdict: Verdict,
  ): Promise<boolean> {
    try {
      return await this.database.tenant(endpoint.tenant_id, async (tx) => {
        // Update the endpoint's row first: the attempt refers to it, and concurrent calls would deadlock.
        const result = resultOf(call, verdict, this.clock.now());
        const disabled = await this.noteHealth(tx, endpoint.id, delivery !== null, verdict, result);
        await this.addAttempt(tx, endpoint.id, delivery, result);
        return disabled;
      });
    } catch (error) {
      const { tenant_id, id: endpoint_id } = endpoint;
      this.logger.error({ event: 'webhook_attempt_not_kept', tenant_id, endpoint_id, err: error });
      return false;
    }
  }

  private async addAttempt(
    tx: TenantTransaction,
    endpointId: string,
    delivery: { id: string; attempt: number } | null,
    result: CallResult,
  ): Promise<void> {
    const { delivered, status, duration_ms, fault, error, answer, at } = result;
    await tx.execute(
      prepared(`INSERT INTO webhook_attempts (tenant_id, endpoint_id, delivery_id, attempt, delivered, status,
                                              duration_ms, fault, error, answer, at)
                SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
                WHERE EXISTS (SELECT FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2)`),
      [
        ...[tx.tenant_id, endpointId, delivery?.id ?? null, delivery?.attempt ?? null],
        ...[delivered, status, duration_ms, fault, error, answer, at],
      ],
    );
  }

  private async noteHealth(
    tx: TenantTransaction,
    id: string,
    counts: boolean,
    verdict: Verdict,
    result: CallResult,
  ): Promise<boolean> {
    if (!verdict.delivered) return counts && this.failed(tx, id, verdict, result);
    await this.succeeded(tx, id);
    return false;
  }

  /** The endpoint works again, so its other waiting retries become due. */
  private async succeeded(tx: TenantTransaction, id: string): Promise<void> {
    const now = this.clock.now();
    const noted = await tx.one<{ recovered: boolean }>(
      prepared(`
        UPDATE webhook_endpoints e
        SET last_success_at = $3, failing_since = NULL, warned_at = NULL, last_error = NULL
        FROM (SELECT tenant_id, id, failing_since FROM webhook_endpoints
              WHERE tenant_id = $1 AND id = $2
                AND (failing_since IS NOT NULL
                     OR coalesce(last_success_at <= $3::timestamptz - make_interval(secs => $4), true))
              FOR NO KEY UPDATE) was
        WHERE e.tenant_id = was.tenant_id AND e.id = was.id
        RETURNING was.failing_since IS NOT NULL AS recovered`),
      [tx.tenant_id, id, now, NOTED_SECONDS],
    );
    if (noted?.recovered !== true) return;
    const hastened = await tx.execute(HASTEN_OF_ENDPOINT, [tx.tenant_id, recipientOf(id), now]);
    if (hastened > 0) this.kick(tx);
    this.logger.log({ event: 'webhook_recovered', tenant_id: tx.tenant_id, endpoint_id: id });
  }

  private async failed(
    tx: TenantTransaction,
    id: string,
    { gone, retry_after_ms = 0 }: Extract<Verdict, { delivered: false }>,
    { status, fault, error }: CallResult,
  ): Promise<boolean> {
    const now = this.clock.now();
    const row = await tx.one<HealthRow>(
      prepared(`UPDATE webhook_endpoints SET failing_since = coalesce(failing_since, $3), last_error = $4
                WHERE tenant_id = $1 AND id = $2
                RETURNING url_shown, state, failing_since, warned_at`),
      [tx.tenant_id, id, now, error],
    );
    if (row?.state !== 'enabled') return true;
    const { url_shown: url, failing_since, warned_at } = row;
    const about = { id, url, failing_since, status, fault };
    const failing_ms = now.getTime() - failing_since.getTime();
    const warned_ms = warned_at === null ? -1 : now.getTime() - warned_at.getTime();
    if (gone || (failing_ms >= DISABLE_AFTER_MS && warned_ms >= TIME_TO_ACT_MS)) {
      await this.disable(tx, about, gone ? 'gone' : 'failing');
      return true;
    }
    if (retry_after_ms > 0) {
      const until = new Date(now.getTime() + retry_after_ms);
      await tx.execute(DEFER_OF_ENDPOINT, [tx.tenant_id, recipientOf(id), until]);
    }
    if (failing_ms < WARN_AFTER_MS || warned_at !== null) return false;
    await tx.execute(`UPDATE webhook_endpoints SET warned_at = $3 WHERE tenant_id = $1 AND id = $2`, [
      tx.tenant_id,
      id,
      now,
    ]);
    const disabled_at = new Date(
      Math.max(failing_since.getTime() + DISABLE_AFTER_MS, now.getTime() + TIME_TO_ACT_MS),
    );
    await this.events.failing(tx, { ...about, disabled_at });
    this.logger.warn({ event: 'webhook_failing', tenant_id: tx.tenant_id, endpoint_id: id, failing_since });
    return false;
  }

  private async disable(
    tx: TenantTransaction,
    about: TroubledEndpoint,
    reason: DisabledEndpoint['reason'],
  ): Promise<void> {
    await this.setDisabled(tx, about.id, reason);
    await this.events.disabled(tx, { ...about, reason });
    const line = { event: 'webhook_disabled', tenant_id: tx.tenant_id, endpoint_id: about.id, reason };
    this.logger.warn(line);
  }

  /** Its waiting deliveries are suppressed, and can be replayed. */
  async setDisabled(tx: TenantTransaction, id: string, reason: DisableReason): Promise<void> {
    const now = this.clock.now();
    await tx.execute(
      `UPDATE webhook_endpoints SET state = 'disabled', state_reason = $3, state_since = $4
       WHERE tenant_id = $1 AND id = $2`,
      [tx.tenant_id, id, reason, now],
    );
    await tx.execute(SUPPRESS_OF_ENDPOINT, [tx.tenant_id, recipientOf(id), now, 'endpoint_disabled']);
  }

  /** Wakes the dispatcher after the commit. */
  kick(tx: TenantTransaction): void {
    tx.afterCommit(() => this.wakeUps.send('dispatch.kick', { channel: 'webhook' }));
  }
}
