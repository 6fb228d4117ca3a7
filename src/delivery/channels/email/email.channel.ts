import type { PasswordLinks } from '../../../auth/password/password-links.js';
import { type Config, publicUrl } from '../../../platform/config/config.js';
import type { TemplateStore } from '../../../wording/template-store.js';
import type { ChannelSender, ClaimedDelivery, SendLease, SendReceipt } from '../sender.js';
import type { EmailSender } from './email.sender.js';

/** E-mail: a delivery becomes a mail in its recipient's language, by the templates of its kind. */
export class EmailChannel implements ChannelSender {
  constructor(
    private readonly config: Config,
    private readonly sender: EmailSender,
    private readonly templates: TemplateStore,
    private readonly links: PasswordLinks,
  ) {}

  async send(delivery: ClaimedDelivery, lease: SendLease): Promise<SendReceipt> {
    const rendered = this.templates.render({
      kind: delivery.kind,
      locale: delivery.locale,
      tenant: { name: delivery.tenant_name, time_zone: delivery.time_zone },
      recipient: { name: delivery.recipient_name },
      severity: delivery.severity,
      title: delivery.title,
      body: delivery.body,
      data: this.withLinks(delivery),
      created_at: delivery.created_at,
      links: { inbox_url: this.inboxOf(delivery), unsubscribe_url: null },
    });
    const mail = {
      message_id: delivery.id,
      to: delivery.address,
      ...rendered,
      author: null,
      thread_id: null,
      list: { id: delivery.tenant_id, name: delivery.tenant_name },
      unsubscribe_url: null,
    };
    return this.sender.send(mail, lease);
  }

  async verify(): Promise<void> {
    await this.sender.verify();
  }

  /** Only users have one; a bare address has nobody's name. */
  private inboxOf({ recipient_name }: ClaimedDelivery): string | null {
    return recipient_name === null ? null : publicUrl(this.config);
  }

  /** A one-time link is made when it leaves, so that no table ever holds it. */
  private withLinks({ kind, data, tenant_id }: ClaimedDelivery): Record<string, unknown> {
    if (!['welcome', 'password_reset'].includes(kind) || typeof data.link_id !== 'string') return data;
    return { ...data, link_url: this.links.url(tenant_id, data.link_id) };
  }
}
