import { CERTIFICATES, EHLO_NAME, EMAIL_ADDRESS, HOST_NAME } from './formats.js';
import { integerVariable, optionalVariable, switchVariable, textVariable } from './variables.js';

/** The settings of the mail server and the sender: a part of SCHEMA. */
export const MAIL_SETTINGS = {
  emailEnabled: switchVariable({
    env: 'EMAIL_ENABLED',
    yaml: 'email.enabled',
    default: true,
    doc: 'Off: e-mails wait and none is sent.',
  }),
  smtpHost: optionalVariable({
    env: 'SMTP_HOST',
    yaml: 'email.smtp.host',
    aliases: ['EMAIL_HOST'],
    check: HOST_NAME,
    doc: 'Mail server. Unset: no e-mail is sent; each is recorded as suppressed (channel_not_configured).',
  }),
  smtpPort: integerVariable({
    env: 'SMTP_PORT',
    yaml: 'email.smtp.port',
    aliases: ['EMAIL_PORT'],
    default: 587,
    min: 1,
    max: 65_535,
    doc: 'Port of the mail server.',
  }),
  smtpUser: optionalVariable({
    env: 'SMTP_USER',
    yaml: 'email.smtp.user',
    aliases: ['SMTP_USERNAME', 'EMAIL_USERNAME'],
    doc: 'User name for the mail server.',
  }),
  smtpPassword: optionalVariable({
    env: 'SMTP_PASSWORD',
    yaml: 'email.smtp.password',
    aliases: ['EMAIL_PASSWORD'],
    secret: true,
    doc: 'Password for the mail server (for Gmail, an app password).',
  }),
  smtpFromEmail: optionalVariable({
    env: 'SMTP_FROM_EMAIL',
    yaml: 'email.from.address',
    aliases: ['EMAIL_SENDER'],
    check: EMAIL_ADDRESS,
    doc: "Sender's address. Unset: SMTP_USER, if that is an address.",
  }),
  smtpFromName: textVariable({
    env: 'SMTP_FROM_NAME',
    yaml: 'email.from.name',
    default: 'Vigie',
    doc: "Sender's name.",
  }),
  smtpTls: switchVariable({
    env: 'SMTP_TLS',
    yaml: 'email.smtp.starttls',
    default: true,
    doc: 'Require STARTTLS: without it nothing is sent, not even the login. Off: STARTTLS is used if the server offers it.',
  }),
  smtpSsl: switchVariable({
    env: 'SMTP_SSL',
    yaml: 'email.smtp.tls',
    default: false,
    doc: 'Implicit TLS (port 465). SMTP_TLS is then ignored.',
  }),
  smtpCaFile: optionalVariable({
    env: 'SMTP_CA_FILE',
    yaml: 'email.smtp.ca_file',
    check: CERTIFICATES,
    doc: "PEM file of the certificate authorities for the mail server, such as a firm's own. They replace the system's authorities for this connection.",
  }),
  smtpAllowPlaintextLogin: switchVariable({
    env: 'SMTP_ALLOW_PLAINTEXT_LOGIN',
    yaml: 'email.smtp.allow_plaintext_login',
    default: false,
    doc: 'Allow unencrypted SMTP_USER and SMTP_PASSWORD to another machine, with SMTP_TLS=false and a server that offers no STARTTLS.',
  }),
  smtpEhloName: optionalVariable({
    env: 'SMTP_EHLO_NAME',
    yaml: 'email.smtp.ehlo_name',
    check: EHLO_NAME,
    doc: 'Name of this server in EHLO. Unset: the host name of the machine if it contains a dot, else [127.0.0.1], which some servers reject.',
  }),
  smtpGreetingTimeoutSeconds: integerVariable({
    env: 'SMTP_GREETING_TIMEOUT_SECONDS',
    yaml: 'email.smtp.greeting_timeout_seconds',
    default: 30,
    min: 1,
    max: 300,
    doc: 'Timeout for the greeting of the mail server; some servers delay it on purpose (Postfix postscreen, tarpits).',
  }),
  caughtMailsDir: optionalVariable({
    env: 'CAUGHT_MAILS_DIR',
    yaml: 'email.caught_mails_dir',
    doc: 'For development: folder in which vigie mail-catcher --folder keeps mails; operators read them in the console. Refused with NODE_ENV=production, and unless SMTP_HOST is this machine.',
  }),
} as const;
