import { MailerModule, MailerService } from '@nestjs-modules/mailer';
import { Test } from '@nestjs/testing';
import { SendError, type SendLease } from '../sender.js';
import { EmailSender, type OutgoingMail } from './email.sender.js';
import { mailerOptions, type SmtpSettings, type SmtpTimeouts, smtpTimeouts } from './email.settings.js';

/** Short, to notice silence soon; `send_ms` is long enough for everything except a trickle. */
export const QUICK: SmtpTimeouts = {
  connect_ms: 1500,
  greeting_ms: 1500,
  login_ms: 1000,
  socket_ms: 1000,
  send_ms: 3000,
};

export interface TestSender {
  sender: EmailSender;
  mailer: MailerService;
  settings: SmtpSettings;
}

const open: (() => Promise<unknown>)[] = [];

/** Closes it after the test, the last one first. */
export function closing<T extends { close: () => Promise<unknown> }>(thing: T): T {
  open.push(() => thing.close());
  return thing;
}

/** For `afterEach`. */
export async function closeAll(): Promise<void> {
  for (let close = open.pop(); close !== undefined; close = open.pop()) await close();
}

/** A sender configured like the application's: MailerModule.forRootAsync with `mailerOptions`. */
export async function testSender(
  port: number,
  changes: Partial<SmtpSettings> = {},
  timeouts: SmtpTimeouts = smtpTimeouts(10_000),
): Promise<TestSender> {
  const settings: SmtpSettings = {
    host: '127.0.0.1',
    port,
    user: null,
    password: null,
    from_email: 'vigie@cabinet.example',
    from_name: 'Vigie',
    starttls: false,
    tls: false,
    plaintext_login: false,
    max_connections: 4,
    ...changes,
  };
  const module = await Test.createTestingModule({
    imports: [
      MailerModule.forRootAsync({ imports: [], useFactory: () => mailerOptions(settings, timeouts) }),
    ],
  }).compile();
  closing(module);
  const mailer = module.get(MailerService, { strict: false });
  return {
    mailer,
    settings,
    sender: new EmailSender(mailer, settings, timeouts),
  };
}

export function mailTo(to: string, changes: Partial<OutgoingMail> = {}): OutgoingMail {
  return {
    message_id: `d-${to.replace(/\W/g, '-')}`,
    to,
    subject: 'Échéance TVA CA3',
    html: '<p>Déclaration à déposer le 24.</p>',
    text: 'Déclaration à déposer le 24.',
    author: null,
    thread_id: null,
    list: null,
    unsubscribe_url: null,
    ...changes,
  };
}

/** A lease that the test controls. */
export class TestLease implements SendLease {
  private readonly controller = new AbortController();
  private valid = true;
  readonly signal = this.controller.signal;

  isValid(): boolean {
    return this.valid;
  }

  /** Expires it without a signal. */
  expire(): void {
    this.valid = false;
  }

  /** Aborts its signal, as for a lost lease. */
  lose(): void {
    this.valid = false;
    this.controller.abort();
  }
}

/** `sent`, or the failure, with its cause if the channel is to blame. */
export async function outcome(sending: Promise<unknown>): Promise<string> {
  try {
    await sending;
    return 'sent';
  } catch (error) {
    if (error instanceof SendError)
      return error.cause === undefined ? error.failure : `${error.failure} ${error.cause}`;
    throw error;
  }
}

/** The SendError's message. */
export async function reason(sending: Promise<unknown>): Promise<string> {
  try {
    await sending;
  } catch (error) {
    if (error instanceof SendError) return error.message;
    throw error;
  }
  throw new Error('It was sent');
}
