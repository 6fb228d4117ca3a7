import type { NodemailerError } from 'nodemailer/lib/errors';
import { SendError } from '../sender.js';
import type { Attempt } from './attempt.js';

export const LEASE_LOST = 'lease lost before the message was sent';

/** A server's words are kept with the delivery: enough of them to understand, no more. */
const MAX_REPLY = 200;

/**
 * Replies about the session or the account, not about the mail, although they begin with 5: bad sequence
 * (RFC 5321 §4.2.3), and login or encryption missing, too weak or refused (RFC 4954 §6, RFC 3207 §4).
 */
const SESSION_REPLIES = new Set([503, 523, 530, 534, 535, 538]);

/** Codes of Node and nodemailer in plain words. */
const WORDS: Partial<Record<string, string>> = {
  ECONNREFUSED: 'The mail server refused the connection',
  EHOSTUNREACH: 'The mail server cannot be reached',
  ENETUNREACH: 'The mail server cannot be reached',
  ECONNRESET: 'The mail server closed the connection',
  EPIPE: 'The mail server closed the connection',
  DEPTH_ZERO_SELF_SIGNED_CERT: "The mail server's certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "The mail server's certificate comes from an unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "The mail server's certificate comes from an unknown authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "The mail server's certificate comes from an unknown authority",
  CERT_HAS_EXPIRED: "The mail server's certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "The mail server's certificate is for another name",
  EDNS: "The mail server's name was not found",
  ETIMEDOUT: 'The mail server did not answer in time',
  ECONNECTION: 'The mail server closed the connection',
  ESOCKET: 'The connection to the mail server broke',
  ETLS: 'No encrypted connection to the mail server',
  EPROTOCOL: 'The mail server does not speak SMTP as it should',
};

/**
 * What an error of nodemailer means for the delivery. `attempt` is null for the connection test.
 * Permanent is only a refusal of this mail (5xx to MAIL, RCPT, DATA or the message); ambiguous only silence
 * after the whole message was written; everything else may be tried again.
 */
export function sendError(cause: unknown, attempt: Attempt | null): SendError {
  const error = cause as NodemailerError;
  if (attempt?.stopped === 'lease') return new SendError('retryable', LEASE_LOST);
  const code = error.responseCode;
  const answered = code !== undefined && code >= 400;
  if (attempt?.written && !answered)
    return new SendError('ambiguous', `${words(error, attempt)}, after the whole message was written`);
  const refused = error.code === 'EENVELOPE' || error.code === 'EMESSAGE';
  const forGood = code === undefined || (code >= 500 && !SESSION_REPLIES.has(code));
  return new SendError(refused && forGood ? 'permanent' : 'retryable', words(error, attempt));
}

function words(error: NodemailerError, attempt: Attempt | null): string {
  const reply = error.response === undefined ? '' : `: ${clean(error.response)}`;
  if (attempt?.stopped === 'time') return 'The mail server took too long';
  switch (error.code) {
    // Its reply may repeat the credentials.
    case 'EAUTH':
      return `SMTP login refused${error.responseCode === undefined ? '' : ` (${error.responseCode})`}`;
    case 'ETLS':
      if (error.command === 'STARTTLS' && error.responseCode !== undefined)
        return `STARTTLS required but not offered${reply}`;
      break;
    case 'EENVELOPE':
    case 'EMESSAGE':
      if (error.responseCode === undefined) return `The mail cannot be sent: ${clean(error.message)}`;
      if (error.responseCode === 530) return `The mail server wants a login or STARTTLS first${reply}`;
      return `The mail server refused the ${error.command === 'MAIL FROM' ? 'sender' : error.command === 'RCPT TO' ? 'recipient' : 'message'}${reply}`;
  }
  const known = WORDS[error.originalCode ?? ''] ?? WORDS[error.code ?? ''];
  return known === undefined ? `The mail was not sent: ${clean(error.message)}` : known + reply;
}

/** One line, no control characters. */
function clean(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_REPLY);
}
