import type { Config } from '../../../platform/config/config.js';
import { readCertificates } from '../../../platform/config/formats.js';
import { POSTMARK_ID_HEADER } from '../../provider-events/providers/postmark.js';
import { type SmtpSettings, type SmtpTimeouts, smtpTimeouts } from './email.settings.js';

/** The SMTP account of this installation. */
export function smtpSettings(config: Config): SmtpSettings {
  return {
    host: config.smtpHost ?? 'localhost',
    port: config.smtpPort,
    user: config.smtpUser,
    password: config.smtpPassword,
    // Without SMTP_HOST there is no sender, and no address is needed.
    from_email: config.smtpFromEmail ?? config.smtpUser ?? '',
    from_name: config.smtpFromName,
    starttls: config.smtpTls,
    tls: config.smtpSsl,
    plaintext_login: config.smtpAllowPlaintextLogin,
    max_connections: config.mailConcurrency,
    ...(config.smtpCaFile === null ? {} : { ca: readCertificates(config.smtpCaFile) }),
    ...(config.smtpEhloName === null ? {} : { ehlo_name: config.smtpEhloName }),
    ...(config.hooksPostmarkToken === null ? {} : { id_header: POSTMARK_ID_HEADER }),
  };
}

export function configuredTimeouts(config: Config): SmtpTimeouts {
  return smtpTimeouts(config.smtpGreetingTimeoutSeconds * 1_000);
}
