import type { AlertLinks } from '../../../auth/alert-links.js';
import type { PasswordLinks } from '../../../auth/password/password-links.js';
import type { UnsubscribeLinks } from '../../../auth/unsubscribe-links.js';
import { canBeTurnedOff, LINK_KINDS, OPTIONAL_KINDS } from '../../../contracts/kind-lists.js';
import { civilDate } from '../../../platform/clock/civil-time.js';
import type { Clock } from '../../../platform/clock/clock.js';
import type { Wording } from '../../../wording/wording.js';
import type { ChannelSender, ClaimedItem, ClaimedMessage, SendLease, SendReceipt } from '../sender.js';
import type { EmailSender } from './email.sender.js';
import type { MailAuthor } from './headers.js';

const WITH_LINK: readonly string[] = LINK_KINDS;

/** E-mail: renders a message in its recipient's language, with the date of sending. */
export class EmailChannel implements ChannelSender {
  constructor(
    private readonly sender: EmailSender,
    private readonly wording: Wording,
    private readonly links: PasswordLinks,
    private readonly alertLinks: AlertLinks,
    private readonly unsubscribeLinks: UnsubscribeLinks,
    private readonly clock: Clock,
  ) {}

  async send(message: ClaimedMessage, lease: SendLease): Promise<SendReceipt> {
    const { tenant_id, bundle_id, address, locale, tenant_name, tenant_slug, time_zone, recipient_name } =
      message;
    const links = message.items.map((item) => this.linksOf(message, item));
    const items = message.items.map(({ data, ...item }, place) => {
      const { link_url = null, act_url = null } = links[place] ?? {};
      return { ...item, act_url, data: { ...data, ...(link_url !== null && { link_url }) } };
    });
    const unsubscribe_url = this.unsubscribeUrl(message);
    const secrets = [unsubscribe_url, ...links.flatMap(({ link_url, act_url }) => [link_url, act_url])];
    const reader = {
      locale,
      today: civilDate(this.clock.now(), time_zone),
      tenant: { name: tenant_name, slug: tenant_slug, time_zone },
      recipient: { name: recipient_name },
      own: await this.wording.ownWords(tenant_id, message.wording_version),
    };
    const rendered = this.wording.mail(items, reader, { unsubscribe_url });
    const mail = {
      message_id: bundle_id,
      to: address,
      ...rendered,
      author: authorOf(message),
      thread_id: factOf(message),
      list: { id: tenant_id, name: tenant_name },
      unsubscribe_url,
    };
    const { provider_id } = await this.sender.send(mail, lease);
    return { provider_id, subject: rendered.subject, text: withoutSecrets(rendered.text, secrets) };
  }

  async verify(): Promise<void> {
    await this.sender.verify();
  }

  /**
   * The link with which the recipient turns off the kinds in this mail. Null if they cannot: mandatory kinds,
   * critical ones, and bare addresses, which have no preferences.
   */
  private unsubscribeUrl({ tenant_id, recipient_id, items }: ClaimedMessage): string | null {
    const kinds = OPTIONAL_KINDS.filter((kind) =>
      items.some((item) => item.kind === kind && canBeTurnedOff(kind, 'email', item.severity)),
    );
    if (recipient_id === null || kinds.length === 0) return null;
    return this.unsubscribeLinks.url({ tenant_id, user_id: recipient_id, channel: 'email', kinds });
  }

  /**
   * The one-time link of an item, and the link to acknowledge its alert. Created when the mail is sent, so that no table
   * ever stores them.
   */
  private linksOf(
    { tenant_id, tenant_slug }: ClaimedMessage,
    { kind, data, notification_id, alert_id }: ClaimedItem,
  ) {
    const isLink = WITH_LINK.includes(kind) && typeof data.link_id === 'string';
    return {
      link_url: isLink ? this.links.url(tenant_id, String(data.link_id), tenant_slug) : null,
      act_url: alert_id === null ? null : this.alertLinks.url({ tenant_id, notification_id }),
    };
  }
}

/** The sent text is stored with the delivery; a link that needs no login never is. */
function withoutSecrets(text: string, secrets: readonly (string | null)[]): string {
  return secrets.reduce<string>((kept, link) => (link === null ? kept : kept.replaceAll(link, '…')), text);
}

/** The author, if one person wrote all of it. */
function authorOf({ items }: ClaimedMessage): MailAuthor | null {
  const [item, ...others] = items;
  if (item === undefined || others.length > 0 || item.kind !== 'message') return null;
  return item.author_name === null ? null : { name: item.author_name, email: item.author_email };
}

/** The fact that the message is about, if there is exactly one. */
function factOf({ items }: ClaimedMessage): string | null {
  const facts = new Set(items.map(({ alert_id }) => alert_id));
  return facts.size === 1 ? (items[0]?.alert_id ?? null) : null;
}
