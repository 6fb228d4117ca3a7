import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import PostalMime, { decodeWords } from 'postal-mime';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { CaughtMailFolder } from '../../ops/caught-mails/caught-mail-folder.js';

/** A mail as it arrived. */
export interface CaughtMail {
  /** With its angle brackets; empty if the mail has none. */
  message_id: string;
  /** From the envelope, the domain in Unicode. */
  from: string;
  /** From the envelope, the domains in Unicode. */
  to: string[];
  subject: string;
  html: string;
  text: string;
  /** Names in lower case, values decoded (RFC 2047); a repeated header has its values joined by ", ". */
  headers: ReadonlyMap<string, string>;
  received_at: Date;
}

export interface MailCatcherOptions {
  /** 0, the default, uses a free one. */
  port?: number;
  host?: '127.0.0.1';
  /** Offers STARTTLS: with this key and certificate (PEM), or `true` with an untrusted one. */
  starttls?: boolean | { key: string; cert: string };
  /** Requires this login; without it any login is accepted and none is needed. */
  login?: { user: string; password: string };
  /** Called with each mail. */
  onMail?: (mail: CaughtMail) => void;
  /** Mails to keep in memory; the oldest of more are dropped. */
  keep?: number;
  /** Folder that keeps the mails, too; null: none. */
  folder?: string | null;
}

export interface MailCatcher {
  readonly port: number;
  /** The latest, oldest first. */
  readonly mails: readonly CaughtMail[];
  /** All mails that arrived, including dropped ones. */
  readonly count: number;
  /**
   * Waits until this many mails have arrived in total, or one that matches; earlier ones count.
   * @throws Error after `timeout_ms` (10 s) or when the catcher is closed.
   */
  waitFor(count: number, timeout_ms?: number): Promise<readonly CaughtMail[]>;
  waitFor(fits: (mail: CaughtMail) => boolean, timeout_ms?: number): Promise<CaughtMail>;
  close(): Promise<void>;
}

const KEEP = 20_000;
const WAIT_MS = 10_000;
const MAX_MAIL_BYTES = 25 * 1024 * 1024;

interface Waiter {
  /** Called after each mail; true when it is done. */
  look: () => boolean;
  fail: (error: Error) => void;
}

/** An SMTP server on loopback that keeps mails and delivers none. */
export async function startMailCatcher(options: MailCatcherOptions = {}): Promise<MailCatcher> {
  const { port = 0, host = '127.0.0.1', starttls = false, login, keep = KEEP, onMail } = options;
  const folder = options.folder == null ? null : new CaughtMailFolder(options.folder);
  const mails: CaughtMail[] = [];
  const waiters = new Set<Waiter>();
  let count = 0;

  async function take(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    const mail = await parse(await buffer(stream), session);
    await folder?.keep({ ...mail, headers: Object.fromEntries(mail.headers) });
    count += 1;
    mails.push(mail);
    onMail?.(mail);
    // Trims the list now and then: shifting at every mail would copy it each time.
    if (mails.length >= keep * 1.1 + 1) mails.splice(0, mails.length - keep);
    for (const waiter of waiters) if (waiter.look()) waiters.delete(waiter);
  }

  const server = new SMTPServer({
    size: MAX_MAIL_BYTES,
    authOptional: login === undefined,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    disabledCommands: starttls === false ? ['STARTTLS'] : [],
    ...(typeof starttls === 'object' ? starttls : {}),
    closeTimeout: 1000,
    onAuth: (auth, _session, callback) => {
      const known = login === undefined || (auth.username === login.user && auth.password === login.password);
      callback(known ? null : new Error('Unknown user or password'), { user: auth.username });
    },
    onData: (stream, session, callback) => {
      take(stream, session).then(
        () => callback(null, 'Ok: caught'),
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
      );
    },
  });
  // A client that disconnects is not an error of the catcher.
  server.on('error', () => undefined);
  const listening = server.listen(port, host);
  await once(listening, 'listening');

  function waitFor(what: number | ((mail: CaughtMail) => boolean), timeout_ms = WAIT_MS) {
    const found = () =>
      typeof what === 'function' ? mails.find(what) : count >= what ? [...mails] : undefined;
    return new Promise<CaughtMail | CaughtMail[]>((resolve, reject) => {
      const timer = setTimeout(() => {
        waiters.delete(waiter);
        reject(new Error(`the expected mail did not arrive within ${timeout_ms} ms; ${count} mails arrived`));
      }, timeout_ms);
      const waiter: Waiter = {
        look: () => {
          const value = found();
          if (value === undefined) return false;
          clearTimeout(timer);
          resolve(value);
          return true;
        },
        fail: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      if (!waiter.look()) waiters.add(waiter);
    });
  }

  return {
    port: (listening.address() as AddressInfo).port,
    get mails() {
      return mails.slice(-keep);
    },
    get count() {
      return count;
    },
    waitFor: waitFor as MailCatcher['waitFor'],
    close: () =>
      new Promise<void>((resolve) => {
        for (const waiter of waiters) waiter.fail(new Error('The mail catcher was closed'));
        waiters.clear();
        server.close(resolve);
      }),
  };
}

async function parse(raw: Buffer, session: SMTPServerSession): Promise<CaughtMail> {
  const email = await PostalMime.parse(raw);
  const headers = new Map<string, string>();
  for (const { key, value: encoded } of email.headers) {
    const value = decodeWords(encoded);
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  return {
    message_id: email.messageId ?? '',
    from: session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address,
    to: session.envelope.rcptTo.map(({ address }) => address),
    subject: email.subject ?? '',
    html: email.html ?? '',
    text: email.text ?? '',
    headers,
    received_at: new Date(),
  };
}
