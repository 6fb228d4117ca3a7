import { civilDate } from '../../../platform/clock/civil-time.js';
import type { Clock } from '../../../platform/clock/clock.js';
import { UndecryptableError } from '../../../platform/encryption/encryption.js';
import { factsOf } from '../../../wording/worded.js';
import type { Wording } from '../../../wording/wording.js';
import {
  type ChannelSender,
  type ClaimedMessage,
  SendError,
  type SendLease,
  type SendReceipt,
} from '../sender.js';
import { verdictOfCall } from './calls/verdict.js';
import type { WebhookCaller } from './calls/webhook-caller.js';
import type { CallableEndpoint } from './endpoints/endpoint.js';
import type { EndpointCalls } from './endpoints/endpoint-calls.js';
import type { WebhookNotification } from './payload.js';

/** Webhooks: calls one endpoint for one notification. A fault is always the endpoint's, never the channel's. */
export class WebhookChannel implements ChannelSender {
  constructor(
    private readonly caller: WebhookCaller,
    private readonly endpoints: EndpointCalls,
    private readonly wording: Wording,
    private readonly clock: Clock,
  ) {}

  async send(message: ClaimedMessage, lease: SendLease): Promise<SendReceipt> {
    const endpoint = await this.endpointOf(message);
    const notification = await this.notificationOf(message);
    if (!lease.isValid()) throw new SendError('retryable', 'lease lost before the call');
    const call = await this.caller.call(endpoint, message.bundle_id, notification, lease.signal);
    const verdict = verdictOfCall(endpoint.format, call, this.clock.now());
    const delivery = { id: message.bundle_id, attempt: message.attempts };
    const disabled =
      call.error?.fault !== 'stopped' && (await this.endpoints.record(endpoint, delivery, call, verdict));
    if (verdict.delivered) return { provider_id: null, subject: notification.title, text: null };
    const code = call.error?.code ?? (call.reply === null ? null : String(call.reply.status));
    throw new SendError(
      disabled ? 'permanent' : verdict.failure,
      verdict.error,
      verdict.retry_after_ms,
      undefined,
      false,
      code,
    );
  }

  /** Endpoints are tested one by one (`POST tenant/webhooks/{id}/test`): the channel itself has nothing to connect to. */
  verify(): Promise<void> {
    return Promise.resolve();
  }

  private async endpointOf({ tenant_id, address }: ClaimedMessage): Promise<CallableEndpoint> {
    let found: Awaited<ReturnType<EndpointCalls['find']>>;
    try {
      found = await this.endpoints.find(tenant_id, address);
    } catch (error) {
      if (error instanceof UndecryptableError)
        throw new SendError(
          'retryable',
          `The endpoint's secrets cannot be decrypted: set JWT_SECRET_PREVIOUS`,
        );
      throw error;
    }
    if (found === null) throw new SendError('permanent', 'The endpoint was deleted');
    if (!found.enabled) throw new SendError('permanent', 'The endpoint is disabled');
    return found.endpoint;
  }

  private async notificationOf(message: ClaimedMessage): Promise<WebhookNotification> {
    const { tenant_id, tenant_name, tenant_slug, time_zone, locale, items } = message;
    const [item] = items;
    if (item === undefined) throw new Error('a message has at least one notification');
    const reader = {
      locale,
      today: civilDate(this.clock.now(), time_zone),
      tenant: { name: tenant_name, slug: tenant_slug, time_zone },
      recipient: { name: null },
      own: await this.wording.ownWords(tenant_id, message.wording_version),
    };
    return {
      id: item.id,
      kind: item.kind,
      severity: item.severity,
      ...this.wording.titleAndBody(item, reader),
      data: factsOf(item),
      alert_id: item.alert_id,
      item_url: this.wording.itemUrl(item, reader),
      created_at: item.created_at,
      tenant: { id: tenant_id, slug: tenant_slug, name: tenant_name },
    };
  }
}
