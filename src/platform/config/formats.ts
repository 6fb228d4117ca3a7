import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parseEmailAddress } from '../addresses/email-address.js';
import { parsePhoneNumber } from '../addresses/phone-number.js';
import { type Format, url } from './variables.js';

export const EMAIL_ADDRESS: Format = {
  type: 'e-mail address',
  check: (text) => {
    if (/@localhost$/i.test(text))
      throw new Error('must not end with @localhost: other servers reject such a sender');
    if (parseEmailAddress(text) === null)
      throw new Error('must be one plain e-mail address, such as vigie@example.com');
  },
};

/** The sender of a text message: a number, or a sender id (3GPP TS 23.040 §9.1.2.5: up to 11 characters). */
export const PHONE_OR_SENDER_ID: Format = {
  type: 'telephone number or sender id',
  check: (text) => {
    const isSenderId = /^[A-Za-z0-9 _-]{1,11}$/.test(text) && /[A-Za-z]/.test(text);
    if (isSenderId || parsePhoneNumber(text) !== null) return;
    throw new Error('must be a number with its country code (+33612345678), or up to 11 letters and digits');
  },
};

/** The address of a web server, to which paths are appended. */
export const BASE_URL: Format = {
  type: url('http', 'https').type,
  check: (text) => {
    url('http', 'https').check(text);
    const { username, password } = new URL(text);
    if (username !== '' || password !== '') throw new Error('must not contain a user name or password');
    if (/[?#]/.test(text)) throw new Error('must not contain ? or #: paths are appended to it');
  },
};

/** libpq takes several hosts in one URL, and finds the primary among them; the driver takes one. */
export const POSTGRES_URL: Format = {
  type: url('postgres', 'postgresql').type,
  check: (text) => {
    const [, authority = ''] = /^[a-z]+:\/\/([^/?#]*)/.exec(text) ?? [];
    if (authority.slice(authority.lastIndexOf('@') + 1).includes(','))
      throw new Error(
        'must name one host, which leads to the primary (docs/scaling.md, "PostgreSQL standby"), not several',
      );
    url('postgres', 'postgresql').check(text);
  },
};

/** A name of RFC 1123 §2.1 or an IP address, without scheme and port. */
export const HOST_NAME: Format = {
  type: 'host name or IP address',
  check: (text) => {
    if (isIP(text) !== 0) return;
    if (text.includes('://')) throw new Error('must be a host name without smtp:// or another scheme');
    if (/:\d+$/.test(text)) throw new Error('must be a host name without a port: set SMTP_PORT');
    if (!HOST.test(text)) throw new Error('must be a host name or an IP address');
  },
};

/** The RFC forbids underscores, but container names have them. */
const HOST = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*\.?$/i;

/** The name announced in EHLO (RFC 5321 §4.1.3): a host name, or an address in brackets. */
export const EHLO_NAME: Format = {
  type: 'host name, or IP address in brackets',
  check: (text) => {
    const literal = /^\[(?:IPv6:)?([^\]]+)\]$/i.exec(text)?.[1];
    if (literal === undefined ? HOST.test(text) && isIP(text) === 0 : isIP(literal) !== 0) return;
    throw new Error('must be a host name, or an IP address in brackets such as [192.0.2.1]');
  },
};

/** The path of a PEM file of certificates. */
export const CERTIFICATES: Format = {
  type: 'path of a PEM file',
  check: (path) => {
    readCertificates(path);
  },
};

/**
 * The certificates of a PEM file, as text.
 * @throws Error with a plain sentence if it cannot be read or contains none.
 */
export function readCertificates(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new Error(`names a file that cannot be read: ${path}`);
  }
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length === 0) throw new Error('no certificate');
    for (const block of blocks) new X509Certificate(block);
  } catch {
    throw new Error(`names a file without valid PEM certificates: ${path}`);
  }
  return text;
}

/** Whether this name refers to the machine itself (RFC 6761 §6.3, RFC 1122 §3.2.1.3, RFC 4291 §2.5.3). */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$|\.$/g, '');
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    (isIP(name) === 4 && name.startsWith('127.'))
  );
}
