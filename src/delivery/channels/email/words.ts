import type { NodemailerError } from 'nodemailer/lib/errors';
import type { Progress } from './attempt.js';
import type { SmtpServer } from './email.settings.js';
import { NO_LOGIN_OFFERED } from './login.js';

/** Longest server reply that is stored with a delivery, in characters. */
const MAX_REPLY = 200;

const CA_HINT = 'set SMTP_CA_FILE to the PEM file of its authority';
const UNKNOWN_AUTHORITY = `The mail server's certificate is from an unknown authority: ${CA_HINT}`;

/** Codes of Node and nodemailer in plain words. */
const WORDS: Partial<Record<string, string>> = {
  ECONNREFUSED: 'The mail server refused the connection',
  EHOSTUNREACH: 'The mail server cannot be reached',
  ENETUNREACH: 'The mail server cannot be reached',
  ECONNRESET: 'The mail server closed the connection',
  EPIPE: 'The mail server closed the connection',
  DEPTH_ZERO_SELF_SIGNED_CERT: `The mail server's certificate is self-signed: ${CA_HINT}, or to the certificate itself`,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: "The mail server's certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "The mail server's certificate is for another name: set SMTP_HOST to a name in the certificate",
  EDNS: "The mail server's name was not found",
  ETIMEDOUT: 'The mail server did not answer in time',
  ECONNECTION: 'The mail server closed the connection',
  ESOCKET: 'The connection to the mail server broke',
  ETLS: 'No encrypted connection to the mail server',
  EPROTOCOL: 'The mail server does not speak SMTP',
};

/**
 * Describes a failure for people, without secrets, and names the setting to change if it is known.
 * @param progress null for the connection test
 */
export function wordsOf(error: NodemailerError, progress: Progress | null, server: SmtpServer): string {
  const reply = error.response === undefined ? '' : `: ${clean(error.response)}`;
  if (progress?.stopped === 'time') return 'The mail server took too long';
  const { code = '', originalCode = '', responseCode } = error;
  if (isWrongPort(originalCode))
    return `Port ${server.port} of the mail server does not use implicit TLS: unset SMTP_SSL, which is for port 465`;
  switch (code) {
    case 'EAUTH':
      return loginWords(error);
    case 'ETLS':
      if (error.command === 'STARTTLS' && responseCode !== undefined) return starttlsWords(server) + reply;
      break;
    case 'EENVELOPE':
    case 'EMESSAGE':
      if (responseCode === undefined) return `The mail cannot be sent: ${clean(error.message)}`;
      if (responseCode === 530) return `The mail server requires a login or STARTTLS first${reply}`;
      return `The mail server refused the ${subjectOf(error.command)}${reply}`;
    case 'ETIMEDOUT':
    case 'ECONNECTION': {
      const hint = progress?.underWay ? null : greetingWords(error, server);
      if (hint !== null) return hint;
    }
  }
  const known = WORDS[originalCode] ?? WORDS[code];
  return known === undefined ? `The mail was not sent: ${clean(error.message)}` : known + reply;
}

/** OpenSSL's codes for a peer that did not answer in TLS. */
export function isWrongPort(originalCode: string): boolean {
  return /^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNEXPECTED_MESSAGE)$/.test(originalCode);
}

function loginWords({ responseCode, originalCode }: NodemailerError): string {
  if (originalCode === NO_LOGIN_OFFERED)
    return 'The mail server offers no login: unset SMTP_USER and SMTP_PASSWORD, or use its port for submission (587 or 465)';
  if (originalCode === 'ETIMEDOUT') return 'The mail server did not answer the login in time';
  // The reply may repeat the credentials.
  return `SMTP login refused${responseCode === undefined ? '' : ` (${responseCode})`}`;
}

function starttlsWords({ starttls }: SmtpServer): string {
  return starttls
    ? 'STARTTLS required but not offered'
    : 'The login would be sent unencrypted, because the mail server offers no STARTTLS: SMTP_ALLOW_PLAINTEXT_LOGIN=true allows that on a trusted network';
}

/** Connected, but no greeting: the other side expects TLS, or waits for something else. */
function greetingWords({ timeoutType, response }: NodemailerError, { port, tls }: SmtpServer): string | null {
  if (port === 465 && !tls && response === undefined)
    return 'No greeting from port 465, which uses implicit TLS: set SMTP_SSL=true';
  if (timeoutType !== 'GREETING_TIMEOUT') return null;
  const why = tls ? '' : 'SMTP_SSL=true if this port uses implicit TLS, or ';
  return `The mail server sent no greeting in time: set ${why}a longer SMTP_GREETING_TIMEOUT_SECONDS if it delays on purpose`;
}

function subjectOf(command: string | undefined): string {
  if (command === 'MAIL FROM') return 'sender';
  return command === 'RCPT TO' ? 'recipient' : 'message';
}

/** One line, no control characters. */
function clean(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_REPLY);
}
