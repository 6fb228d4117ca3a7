import { MailerModule, MailerService } from '@nestjs-modules/mailer';
import { Inject, Logger, Module, type OnModuleInit } from '@nestjs/common';
import { fileURLToPath } from 'node:url';
import { AuthModule } from '../auth/auth.module.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { TenantsModule } from '../tenants/tenants.module.js';
import { TenantEvents } from '../tenants/tenant-events.js';
import { UserEvents } from '../users/user-events.js';
import { UsersModule } from '../users/users.module.js';
import { Admission } from './admission.js';
import { EmailSender } from './channels/email/email.sender.js';
import { mailerOptions } from './channels/email/email.settings.js';
import { smtpSettings } from './channels/email/smtp-config.js';
import { DirectSending } from './direct-sending.js';
import { DeliveryJobs } from './delivery-jobs.js';
import { DeliveryQueues } from './delivery-queues.js';
import { Dispatcher } from './dispatcher.js';
import { HeldLeases } from './held-leases.js';
import { Leases } from './leases.js';
import { MailSending } from './mail-sending.js';
import { MailWorker } from './mail.worker.js';
import { OpenDeliveriesReader } from './open-deliveries.js';
import { Outbox } from './outbox.js';
import { Presence } from './presence.js';
import { ProcessingService } from './processing.js';
import { Reaper } from './reaper.js';
import { TemplateStore } from './rendering/template-store.js';

/** From what was promised to what a provider took: outbox, dispatcher, leases, channels. */
@Module({
  imports: [
    AuthModule,
    TenantsModule,
    UsersModule,
    MailerModule.forRootAsync({
      imports: [],
      inject: [CONFIG],
      useFactory: (config: Config) => mailerOptions(smtpSettings(config)),
    }),
  ],
  providers: [
    Admission,
    DirectSending,
    DeliveryJobs,
    DeliveryQueues,
    Dispatcher,
    HeldLeases,
    Leases,
    MailSending,
    MailWorker,
    OpenDeliveriesReader,
    Outbox,
    Presence,
    ProcessingService,
    Reaper,
    {
      provide: EmailSender,
      inject: [MailerService, CONFIG],
      useFactory: (mailer: MailerService, config: Config) =>
        config.smtpHost === null ? null : new EmailSender(mailer, smtpSettings(config)),
    },
    { provide: TemplateStore, useFactory: () => TemplateStore.load(TEMPLATES) },
  ],
  exports: [
    DeliveryJobs,
    DeliveryQueues,
    DirectSending,
    EmailSender,
    OpenDeliveriesReader,
    Outbox,
    Presence,
    ProcessingService,
  ],
})
export class DeliveryModule implements OnModuleInit {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly outbox: Outbox,
    private readonly tenants: TenantEvents,
    private readonly users: UserEvents,
  ) {}

  /** What decides about waiting deliveries has changed, or the one they are for is gone. */
  onModuleInit(): void {
    this.tenants.onSettingsChanged((tx) => this.outbox.reconsider(tx, null));
    this.users.onPreferencesChanged((tx, userId) => this.outbox.reconsider(tx, userId));
    this.users.onErased((tx, userId) => this.outbox.userErased(tx, userId));
    if (this.config.smtpHost === null) {
      new Logger('Mail').warn({ event: 'email_not_configured', hint: 'set SMTP_HOST to send e-mail' });
    }
  }
}

const TEMPLATES = fileURLToPath(new URL('../../templates', import.meta.url));
