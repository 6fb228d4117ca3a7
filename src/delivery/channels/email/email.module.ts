import { MailerModule, MailerService } from '@nestjs-modules/mailer';
import { Module } from '@nestjs/common';
import { AlertLinks } from '../../../auth/alert-links.js';
import { UnsubscribeLinks } from '../../../auth/unsubscribe-links.js';
import { AuthModule } from '../../../auth/auth.module.js';
import { PasswordLinks } from '../../../auth/password/password-links.js';
import { CONFIG, type Config } from '../../../platform/config/config.js';
import { Clock } from '../../../platform/clock/clock.js';
import { Wording } from '../../../wording/wording.js';
import { WordingModule } from '../../../wording/wording.module.js';
import { EmailChannel } from './email.channel.js';
import { EmailSender } from './email.sender.js';
import { mailerOptions } from './email.settings.js';
import { configuredTimeouts, smtpSettings } from './smtp-config.js';

/** Mails by SMTP; without SMTP_HOST the channel is null. */
@Module({
  imports: [
    AuthModule,
    WordingModule,
    MailerModule.forRootAsync({
      imports: [],
      inject: [CONFIG],
      useFactory: (config: Config) => mailerOptions(smtpSettings(config), configuredTimeouts(config)),
    }),
  ],
  providers: [
    {
      provide: EmailChannel,
      inject: [CONFIG, MailerService, Wording, PasswordLinks, AlertLinks, UnsubscribeLinks, Clock],
      useFactory: (
        config: Config,
        mailer: MailerService,
        wording: Wording,
        links: PasswordLinks,
        alertLinks: AlertLinks,
        unsubscribeLinks: UnsubscribeLinks,
        clock: Clock,
      ) =>
        config.smtpHost === null
          ? null
          : new EmailChannel(
              new EmailSender(mailer, smtpSettings(config), configuredTimeouts(config)),
              wording,
              links,
              alertLinks,
              unsubscribeLinks,
              clock,
            ),
    },
  ],
  exports: [EmailChannel],
})
export class EmailModule {}
