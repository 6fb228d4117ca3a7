import {
  choiceVariable,
  integerVariable,
  listVariable,
  optionalVariable,
  switchVariable,
  textVariable,
  url,
} from './variables.js';

export const ROLES = ['web', 'worker', 'scheduler'] as const;
export type Role = (typeof ROLES)[number];

const postgres = url('postgres', 'postgresql');

function atLeast(characters: number): (text: string) => void {
  return (text) => {
    if (text.length < characters) throw new Error(`must have at least ${characters} characters`);
  };
}

function email(text: string): void {
  if (!/^[^\s@<>]+@[^\s@<>]+$/.test(text)) throw new Error('must be an e-mail address');
}

/**
 * Every setting of an installation: its name in the environment, its place in vigie.yml, type, default and
 * one sentence. `.env.example` and docs/configuration.md are made from this table.
 */
export const SCHEMA = {
  host: textVariable({ env: 'HOST', yaml: 'server.host', default: '0.0.0.0', doc: 'Address to listen on.' }),
  port: integerVariable({
    env: 'PORT',
    yaml: 'server.port',
    default: 3000,
    min: 0,
    max: 65_535,
    doc: 'Port of the API, the pages and the sockets.',
  }),
  publicUrl: optionalVariable({
    env: 'VIGIE_PUBLIC_URL',
    yaml: 'server.public_url',
    check: url('http', 'https'),
    doc: 'Where people reach this server; links in mails begin with it. http://localhost:<PORT> when unset.',
  }),
  roles: listVariable({
    env: 'VIGIE_ROLES',
    yaml: 'server.roles',
    words: ROLES,
    default: 'web,worker,scheduler',
    doc: 'What this process does.',
  }),
  dataDir: textVariable({
    env: 'VIGIE_DATA_DIR',
    yaml: 'server.data_dir',
    default: './data',
    doc: 'Where the embedded PostgreSQL and generated secrets live.',
  }),
  logLevel: choiceVariable({
    env: 'LOG_LEVEL',
    yaml: 'logging.level',
    aliases: ['NOTIFICATION_LOG_LEVEL'],
    words: ['debug', 'info', 'warn', 'warning', 'error'],
    default: 'info',
    doc: 'The least serious line that is logged.',
  }),
  databaseUrl: optionalVariable({
    env: 'DATABASE_URL',
    yaml: 'database.url',
    secret: true,
    check: postgres,
    doc: 'PostgreSQL 15-18, as the owner: migrations run with it. Unset: an embedded PostgreSQL is started.',
  }),
  databaseAppUrl: optionalVariable({
    env: 'DATABASE_APP_URL',
    yaml: 'database.app_url',
    secret: true,
    check: postgres,
    doc: 'The same database as the login vigie_app. Unset: DATABASE_URL with the role vigie_app taken on.',
  }),
  databaseSystemUrl: optionalVariable({
    env: 'DATABASE_SYSTEM_URL',
    yaml: 'database.system_url',
    secret: true,
    check: postgres,
    doc: 'The same database as the login vigie_system. Unset: DATABASE_URL with the role vigie_system.',
  }),
  databasePoolSize: integerVariable({
    env: 'DATABASE_POOL_SIZE',
    yaml: 'database.pool_size',
    default: 10,
    min: 2,
    max: 200,
    doc: 'Connections of each of the two pools of a process.',
  }),
  redisUrl: optionalVariable({
    env: 'REDIS_URL',
    yaml: 'redis.url',
    secret: true,
    check: url('redis', 'rediss'),
    doc: 'Redis 6.2-7, with maxmemory-policy noeviction. Unset: the redis-server of this machine is started.',
  }),
  redisPrefix: textVariable({
    env: 'REDIS_PREFIX',
    yaml: 'redis.prefix',
    default: 'vigie',
    doc: 'What the names of all keys begin with, where several installations share one Redis.',
  }),
  jwtSecret: optionalVariable({
    env: 'JWT_SECRET',
    yaml: 'auth.jwt_secret',
    secret: true,
    check: atLeast(32),
    doc: 'Signs access tokens and links; at least 32 characters, the same in every process. Unset with an embedded PostgreSQL: made once and kept in VIGIE_DATA_DIR.',
  }),
  accessTokenMinutes: integerVariable({
    env: 'ACCESS_TOKEN_MINUTES',
    yaml: 'auth.access_token_minutes',
    default: 15,
    min: 1,
    max: 1_440,
    doc: 'Life of an access token.',
  }),
  refreshTokenDays: integerVariable({
    env: 'REFRESH_TOKEN_DAYS',
    yaml: 'auth.refresh_token_days',
    default: 30,
    min: 1,
    max: 365,
    doc: 'Life of a session without use.',
  }),
  operatorEmail: optionalVariable({
    env: 'VIGIE_OPERATOR_EMAIL',
    yaml: 'auth.operator_email',
    check: email,
    doc: 'The first operator, made at the first start.',
  }),
  operatorPassword: optionalVariable({
    env: 'VIGIE_OPERATOR_PASSWORD',
    yaml: 'auth.operator_password',
    secret: true,
    check: atLeast(12),
    doc: 'Password of the first operator, at least 12 characters.',
  }),
  notificationsEnabled: switchVariable({
    env: 'NOTIFICATIONS_ENABLED',
    yaml: 'notifications.enabled',
    default: true,
    doc: 'Off: deliveries wait, nothing leaves on any channel.',
  }),
  emailEnabled: switchVariable({
    env: 'EMAIL_ENABLED',
    yaml: 'email.enabled',
    default: true,
    doc: 'Off: e-mails wait.',
  }),
  smtpHost: optionalVariable({
    env: 'SMTP_HOST',
    yaml: 'email.smtp.host',
    aliases: ['EMAIL_HOST'],
    doc: 'Mail server. Unset: no e-mail is sent, and each is recorded as suppressed (channel_not_configured).',
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
    doc: 'Login at the mail server.',
  }),
  smtpPassword: optionalVariable({
    env: 'SMTP_PASSWORD',
    yaml: 'email.smtp.password',
    aliases: ['EMAIL_PASSWORD'],
    secret: true,
    doc: 'Password at the mail server (for Gmail, an app password).',
  }),
  smtpFromEmail: optionalVariable({
    env: 'SMTP_FROM_EMAIL',
    yaml: 'email.from.address',
    aliases: ['EMAIL_SENDER'],
    check: email,
    doc: "Sender's address. SMTP_USER when that is an address and this is unset.",
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
    doc: 'Require STARTTLS: without it nothing is sent, not even the login.',
  }),
  smtpSsl: switchVariable({
    env: 'SMTP_SSL',
    yaml: 'email.smtp.tls',
    default: false,
    doc: 'TLS from the first byte (port 465); SMTP_TLS has no meaning then.',
  }),
  retryMaxAttempts: integerVariable({
    env: 'RETRY_MAX_ATTEMPTS',
    yaml: 'email.retry.max_attempts',
    default: 3,
    min: 1,
    max: 20,
    doc: 'Attempts before a delivery has failed for good.',
  }),
  retryDelaySeconds: integerVariable({
    env: 'RETRY_DELAY_SECONDS',
    yaml: 'email.retry.retry_delay_seconds',
    default: 300,
    min: 1,
    max: 86_400,
    doc: 'Wait after the first failed attempt; doubles with each.',
  }),
  limitPerUserHour: integerVariable({
    env: 'LIMIT_PER_USER_PER_HOUR',
    yaml: 'limits.per_user_per_hour',
    default: 100,
    min: 0,
    max: 1_000_000,
    doc: 'Deliveries to one recipient on one channel in an hour; more are deferred. 0: no limit.',
  }),
  limitPerUserDay: integerVariable({
    env: 'LIMIT_PER_USER_PER_DAY',
    yaml: 'limits.per_user_per_day',
    default: 500,
    min: 0,
    max: 1_000_000,
    doc: 'The same in 24 hours. 0: no limit.',
  }),
  limitPerMinute: integerVariable({
    env: 'LIMIT_GLOBAL_PER_MINUTE',
    yaml: 'limits.global_per_minute',
    default: 0,
    min: 0,
    max: 10_000_000,
    doc: 'Deliveries of all tenants on one channel in a minute. 0: no limit.',
  }),
  dispatchIntervalSeconds: integerVariable({
    env: 'DISPATCH_INTERVAL_SECONDS',
    yaml: 'scheduler.check_interval_seconds',
    aliases: ['NOTIFICATION_SCHEDULER_INTERVAL'],
    default: 5,
    min: 1,
    max: 60,
    doc: 'Longest wait between two rounds of the dispatcher when nothing wakes it.',
  }),
  dispatchBatchSize: integerVariable({
    env: 'DISPATCH_BATCH_SIZE',
    yaml: 'scheduler.batch_size',
    default: 50,
    min: 1,
    max: 2_000,
    doc: 'Deliveries admitted in one round; rounds repeat until nothing is due.',
  }),
  schedulerEnabled: switchVariable({
    env: 'SCHEDULER_ENABLED',
    yaml: 'scheduler.enabled',
    default: true,
    doc: 'Off: no job runs by itself (those triggered by hand do).',
  }),
  schedulerPollSeconds: integerVariable({
    env: 'SCHEDULER_POLL_SECONDS',
    yaml: 'scheduler.poll_seconds',
    default: 15,
    min: 1,
    max: 60,
    doc: 'How often the scheduler looks for slots that are owed.',
  }),
  cleanupEnabled: switchVariable({
    env: 'CLEANUP_ENABLED',
    yaml: 'cleanup.enabled',
    default: true,
    doc: 'Off: the nightly cleanup deletes nothing.',
  }),
  mailConcurrency: integerVariable({
    env: 'MAIL_CONCURRENCY',
    yaml: 'workers.mail',
    default: 10,
    min: 1,
    max: 500,
    doc: 'Mails that one worker process sends at the same time.',
  }),
  checksConcurrency: integerVariable({
    env: 'CHECKS_CONCURRENCY',
    yaml: 'workers.checks',
    default: 4,
    min: 1,
    max: 100,
    doc: 'Checks that one worker process runs at the same time.',
  }),
  maintenanceConcurrency: integerVariable({
    env: 'MAINTENANCE_CONCURRENCY',
    yaml: 'workers.maintenance',
    default: 2,
    min: 1,
    max: 100,
    doc: 'Maintenance jobs (status update, cleanup) of one worker process at the same time.',
  }),
} as const;
