import type { PasswordLinks } from '../../../auth/password/password-links.js';
import { URGENT_KINDS } from '../../../contracts/kind-lists.js';
import { civilDate } from '../../../platform/clock/civil-time.js';
import type { Clock } from '../../../platform/clock/clock.js';
import type { Wording } from '../../../wording/wording.js';
import type { ChannelSender, ClaimedDelivery, SendLease, SendReceipt } from '../sender.js';
import type { EmailSender } from './email.sender.js';

const LINK_KINDS: readonly string[] = URGENT_KINDS;

/** E-mail: a delivery becomes a mail in its recipient's language, as of the day it leaves. */
export class EmailChannel implements ChannelSender {
  constructor(
    private readonly sender: EmailSender,
    private readonly wording: Wording,
    private readonly links: PasswordLinks,
    private readonly clock: Clock,
  ) {}

  async send(delivery: ClaimedDelivery, lease: SendLease): Promise<SendReceipt> {
    const { id, locale, tenant_name, tenant_slug, time_zone } = delivery;
    const item = { ...delivery, data: this.withLinks(delivery) };
    const reader = {
      locale,
      today: civilDate(this.clock.now(), time_zone),
      tenant: { name: tenant_name, slug: tenant_slug, time_zone },
      recipient: { name: delivery.recipient_name },
    };
    const rendered = this.wording.mail([item], reader, { unsubscribe_url: null });
    const mail = { delivery_id: id, to: delivery.address, ...rendered, unsubscribe_url: null };
    return this.sender.send(mail, lease);
  }

  async verify(): Promise<void> {
    await this.sender.verify();
  }

  /** A one-time link is made when it leaves, so that no table ever holds it. */
  private withLinks({ kind, data, tenant_id }: ClaimedDelivery): Record<string, unknown> {
    if (!LINK_KINDS.includes(kind) || typeof data.link_id !== 'string') return data;
    return { ...data, link_url: this.links.url(tenant_id, data.link_id) };
  }
}
