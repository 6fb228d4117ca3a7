import type { Channel } from '../../contracts/channels.js';
import type { Config } from './config.js';
import { integerVariable, optionalIntegerVariable } from './variables.js';

const MAX_MESSAGES = 1_000_000;
const MAX_PER_MINUTE = 10_000_000;

/** How many messages may be sent: a part of SCHEMA. 0: no limit. */
export const LIMIT_SETTINGS = {
  limitPerUserHour: integerVariable({
    env: 'LIMIT_PER_USER_PER_HOUR',
    yaml: 'limits.per_user_per_hour',
    default: 100,
    min: 0,
    max: MAX_MESSAGES,
    doc: 'Messages to one recipient on one channel per hour; more are deferred. With send_now also the messages of one caller. 0: no limit.',
  }),
  limitPerUserDay: integerVariable({
    env: 'LIMIT_PER_USER_PER_DAY',
    yaml: 'limits.per_user_per_day',
    default: 500,
    min: 0,
    max: MAX_MESSAGES,
    doc: 'The same per 24 hours. 0: no limit.',
  }),
  limitPerTenantHour: integerVariable({
    env: 'LIMIT_PER_TENANT_PER_HOUR',
    yaml: 'limits.per_tenant_per_hour',
    default: 0,
    min: 0,
    max: MAX_MESSAGES,
    doc: 'Messages of one tenant on one channel per hour; operators can set another one for a tenant. 0: no limit.',
  }),
  limitPerTenantDay: integerVariable({
    env: 'LIMIT_PER_TENANT_PER_DAY',
    yaml: 'limits.per_tenant_per_day',
    default: 0,
    min: 0,
    max: MAX_MESSAGES,
    doc: 'The same per 24 hours. 0: no limit.',
  }),
  limitPerMinute: integerVariable({
    env: 'LIMIT_GLOBAL_PER_MINUTE',
    yaml: 'limits.global_per_minute',
    default: 0,
    min: 0,
    max: MAX_PER_MINUTE,
    doc: 'Messages of all tenants on one channel per minute, for channels without an own limit. 0: no limit.',
  }),
  limitEmailMinute: perMinute('EMAIL', 'Mails'),
  limitSmsMinute: perMinute('SMS', 'Text messages'),
  limitPushMinute: perMinute('PUSH', 'Pushes'),
  limitWebhookMinute: perMinute('WEBHOOK', 'Webhook calls'),
};

/** Messages of all tenants that may be admitted on this channel per minute; 0: no limit. */
export function minuteLimit(config: Config, channel: Channel): number {
  const own: Record<Channel, number | null> = {
    email: config.limitEmailMinute,
    sms: config.limitSmsMinute,
    push: config.limitPushMinute,
    webhook: config.limitWebhookMinute,
  };
  return own[channel] ?? config.limitPerMinute;
}

function perMinute(channel: string, what: string) {
  return optionalIntegerVariable({
    env: `LIMIT_${channel}_PER_MINUTE`,
    yaml: `limits.${channel.toLowerCase()}_per_minute`,
    min: 0,
    max: MAX_PER_MINUTE,
    doc: `${what} of all tenants per minute. Unset: LIMIT_GLOBAL_PER_MINUTE. 0: no limit.`,
  });
}
