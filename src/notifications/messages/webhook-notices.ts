import { Injectable, type OnModuleInit } from '@nestjs/common';
import {
  EndpointEvents,
  type TroubledEndpoint,
} from '../../delivery/channels/webhook/endpoints/endpoint-events.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { type NewNotification, Notifications } from '../notifications.service.js';

declare module '../../contracts/kinds.js' {
  interface NotificationData {
    /** An endpoint has failed for a day; `disabled_at`: when it will be disabled. */
    webhook_failing: FailingEndpoint & { disabled_at: string };
    webhook_disabled: FailingEndpoint & { reason: 'gone' | 'failing' };
  }
}

interface FailingEndpoint {
  endpoint_id: string;
  /** The URL without its scheme and token. */
  address: string;
  host: string;
  failing_since: string;
  /** The HTTP status of the last answer, or why there was none. */
  status: number | null;
  fault: string | null;
}

type Notice = Pick<NewNotification<'webhook_failing' | 'webhook_disabled'>, 'kind' | 'data'>;

/** Most admins that are notified. */
const MAX_ADMINS = 1_000;

/** Notifies a tenant's admins of failing endpoints, on the channels of people. */
@Injectable()
export class WebhookNotices implements OnModuleInit {
  constructor(
    private readonly endpoints: EndpointEvents,
    private readonly notifications: Notifications,
  ) {}

  onModuleInit(): void {
    this.endpoints.onFailing((tx, endpoint) =>
      this.notify(tx, endpoint, {
        kind: 'webhook_failing',
        data: { ...factsOf(endpoint), disabled_at: endpoint.disabled_at.toISOString() },
      }),
    );
    this.endpoints.onDisabled((tx, endpoint) =>
      this.notify(tx, endpoint, {
        kind: 'webhook_disabled',
        data: { ...factsOf(endpoint), reason: endpoint.reason },
      }),
    );
  }

  private async notify(
    tx: TenantTransaction,
    { id, failing_since }: TroubledEndpoint,
    notice: Notice,
  ): Promise<void> {
    const admins = await tx.query<{ id: string }>(
      `SELECT id FROM users WHERE tenant_id = $1 AND role = 'admin' ORDER BY id LIMIT ${MAX_ADMINS}`,
      [tx.tenant_id],
    );
    if (admins.length === 0) return;
    await this.notifications.createMany(
      tx,
      admins.map(({ id: user_id }) => ({
        user_id,
        severity: 'warning',
        audience: 'alert_recipient',
        dedupe_key: `${notice.kind}:${id}:${failing_since.toISOString()}`,
        ...notice,
      })),
    );
  }
}

function factsOf({ id, url, failing_since, status, fault }: TroubledEndpoint): FailingEndpoint {
  return {
    endpoint_id: id,
    address: url.replace(/^https?:\/\//, ''),
    host: new URL(url).hostname,
    failing_since: failing_since.toISOString(),
    status,
    fault,
  };
}
