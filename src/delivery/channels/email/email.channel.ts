import type { PasswordLinks } from '../../../auth/password/password-links.js';
import { URGENT_KINDS } from '../../../contracts/kind-lists.js';
import { civilDate } from '../../../platform/clock/civil-time.js';
import type { Clock } from '../../../platform/clock/clock.js';
import type { Wording } from '../../../wording/wording.js';
import type { ChannelSender, ClaimedItem, ClaimedMessage, SendLease, SendReceipt } from '../sender.js';
import type { EmailSender } from './email.sender.js';

const LINK_KINDS: readonly string[] = URGENT_KINDS;

/** E-mail: a message becomes a mail in its recipient's language, as of the day it leaves. */
export class EmailChannel implements ChannelSender {
  constructor(
    private readonly sender: EmailSender,
    private readonly wording: Wording,
    private readonly links: PasswordLinks,
    private readonly clock: Clock,
  ) {}

  async send(message: ClaimedMessage, lease: SendLease): Promise<SendReceipt> {
    const { bundle_id, address, locale, tenant_name, time_zone, recipient_name } = message;
    const secrets = message.items.map((item) => this.oneTimeLink(message, item));
    const items = message.items.map(({ data, ...item }, place) => {
      const link_url = secrets[place] ?? null;
      return { ...item, data: { ...data, ...(link_url !== null && { link_url }) } };
    });
    const reader = {
      locale,
      today: civilDate(this.clock.now(), time_zone),
      tenant: { name: tenant_name, time_zone },
      recipient: { name: recipient_name },
    };
    const rendered = this.wording.mail(items, reader, { unsubscribe_url: null });
    const mail = { delivery_id: bundle_id, to: address, ...rendered, unsubscribe_url: null };
    const { provider_id } = await this.sender.send(mail, lease);
    return { provider_id, subject: rendered.subject, text: withoutSecrets(rendered.text, secrets) };
  }

  async verify(): Promise<void> {
    await this.sender.verify();
  }

  /** Made when it leaves, so that no table ever holds it. */
  private oneTimeLink({ tenant_id }: ClaimedMessage, { kind, data }: ClaimedItem): string | null {
    if (!LINK_KINDS.includes(kind) || typeof data.link_id !== 'string') return null;
    return this.links.url(tenant_id, data.link_id);
  }
}

/** What left is kept with the delivery; a one-time link never is. */
function withoutSecrets(text: string, secrets: readonly (string | null)[]): string {
  return secrets.reduce<string>((kept, link) => (link === null ? kept : kept.replaceAll(link, '…')), text);
}
