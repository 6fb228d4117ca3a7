import type { MailerOptions } from '@nestjs-modules/mailer';
import { isLoopback } from '../../../platform/config/formats.js';
import { gatedLogins, LoginGate } from './login.js';

/** One SMTP account. `starttls` and `tls` both false: STARTTLS if the server offers it, else plain text. */
export interface SmtpSettings {
  host: string;
  port: number;
  /** Null if the server needs no login. */
  user: string | null;
  password: string | null;
  from_email: string;
  from_name: string;
  /** STARTTLS is required: without it neither the password nor a mail is sent. */
  starttls: boolean;
  /** TLS from the first byte (port 465). Overrides `starttls`. */
  tls: boolean;
  /** The login may be sent unencrypted, even to another machine. */
  plaintext_login: boolean;
  max_connections: number;
  /** Certificate authorities to trust instead of the system's, PEM. */
  ca?: string;
  /** The name for EHLO; the machine's own name by default. */
  ehlo_name?: string;
  /** A header with the id of the message, for a provider that replaces the Message-ID and returns this one. */
  id_header?: string;
}

/** The server's settings that failure messages mention. */
export type SmtpServer = Pick<SmtpSettings, 'host' | 'port' | 'user' | 'starttls' | 'tls'>;

/** Waits in ms. */
export interface SmtpTimeouts {
  /** Name look-up, connection, greeting and STARTTLS together. */
  connect_ms: number;
  greeting_ms: number;
  /** The exchange of one login. */
  login_ms: number;
  /** Silence on an open connection, including the wait for a reply. */
  socket_ms: number;
  /** A whole send, including its wait for a free connection: a server that trickles is never silent. */
  send_ms: number;
}

/**
 * RFC 5321 §4.5.3.2 would wait up to 10 min for the reply to a message; that is far too long for a lease. A reply after
 * more than a minute makes the send ambiguous, which is handled.
 * @param greeting_ms how long the server may take to greet
 */
export function smtpTimeouts(greeting_ms: number): SmtpTimeouts {
  const connect_ms = greeting_ms + 10_000;
  return { connect_ms, greeting_ms, login_ms: 15_000, socket_ms: 60_000, send_ms: connect_ms + 80_000 };
}

/** Mails per connection before it is renewed. Renewing costs the pool 100 ms and a login. */
const MAX_MESSAGES = 500;
/** Shorter than servers keep idle clients (RFC 5321: 5 min, in practice from 60 s), so that we close, not they. */
const IDLE_MS = 30_000;

/**
 * The options of MailerModule for the pooled SMTP transport. Opens no connection.
 *
 * A login is never sent unencrypted unless the server is this machine or the setting permits it: otherwise STARTTLS is
 * required. If plain text would be permitted, the certificate need not be valid (RFC 7435): encryption to an unverified
 * server is still better than none.
 */
export function mailerOptions(settings: SmtpSettings, timeouts: SmtpTimeouts): MailerOptions {
  const { user, password, ca, ehlo_name } = settings;
  const secretLogin = user !== null && !settings.plaintext_login && !isLoopback(settings.host);
  const encrypted = settings.starttls || secretLogin;
  return {
    transport: {
      pool: true,
      host: settings.host,
      port: settings.port,
      secure: settings.tls,
      requireTLS: encrypted && !settings.tls,
      tls: {
        minVersion: 'TLSv1.2',
        rejectUnauthorized: encrypted || settings.tls,
        ...(ca === undefined ? {} : { ca }),
      },
      ...(ehlo_name === undefined ? {} : { name: ehlo_name }),
      ...(user === null ? {} : { auth: { user, pass: password ?? '' } }),
      customAuth: gatedLogins(new LoginGate(timeouts.login_ms)),
      // Never skip a configured login, even if the server does not offer one.
      forceAuth: user !== null,
      maxConnections: settings.max_connections,
      maxMessages: MAX_MESSAGES,
      // The pool would re-send messages that may have been accepted.
      maxRequeues: 0,
      idleTimeout: IDLE_MS,
      connectionTimeout: timeouts.connect_ms,
      greetingTimeout: timeouts.greeting_ms,
      dnsTimeout: timeouts.connect_ms,
      socketTimeout: timeouts.socket_ms,
      disableFileAccess: true,
      disableUrlAccess: true,
      // Its log would contain addresses and contents.
      logger: false,
      debug: false,
    },
  };
}
