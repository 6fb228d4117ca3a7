import { setTimeout as delay } from 'node:timers/promises';
import type { MailerService } from '@nestjs-modules/mailer';
import type { NodemailerError } from 'nodemailer/lib/errors';
import { domainOf, parseEmailAddress } from '../../../platform/addresses/email-address.js';
import { withTimeout } from '../../../platform/clock/timeout.js';
import { LEASE_LOST, SendError, type SendLease } from '../sender.js';
import { Attempt, watchMessage, type AttemptedMail } from './attempt.js';
import type { SmtpSettings, SmtpTimeouts } from './email.settings.js';
import { sendError } from './failure.js';
import { displayName, headersOf, type MailHeaders, subjectHeader, usableId } from './headers.js';

/** A rendered mail to one person. */
export interface OutgoingMail extends MailHeaders {
  /** Becomes the Message-ID, the same on every attempt, so that receivers can deduplicate. */
  message_id: string;
  to: string;
  subject: string;
  html: string;
  text: string;
}

/** If a server permits fewer connections than MAIL_CONCURRENCY, wait for a working one this many times. */
const MAX_CONNECTING = 5;
const CONNECT_AGAIN_MS = 1_000;

/** The server's reply to an accepted mail. */
export interface SentMail {
  /** The server's own id of the mail, if it gives one. */
  provider_id: string | null;
}

/** Sends mail over the pooled SMTP connections of a MailerService made with `mailerOptions(settings)`. */
export class EmailSender {
  private readonly from: { name: string; address: string };
  private readonly inFlight = new Map<Attempt, Promise<unknown>>();
  private closed = false;
  /** When the server last accepted a mail (monotonic clock, ms). */
  private succeededAt = -Infinity;
  /** The failure that made the waiting attempts give up. */
  private refusal: SendError | null = null;

  /** @throws Error if `from_email` is not one plain address. */
  constructor(
    private readonly mailer: MailerService,
    private readonly settings: SmtpSettings,
    private readonly timeouts: SmtpTimeouts,
  ) {
    const address = parseEmailAddress(settings.from_email);
    if (address === null) throw new Error('The sender address is not a single plain e-mail address');
    this.from = { name: displayName(settings.from_name), address };
    mailer.getTransporter().use('stream', watchMessage);
  }

  /**
   * Sends one mail, or finds out that it was not sent. Takes at most `send_ms`. A lost lease stops it until the server
   * asks for the message (354); after that it finishes.
   * @throws SendError and nothing else.
   */
  async send(mail: OutgoingMail, lease: SendLease): Promise<SentMail> {
    const data = this.compose(mail);
    const began = performance.now();
    for (let tries = 1; ; tries++) {
      if (lease.signal.aborted || !lease.isValid()) throw new SendError('retryable', LEASE_LOST);
      const attempt = new Attempt(lease, Math.max(began + this.timeouts.send_ms - performance.now(), 1));
      try {
        return await this.attempt({ ...data, attempt, signal: attempt.signal });
      } catch (error) {
        const failure = this.judged(error, attempt);
        // Each stale connection found is closed: after all of them the pool opens a new one.
        const stale = attempt.metStaleConnection && endedTheConnection(error);
        if (stale && tries <= this.settings.max_connections) continue;
        if (!this.oneTooMany(failure, began)) throw this.givingUpOthers(failure);
        if (tries > MAX_CONNECTING) throw this.givingUpOthers(failure);
        await delay(CONNECT_AGAIN_MS);
      }
    }
  }

  /**
   * The connection test: connects, encrypts, logs in and disconnects. Takes at most the time of the connection and of a
   * login.
   * @throws SendError with plain words; the connection is closed.
   */
  async verify(): Promise<void> {
    try {
      const { connect_ms, login_ms } = this.timeouts;
      await withTimeout(this.mailer.getTransporter().verify(), connect_ms + login_ms, 'timeout');
    } catch (error) {
      throw sendError(error, null, this.settings);
    }
  }

  /** Closes idle connections, refuses waiting mails, and resolves once every mail in flight has its outcome. */
  async close(): Promise<void> {
    this.closed = true;
    this.mailer.getTransporter().close();
    await Promise.allSettled(this.inFlight.values());
  }

  private async attempt(message: AttemptedMail): Promise<SentMail> {
    const { attempt } = message;
    const sending = this.mailer.sendMail(message);
    this.inFlight.set(attempt, sending);
    try {
      const { response } = await sending;
      this.succeededAt = performance.now();
      return { provider_id: providerId(response) };
    } catch (error) {
      attempt.failed();
      throw error;
    } finally {
      attempt.end();
      this.inFlight.delete(attempt);
    }
  }

  private judged(error: unknown, attempt: Attempt): SendError {
    // We closed the pool ourselves: not a fault of the server.
    if (this.closed && !attempt.underWay) return new SendError('retryable', 'The process is stopping');
    if (attempt.stopped === 'channel' && this.refusal !== null) return this.refusal;
    return sendError(error, attempt, this.settings);
  }

  /** This connection failed while others work: the server permits fewer at a time than we open. */
  private oneTooMany({ failure, cause, with_message }: SendError, began: number): boolean {
    return failure === 'channel' && cause === 'unreachable' && !with_message && this.succeededAt > began;
  }

  /** The channel is broken: attempts that wait for a connection fail now, without another login. */
  private givingUpOthers(failure: SendError): SendError {
    if (failure.failure !== 'channel' || failure.with_message) return failure;
    this.refusal = failure;
    for (const attempt of this.inFlight.keys()) attempt.giveUpWaiting();
    return failure;
  }

  private compose(mail: OutgoingMail) {
    const to = parseEmailAddress(mail.to);
    if (to === null) throw new SendError('permanent', 'Not a single plain e-mail address');
    const { headers, ...about } = headersOf(mail, this.from);
    const subject = subjectHeader(mail.subject);
    const { id_header } = this.settings;
    return {
      ...about,
      ...subject,
      to: { name: '', address: to },
      // Set explicitly, so that it is not parsed out of the headers again.
      envelope: { from: this.from.address, to: [to] },
      messageId: `<${usableId(mail.message_id)}@${domainOf(this.from.address)}>`,
      html: mail.html,
      text: mail.text,
      headers: {
        ...headers,
        ...('headers' in subject ? subject.headers : {}),
        ...(id_header === undefined ? {} : { [id_header]: usableId(mail.message_id) }),
      },
    };
  }
}

/** Whether the connection ended, whatever the command was; a time-out does not mean a stale one. */
function endedTheConnection(error: unknown): boolean {
  const { code, responseCode } = error as NodemailerError;
  return responseCode === 421 || code === 'ECONNECTION' || code === 'ESOCKET';
}

/** The server's own id, in the replies of Postfix and Exim, Sendmail, Microsoft 365, or Amazon SES. */
function providerId(response: unknown): string | null {
  if (typeof response !== 'string') return null;
  const found =
    /\b(?:queued as |id=)([\w.+-]{1,100})/i.exec(response) ??
    /\bOK <([^<>\s]{1,200})>/i.exec(response) ??
    /^250 Ok ([0-9a-f-]{40,100})$/.exec(response.trim());
  return found?.[1] ?? null;
}
