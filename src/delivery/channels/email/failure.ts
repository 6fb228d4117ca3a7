import type { NodemailerError } from 'nodemailer/lib/errors';
import { type ChannelFault, LEASE_LOST, SendError } from '../sender.js';
import type { Progress } from './attempt.js';
import type { SmtpServer } from './email.settings.js';
import { type SmtpStep, type Verdict, verdictOf } from './reply.js';
import { isWrongPort, wordsOf } from './words.js';

/**
 * Classifies a nodemailer error as the mail's or the channel's fault. Ambiguous means only: silence after the whole
 * message was written. Permanent and retryable are refusals of this mail. Everything else is the channel's fault.
 * @param progress null for the connection test
 */
export function sendError(cause: unknown, progress: Progress | null, server: SmtpServer): SendError {
  const error = cause as NodemailerError;
  if (progress?.stopped === 'lease') return new SendError('retryable', LEASE_LOST);
  const code = error.responseCode !== undefined && error.responseCode >= 400 ? error.responseCode : null;
  const words = wordsOf(error, progress, server);
  if (progress?.written && code === null)
    return failed({ failure: 'ambiguous' }, `${words}, after the whole message was written`, error);
  // Mails that nodemailer itself refuses to send.
  if ((error.code === 'EENVELOPE' || error.code === 'EMESSAGE') && error.responseCode === undefined)
    return failed({ failure: 'permanent' }, words, error);
  return failed(judge(error, code, progress, server), words, error);
}

function failed({ failure, cause, with_message }: Verdict, words: string, error: NodemailerError): SendError {
  return new SendError(failure, words, undefined, cause, with_message, codeOf(error));
}

/** The reply's code with its enhanced code (RFC 3463); else the system's or nodemailer's name of the fault. */
function codeOf({ responseCode, response = '', originalCode, code }: NodemailerError): string | null {
  const reply = /^[2-5]\d\d(?:[ -][245]\.\d{1,3}\.\d{1,3}\b)?/.exec(response)?.[0].replace('-', ' ');
  return reply ?? (responseCode === undefined ? (originalCode ?? code ?? null) : String(responseCode));
}

function judge(
  error: NodemailerError,
  code: number | null,
  progress: Progress | null,
  server: SmtpServer,
): Verdict {
  const lost = { failure: 'channel', with_message: progress?.underWay ?? false } as const;
  if (progress?.stopped === 'time') return { ...lost, cause: 'unreachable', with_message: true };
  const ofConnection = connectionFault(error);
  if (ofConnection !== null) return { ...lost, cause: ofConnection };
  // If a login was not answered, the connection is to blame, too.
  const unanswered = error.code !== 'EAUTH' || error.originalCode === 'ETIMEDOUT';
  if (code === null && unanswered) return { ...lost, cause: 'unreachable' };
  return verdictOf(stepOf(error, progress), code, error.response ?? '', server.user !== null);
}

/** A failure of the encryption; null for anything else. */
function connectionFault({
  code,
  originalCode = '',
  command,
  responseCode,
}: NodemailerError): ChannelFault | null {
  if (isWrongPort(originalCode)) return 'misconfigured';
  if (code === 'ETLS') return command === 'STARTTLS' && responseCode !== undefined ? 'misconfigured' : 'tls';
  return /CERT|SIGNATURE|^ERR_(?:SSL|TLS)|^EPROTO$/.test(originalCode) ? 'tls' : null;
}

function stepOf({ code, command = '' }: NodemailerError, progress: Progress | null): SmtpStep {
  if (code === 'EAUTH') return 'login';
  if (command === 'MAIL FROM') return 'mail';
  if (command === 'RCPT TO') return 'rcpt';
  if (command === 'DATA' || code === 'EMESSAGE') return 'data';
  // An unsolicited 421 belongs to no command.
  return progress?.underWay ? 'data' : 'session';
}
