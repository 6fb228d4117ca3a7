import { encodeWord } from 'nodemailer/lib/mime-funcs';
import { domainOf } from '../../../platform/addresses/email-address.js';
import { SendError } from '../sender.js';
import { parseUrl } from '../../../platform/text/url.js';

/** A person who wrote the mail's text. */
export interface MailAuthor {
  name: string;
  /** Null if the author has no address for replies. */
  email: string | null;
}

/** The fields that determine the headers of a mail. */
export interface MailHeaders {
  /** Null for Vigie's own messages. */
  author: MailAuthor | null;
  /** The fact that the mail is about: mails about the same fact form one conversation. */
  thread_id: string | null;
  /** The mailing list of these notifications. */
  list: { id: string; name: string } | null;
  /** URL whose POST unsubscribes at once (RFC 8058); null if these mails cannot be turned off. */
  unsubscribe_url: string | null;
}

/**
 * A colleague's message is not automatic: it has the author's name, replies go to the author, and an absence note may
 * come back (RFC 3834 §5). All other mails are marked as automatic.
 */
export function headersOf(mail: MailHeaders, sender: { name: string; address: string }) {
  const { author, thread_id, list } = mail;
  const domain = domainOf(sender.address);
  return {
    from: author === null ? sender : { ...sender, name: displayName(`${author.name} via ${sender.name}`) },
    ...(author?.email ? { replyTo: { name: displayName(author.name), address: author.email } } : {}),
    // A root that nobody received: every stage of the fact refers to it, whichever of them a person got.
    ...(thread_id === null ? {} : { references: [`<${usableId(thread_id)}.fact@${domain}>`] }),
    // RFC 2919 §2.
    ...(list === null || author !== null
      ? {}
      : { list: { id: { url: `${usableId(list.id)}.vigie.${domain}`, comment: displayName(list.name) } } }),
    headers: {
      ...(author === null
        ? {
            'Auto-Submitted': 'auto-generated',
            // [MS-OXCMAIL] 2.2.3.2.14: no absence notes, no read and delivery receipts; bounces still arrive.
            'X-Auto-Response-Suppress': 'DR, RN, NRN, OOF, AutoReply',
          }
        : {}),
      ...unsubscribeHeaders(mail.unsubscribe_url),
    },
  };
}

/** @throws SendError permanent if it is not valid in a message id. */
export function usableId(id: string): string {
  if (!/^[\w.-]{1,100}$/.test(id)) throw new SendError('permanent', 'The delivery has no usable id');
  return id;
}

/**
 * The subject for a message. Mail readers decode an encoded word (RFC 2047) even if it is meant literally, and the
 * result may look like a header: such a subject is encoded as a whole.
 */
export function subjectHeader(
  subject: string,
): { subject: string } | { headers: { Subject: PreparedHeader } } {
  const line = oneLine(subject);
  if (!line.includes('=?')) return { subject: line };
  return { headers: { Subject: { prepared: true, foldLines: true, value: encodeWord(line, 'B', 52) } } };
}

interface PreparedHeader {
  prepared: true;
  foldLines: boolean;
  value: string;
}

/** A name for an address; readers would decode an apparent encoded word, even between quotes. */
export function displayName(name: string): string {
  return oneLine(name).replace(/=\?/g, '= ?');
}

/**
 * One line without control characters and without characters that change the text direction (UAX #9). The non-breaking
 * spaces of French (U+00A0, U+202F) stay: "3 échéances : TVA" must not break before the colon.
 */
export function oneLine(text: string): string {
  return text
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, '')
    .replace(/(?:\p{Cc}|(?![\u00a0\u202f])\s)+/gu, ' ')
    .trim();
}

/** RFC 2369 §3.2; one click (RFC 8058 §3.1) only over https, so not for a trial server without TLS. */
function unsubscribeHeaders(url: string | null): Record<string, string | PreparedHeader> {
  if (url === null) return {};
  const parsed = parseUrl(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new SendError('permanent', 'The unsubscribe address is not a web address');
  // URL encodes line breaks, blanks and angle brackets as %XX.
  // In one line: folded after its name, it breaks DKIM signatures of some servers (nodemailer/nodemailer#1654), and
  // RFC 8058 needs it signed.
  const header = {
    'List-Unsubscribe': { prepared: true, foldLines: false, value: `<${parsed.href}>` } as const,
  };
  return parsed.protocol === 'https:'
    ? { ...header, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }
    : header;
}
