import type { Config } from '../../../platform/config/config.js';
import type { SmtpSettings } from './email.settings.js';

/** The SMTP account of this installation. */
export function smtpSettings(config: Config): SmtpSettings {
  return {
    host: config.smtpHost ?? 'localhost',
    port: config.smtpPort,
    user: config.smtpUser,
    password: config.smtpPassword,
    from_email: config.smtpFromEmail ?? config.smtpUser ?? 'vigie@localhost',
    from_name: config.smtpFromName,
    starttls: config.smtpTls,
    tls: config.smtpSsl,
    max_connections: config.mailConcurrency,
  };
}
