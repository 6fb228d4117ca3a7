import type { ChannelFault, SendFailure } from '../sender.js';

/** The step of a session that the server answered. */
export type SmtpStep =
  /** Greeting, EHLO, STARTTLS: no mail is known yet. */
  | 'session'
  | 'login'
  | 'mail'
  | 'rcpt'
  /** DATA, and the reply to the whole message. */
  | 'data';

/** What a reply means for the mail and for the channel. */
export interface Verdict {
  failure: SendFailure;
  cause?: ChannelFault;
  /** The mail itself may be the reason. */
  with_message?: boolean;
}

/** Refuses a mail of this size or content, but may accept another. RFC 3463 §3.3, §3.4. */
const ABOUT_THE_MAIL = /^[45]\.(?:2\.3|3\.4|6\.\d+)$/;
/** The server accepts no mail now: out of space, shutting down. RFC 3463 §3.4. */
const SERVER_STATUS = /^[45]\.3\.[12]$/;
/** Congestion, or an account's quota as Google and others report it. RFC 3463 §3.5. */
const QUOTA = /^[45]\.4\.5$/;
const POLICY = /^[45]\.7\.\d+$/;
/**
 * A policy reply at RCPT about the sender, not the recipient: Postfix delays its refusals of clients and senders until
 * RCPT (`smtpd_delay_reject`), Exchange and Exim refuse to relay there.
 */
const NAMES_THE_CLIENT =
  /\bclient\b|relay|log ?(?:in|ged)\b|authenticat|\bsasl\b|sender (?:address )?rejected|not owned by|send as\b|block(?:ed using|list)|blacklist|\bdnsbl\b|\brbl\b|spamhaus/i;
/** Replies to clients without a login: RFC 4954 §6, RFC 3207 §4. */
const LOGIN_CODES = new Set([530, 534, 535, 538]);
const ENCRYPTION_CODES = new Set([523]);

/**
 * Whose fault a refusal is, by RFC 5321 §4.2, RFC 3463 and RFC 5248. All mails have the same client, login and sender:
 * a fault of these is the channel's, and so is a refusal of MAIL. Replies to RCPT and DATA are about the mail, unless
 * they name one of these.
 * @param code the three digits; null if the connection ended without a reply
 * @param logged_in whether a login is configured: without one "Access denied" means that one is missing
 */
export function verdictOf(step: SmtpStep, code: number | null, reply: string, logged_in: boolean): Verdict {
  const with_message = step === 'rcpt' || step === 'data';
  const channel = (cause: ChannelFault): Verdict => ({ failure: 'channel', cause, with_message });
  if (code === null || code === 421) return channel(step === 'login' ? 'login' : 'unreachable');
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(reply)?.[1] ?? '';
  if (LOGIN_CODES.has(code)) return channel('login');
  if (ENCRYPTION_CODES.has(code)) return channel('tls');
  // A bad sequence of commands (RFC 5321 §4.2.3): a fault of the session, not the mail.
  if (code === 503) return channel('misconfigured');
  if (SERVER_STATUS.test(enhanced)) return channel('unreachable');
  if (QUOTA.test(enhanced)) return channel('quota');
  switch (step) {
    case 'session':
      return channel(POLICY.test(enhanced) || code >= 500 ? 'policy' : 'unreachable');
    case 'login':
      return channel('login');
    case 'mail':
      if (ABOUT_THE_MAIL.test(enhanced) || code === 552) return byClass(code);
      if (POLICY.test(enhanced)) return channel('policy');
      return channel(code >= 500 ? 'misconfigured' : 'unreachable');
    case 'rcpt':
      if (!POLICY.test(enhanced)) return byClass(code);
      // Remove addresses: they may contain any of these words.
      if (NAMES_THE_CLIENT.test(reply.replace(/\S+@\S+/g, ''))) return channel('policy');
      return !logged_in && /access denied/i.test(reply) ? channel('policy') : byClass(code);
    case 'data':
      return byClass(code);
  }
}

/** The mail's own refusal: 4xx temporary, 5xx permanent. */
function byClass(code: number): Verdict {
  return { failure: code >= 500 ? 'permanent' : 'retryable' };
}
