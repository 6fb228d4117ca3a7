import { SEVERITIES } from '../../../contracts/notification-kinds.js';
import type { PasswordLinks } from '../../../auth/password/password-links.js';
import { type Config, publicUrl } from '../../../platform/config/config.js';
import type { RenderedMail, TemplateStore } from '../../../wording/template-store.js';
import {
  type ChannelSender,
  type ClaimedItem,
  type ClaimedMessage,
  SendError,
  type SendLease,
  type SendReceipt,
} from '../sender.js';
import type { EmailSender } from './email.sender.js';

/** E-mail: a message becomes a mail in its recipient's language, by the templates of its kind. */
export class EmailChannel implements ChannelSender {
  constructor(
    private readonly config: Config,
    private readonly sender: EmailSender,
    private readonly templates: TemplateStore,
    private readonly links: PasswordLinks,
  ) {}

  async send(message: ClaimedMessage, lease: SendLease): Promise<SendReceipt> {
    const secrets = message.items.flatMap((item) => this.oneTimeLink(message, item) ?? []);
    const { subject, html, text } = this.render(message);
    const mail = {
      delivery_id: message.bundle_id,
      to: message.address,
      subject,
      html,
      text,
      unsubscribe_url: null,
    };
    const { provider_id } = await this.sender.send(mail, lease);
    // What left is kept with the delivery; a one-time link never is.
    return { provider_id, subject, text: secrets.reduce((kept, link) => kept.replaceAll(link, '…'), text) };
  }

  async verify(): Promise<void> {
    await this.sender.verify();
  }

  /** One item by the templates of its kind, several by those of a bundle. */
  private render(message: ClaimedMessage): RenderedMail {
    const reader = {
      locale: message.locale,
      tenant: { name: message.tenant_name, time_zone: message.time_zone },
      recipient: { name: message.recipient_name },
      links: { inbox_url: this.inboxOf(message), unsubscribe_url: null },
    };
    const [first, ...others] = message.items;
    if (first === undefined) throw new SendError('permanent', 'The message has no items');
    if (others.length > 0) return this.templates.render({ ...reader, ...bundleOf(message.items) });
    const link_url = this.oneTimeLink(message, first);
    const data = link_url === null ? first.data : { ...first.data, link_url };
    return this.templates.render({ ...reader, ...first, data });
  }

  /** Only users have one; a bare address has nobody's name. */
  private inboxOf({ recipient_name }: ClaimedMessage): string | null {
    return recipient_name === null ? null : publicUrl(this.config);
  }

  /** Made when it leaves, so that no table ever holds it. */
  private oneTimeLink({ tenant_id }: ClaimedMessage, { kind, data }: ClaimedItem): string | null {
    if (!['welcome', 'password_reset'].includes(kind) || typeof data.link_id !== 'string') return null;
    return this.links.url(tenant_id, data.link_id);
  }
}

function bundleOf(items: readonly ClaimedItem[]) {
  const severity = SEVERITIES.findLast((each) => items.some((item) => item.severity === each)) ?? 'info';
  return {
    kind: 'bundle',
    severity,
    title: '',
    body: '',
    data: {
      items: items.map(({ kind, severity, title, body }) => ({ kind, severity, title, body })),
      total: items.length,
    },
    created_at: items[0]?.created_at ?? new Date(0),
  };
}
