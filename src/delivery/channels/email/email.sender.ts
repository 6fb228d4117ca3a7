import type { MailerService } from '@nestjs-modules/mailer';
import { withTimeout } from '../../../platform/clock/timeout.js';
import { SendError, type SendLease, type SendReceipt } from '../sender.js';
import { domainOf, parseEmailAddress } from './address.js';
import { Attempt, watchMessage, type AttemptedMail } from './attempt.js';
import { SMTP_TIMEOUTS, type SmtpSettings, type SmtpTimeouts } from './email.settings.js';
import { LEASE_LOST, sendError } from './failure.js';

/** A rendered mail to one person. */
export interface OutgoingMail {
  /** Becomes the Message-ID, the same at every attempt: receivers drop what they have already. */
  delivery_id: string;
  to: string;
  subject: string;
  html: string;
  text: string;
  /** URL whose POST unsubscribes at once (RFC 8058); null where these mails cannot be turned off. */
  unsubscribe_url: string | null;
}

/** Sends mail over the pooled SMTP connections of a MailerService made with `mailerOptions(settings)`. */
export class EmailSender {
  private readonly from: { name: string; address: string };
  private readonly inFlight = new Set<Promise<unknown>>();

  /** @throws Error where `from_email` is not one plain address. */
  constructor(
    private readonly mailer: MailerService,
    settings: Pick<SmtpSettings, 'from_email' | 'from_name'>,
    private readonly timeouts: SmtpTimeouts = SMTP_TIMEOUTS,
  ) {
    const address = parseEmailAddress(settings.from_email);
    if (address === null) throw new Error('The sender address of mails is not one plain e-mail address');
    this.from = { name: oneLine(settings.from_name), address };
    mailer.getTransporter().use('stream', watchMessage);
  }

  /**
   * Sends one mail, or learns that it was not sent. Takes at most `send_ms`.
   * Until the server asks for the message (354) a lost lease stops it; from there on it is let finish.
   * @throws SendError and nothing else.
   */
  async send(mail: OutgoingMail, lease: SendLease): Promise<Pick<SendReceipt, 'provider_id'>> {
    const data = this.compose(mail);
    if (lease.signal.aborted || !lease.isValid()) throw new SendError('retryable', LEASE_LOST);
    const attempt = new Attempt(lease, this.timeouts.send_ms);
    const message: AttemptedMail = { ...data, attempt, signal: attempt.signal };
    const sending = this.mailer.sendMail(message);
    this.inFlight.add(sending);
    try {
      const info = await sending;
      return { provider_id: providerId(info.response) };
    } catch (error) {
      attempt.failed();
      throw sendError(error, attempt);
    } finally {
      attempt.end();
      this.inFlight.delete(sending);
    }
  }

  /**
   * Connects, encrypts, logs in and leaves: the connection test.
   * @throws SendError with plain words; the connection is closed.
   */
  async verify(): Promise<void> {
    try {
      await withTimeout(this.mailer.getTransporter().verify(), this.timeouts.send_ms, 'timeout');
    } catch (error) {
      throw sendError(error, null);
    }
  }

  /** Closes idle connections, refuses what waits, and resolves once every mail in flight has its outcome. */
  async close(): Promise<void> {
    this.mailer.getTransporter().close();
    await Promise.allSettled(this.inFlight);
  }

  private compose(mail: OutgoingMail) {
    const to = parseEmailAddress(mail.to);
    if (to === null) throw new SendError('permanent', 'Not one plain e-mail address');
    if (!/^[\w.-]{1,100}$/.test(mail.delivery_id))
      throw new SendError('permanent', 'The delivery has no usable id');
    return {
      from: this.from,
      to: { name: '', address: to },
      // Given, so that it is not parsed out of the headers again.
      envelope: { from: this.from.address, to: [to] },
      messageId: `<${mail.delivery_id}@${domainOf(this.from.address)}>`,
      subject: oneLine(mail.subject),
      html: mail.html,
      text: mail.text,
      headers: {
        // RFC 3834 §5: no vacation replies to notifications.
        'Auto-Submitted': 'auto-generated',
        ...unsubscribeHeaders(mail.unsubscribe_url),
      },
    };
  }
}

/** RFC 2369 §3.2; one click (RFC 8058 §3.1) only over https, so not from a server tried out without TLS. */
function unsubscribeHeaders(url: string | null): Record<string, string> {
  if (url === null) return {};
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new SendError('permanent', 'The unsubscribe address is not a web address');
  // URL writes line breaks, blanks and angle brackets as %XX.
  const header = { 'List-Unsubscribe': `<${parsed.href}>` };
  return parsed.protocol === 'https:'
    ? { ...header, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }
    : header;
}

/** The server's own id, in the words of Postfix and Exim, Sendmail, or Microsoft 365. */
function providerId(response: unknown): string | null {
  if (typeof response !== 'string') return null;
  const found =
    /\b(?:queued as |id=)([\w.+-]{1,100})/i.exec(response) ?? /\bOK <([^<>\s]{1,200})>/i.exec(response);
  return found?.[1] ?? null;
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
}
