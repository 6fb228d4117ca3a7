import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Locale } from '../../../../contracts/locales.js';
import { civilDate } from '../../../../platform/clock/civil-time.js';
import { Clock } from '../../../../platform/clock/clock.js';
import { Database } from '../../../../platform/database/database.js';
import { UndecryptableError } from '../../../../platform/encryption/encryption.js';
import { notFound, Problem } from '../../../../platform/errors/problem.js';
import { RequestLimits } from '../../../../platform/http/request-limits.js';
import type { WordedItem } from '../../../../wording/worded.js';
import { Wording } from '../../../../wording/wording.js';
import { verdictOfCall } from '../calls/verdict.js';
import { WebhookCaller } from '../calls/webhook-caller.js';
import type { WebhookNotification } from '../payload.js';
import { resultOf } from './attempt.js';
import { EndpointCalls } from './endpoint-calls.js';
import type { TestView } from './endpoints.dto.js';

const MAX_PER_MINUTE = 10;

interface TenantRow {
  name: string;
  slug: string;
  locale: Locale;
  time_zone: string;
  wording_version: string | null;
}

/** Calls an endpoint in the request, to show an admin what comes back. */
@Injectable()
export class EndpointTests {
  constructor(
    private readonly database: Database,
    private readonly endpoints: EndpointCalls,
    private readonly caller: WebhookCaller,
    private readonly wording: Wording,
    private readonly limits: RequestLimits,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Sends a `test`, even to a disabled endpoint. A failure changes nothing about the endpoint.
   * @throws Problem not_found; too_many_attempts for the tenant's eleventh test within a minute; conflict if
   * the secrets of the endpoint cannot be decrypted.
   */
  async run(tenantId: string, id: string): Promise<TestView> {
    const found = await this.endpoints.find(tenantId, id).catch((error: unknown) => {
      if (error instanceof UndecryptableError) throw new Problem('conflict', `a secret ${error.message}`);
      throw error;
    });
    if (found === null) throw notFound();
    // Prevents the use of Vigie to flood other servers. Counted apart from the attempts, which end with their endpoint.
    this.limits.countAct(
      `webhook-test:${tenantId}`,
      MAX_PER_MINUTE,
      `at most ${MAX_PER_MINUTE} tests a minute`,
    );
    const { endpoint } = found;
    const notification = await this.notification(tenantId);
    const { signal } = new AbortController();
    const call = await this.caller.call(endpoint, `test_${randomUUID()}`, notification, signal);
    const verdict = verdictOfCall(endpoint.format, call, this.clock.now());
    await this.endpoints.record(endpoint, null, call, verdict);
    return resultOf(call, verdict, this.clock.now());
  }

  private async notification(tenantId: string): Promise<WebhookNotification> {
    const tenant = await this.database.tenant(tenantId, (tx) =>
      tx.one<TenantRow>(`SELECT name, slug, locale, time_zone, wording_version FROM tenants WHERE id = $1`, [
        tenantId,
      ]),
    );
    if (tenant === null) throw notFound();
    const { name, slug, locale, time_zone, wording_version } = tenant;
    const created_at = this.clock.now();
    const item: WordedItem = {
      ...{ id: null, kind: 'test', severity: 'info' as const, data: { requested_by: null }, created_at },
      ...{ audience: 'endpoint', author_name: null },
    };
    const words = this.wording.titleAndBody(item, {
      ...{ locale, today: civilDate(created_at, time_zone) },
      ...{ tenant: { name, slug, time_zone }, recipient: { name: null } },
      own: await this.wording.ownWords(tenantId, wording_version),
    });
    return {
      ...{ id: null, kind: item.kind, severity: item.severity, ...words },
      ...{ data: {}, alert_id: null, item_url: null, created_at, tenant: { id: tenantId, slug, name } },
    };
  }
}
