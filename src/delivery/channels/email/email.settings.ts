import type { MailerOptions } from '@nestjs-modules/mailer';

/** One SMTP account. `starttls` and `tls` both false means plain text, for a server on the same machine. */
export interface SmtpSettings {
  host: string;
  port: number;
  /** Null where the server asks for no login. */
  user: string | null;
  password: string | null;
  from_email: string;
  from_name: string;
  /** STARTTLS is required: without it nothing is sent, neither the password nor a mail. */
  starttls: boolean;
  /** TLS from the first byte (port 465). It wins over `starttls`. */
  tls: boolean;
  max_connections: number;
  /** Certificate authorities to trust instead of the system's, PEM. Certificates are always verified. */
  ca?: string;
}

/** Waits in ms. Only tests take others than the default. */
export interface SmtpTimeouts {
  /** Name look-up, connection, greeting and STARTTLS together. */
  connect_ms: number;
  greeting_ms: number;
  /** Silence on an open connection, the wait for a reply included. */
  socket_ms: number;
  /** A whole send, its wait for a free connection included: a server that trickles is never silent. */
  send_ms: number;
}

/**
 * RFC 5321 §4.5.3.2 would wait up to 10 min for the reply to a message; that keeps a lease far too long. A
 * reply later than a minute makes the send ambiguous, which is dealt with.
 */
export const SMTP_TIMEOUTS: SmtpTimeouts = {
  connect_ms: 10_000,
  greeting_ms: 10_000,
  socket_ms: 60_000,
  send_ms: 90_000,
};

/** Mails on one connection before it is renewed. Renewing costs the pool 100 ms and a login. */
const MAX_MESSAGES = 500;
/** Below what servers grant idle clients (RFC 5321: 5 min, in practice from 60 s): we close, not they. */
const IDLE_MS = 30_000;

/** What MailerModule needs to make the pooled SMTP transport. Opens no connection. */
export function mailerOptions(settings: SmtpSettings, timeouts = SMTP_TIMEOUTS): MailerOptions {
  return {
    transport: {
      pool: true,
      host: settings.host,
      port: settings.port,
      secure: settings.tls,
      requireTLS: settings.starttls && !settings.tls,
      ignoreTLS: !settings.starttls,
      tls: { minVersion: 'TLSv1.2', ...(settings.ca === undefined ? {} : { ca: settings.ca }) },
      ...(settings.user === null ? {} : { auth: { user: settings.user, pass: settings.password ?? '' } }),
      // A login that is configured is never left out, even where the server does not offer it.
      forceAuth: settings.user !== null,
      maxConnections: settings.max_connections,
      maxMessages: MAX_MESSAGES,
      // The pool would send again by itself what may have been accepted.
      maxRequeues: 0,
      idleTimeout: IDLE_MS,
      connectionTimeout: timeouts.connect_ms,
      greetingTimeout: timeouts.greeting_ms,
      dnsTimeout: timeouts.connect_ms,
      socketTimeout: timeouts.socket_ms,
      disableFileAccess: true,
      disableUrlAccess: true,
      // Its log would hold addresses and contents.
      logger: false,
      debug: false,
    },
  };
}
