import { civilDate } from '../../../platform/clock/civil-time.js';
import type { Clock } from '../../../platform/clock/clock.js';
import { UndecryptableError } from '../../../platform/encryption/encryption.js';
import { excerpt } from '../../../wording/written-text.js';
import type { Wording } from '../../../wording/wording.js';
import {
  type ChannelSender,
  type ClaimedMessage,
  SendError,
  type SendLease,
  type SendReceipt,
} from '../sender.js';
import type { DeviceRegistry } from './device-registry.js';
import type { DeviceToken } from './device-token.js';
import type { Fcm } from './fcm.js';
import type { OutgoingPush } from './push-service.js';
import type { WebPush } from './web-push.js';

/** Longest body, in characters: a push has 4 KB at most, and a screen shows a few lines. */
const MAX_BODY = 400;
/** Ids that fit into a push beside its texts. */
const MAX_IDS = 20;

/** Pushes to the devices of a user. Each device has a delivery of its own; its address is the device's id. */
export class PushChannel implements ChannelSender {
  /** @param services null where this installation is not configured for the platform */
  constructor(
    private readonly services: { fcm: Fcm | null; web_push: WebPush | null },
    private readonly devices: DeviceRegistry,
    private readonly wording: Wording,
    private readonly clock: Clock,
  ) {}

  async send(message: ClaimedMessage, lease: SendLease): Promise<SendReceipt> {
    const { tenant_id, address } = message;
    const token = await this.tokenOf(tenant_id, address);
    const push = await this.pushOf(message);
    try {
      const provider_id = await this.handOver(push, token, lease);
      return { provider_id, subject: push.title, text: push.body };
    } catch (error) {
      if (error instanceof SendError && error.address_stopped) await this.devices.forget(tenant_id, address);
      throw error;
    }
  }

  /** Tests every configured service. */
  async verify(): Promise<void> {
    await this.services.fcm?.verify();
    await this.services.web_push?.verify();
  }

  private async handOver(push: OutgoingPush, token: DeviceToken, lease: SendLease): Promise<string | null> {
    const { fcm, web_push } = this.services;
    if (token.platform === 'fcm' && fcm !== null) return fcm.send(push, token, lease);
    if (token.platform === 'web_push' && web_push !== null) return web_push.send(push, token, lease);
    throw new SendError('permanent', `This installation no longer sends pushes to ${token.platform}`);
  }

  private async tokenOf(tenantId: string, deviceId: string): Promise<DeviceToken> {
    try {
      const token = await this.devices.tokenOf(tenantId, deviceId);
      if (token !== null) return token;
    } catch (error) {
      if (!(error instanceof UndecryptableError)) throw error;
      // Another process may have the secret already, or an operator may still configure it.
      throw new SendError('retryable', `The token of the device ${error.message}`);
    }
    throw new SendError('permanent', 'The device was removed');
  }

  private async pushOf(message: ClaimedMessage): Promise<OutgoingPush> {
    const { items, locale, tenant_name, tenant_slug, time_zone, recipient_name, bundle_id } = message;
    const { title, body } = this.wording.short(items, {
      locale,
      today: civilDate(this.clock.now(), time_zone),
      tenant: { name: tenant_name, slug: tenant_slug, time_zone },
      recipient: { name: recipient_name },
      own: await this.wording.ownWords(message.tenant_id, message.wording_version),
    });
    const ids = items.slice(0, MAX_IDS).map(({ notification_id }) => notification_id);
    return {
      id: bundle_id,
      title,
      body: excerpt(body, MAX_BODY),
      data: {
        tenant: tenant_slug,
        kind: items.length === 1 ? (items[0]?.kind ?? '') : 'bundle',
        notification_ids: ids.join(','),
        count: String(items.length),
      },
      urgent: items.some(({ severity }) => severity === 'critical'),
    };
  }
}
