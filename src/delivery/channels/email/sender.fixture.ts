import { MailerModule, MailerService } from '@nestjs-modules/mailer';
import { Test } from '@nestjs/testing';
import { closing } from '../sending.fixture.js';
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
