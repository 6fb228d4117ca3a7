import { civilDate } from '../../../platform/clock/civil-time.js';
import type { Clock } from '../../../platform/clock/clock.js';
import type { Wording } from '../../../wording/wording.js';
import {
  type ChannelSender,
  type ClaimedMessage,
  SendError,
  type SendLease,
  type SendReceipt,
} from '../sender.js';
import type { SmsProvider } from './sms-provider.js';
import { type SmsText, wordedSms, writtenSms } from '../../../wording/sms/sms-text.js';

/** ITU-T E.164 §6: at most 15 digits. Whether a number exists was checked when it was stored. */
const E164 = /^\+[1-9]\d{6,14}$/;

/** Text messages: what somebody wrote as they wrote it, anything else in the recipient's language and short. */
export class SmsChannel implements ChannelSender {
  /** @param toGsm replaces characters that would make a text longer: see `transliterated` */
  constructor(
    private readonly provider: SmsProvider,
    private readonly wording: Wording,
    private readonly clock: Clock,
    private readonly toGsm: boolean,
  ) {}

  async send(message: ClaimedMessage, lease: SendLease): Promise<SendReceipt> {
    const to = message.address;
    if (!E164.test(to)) throw new SendError('permanent', 'Not a telephone number with its country code');
    const { text, segments } = await this.textOf(message);
    const provider_id = await this.provider.send({ id: message.bundle_id, to, text, segments }, lease);
    return { provider_id, subject: null, text, segments };
  }

  async verify(): Promise<void> {
    await this.provider.verify();
  }

  private async textOf(message: ClaimedMessage): Promise<SmsText> {
    const { tenant_id, items, locale, tenant_name, tenant_slug, time_zone, recipient_name } = message;
    const [item, ...others] = items;
    const isMessage = item?.kind === 'message' && others.length === 0;
    if (isMessage && typeof item.data.body === 'string') return writtenSms(item.data.body, this.toGsm);
    const words = this.wording.short(items, {
      locale,
      today: civilDate(this.clock.now(), time_zone),
      tenant: { name: tenant_name, slug: tenant_slug, time_zone },
      recipient: { name: recipient_name },
      own: await this.wording.ownWords(tenant_id, message.wording_version),
    });
    // The words of a tenant's message template are complete as well; without a body the template was lost.
    if (isMessage && words.body.trim() !== '') return writtenSms(words.body.trim(), this.toGsm);
    return wordedSms(words, tenant_name, this.toGsm);
  }
}
