import type { Config } from '../../platform/config/config.js';

/** The limits of a message, by who is counted and for how long; 0: none. */
export interface Limits {
  per_user_per_hour: number;
  per_user_per_day: number;
  per_tenant_per_hour: number;
  per_tenant_per_day: number;
}

/** Why a message waits, as stored: named like the setting. */
export type LimitReason = `limit_${keyof Limits}` | typeof MINUTE_REASON;

export const MINUTE_REASON = 'limit_per_channel_per_minute';

/** The installation's limits. */
export function limitsOf(config: Config): Limits {
  return {
    per_user_per_hour: config.limitPerUserHour,
    per_user_per_day: config.limitPerUserDay,
    per_tenant_per_hour: config.limitPerTenantHour,
    per_tenant_per_day: config.limitPerTenantDay,
  };
}
