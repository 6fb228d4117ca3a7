import type { Me } from './context.js';

/** Whose time zone the times are shown in. */
export type ZoneChoice = 'tenant' | 'mine' | 'utc';

export function isZoneChoice(value: string | null): value is ZoneChoice {
  return value === 'tenant' || value === 'mine' || value === 'utc';
}

/** The IANA name of a choice. An operator, who has no tenant, gets their own zone. */
export function zoneOf(choice: ZoneChoice, me: Me | null): string {
  if (choice === 'utc') return 'UTC';
  if (choice === 'tenant' && me?.tenant) return me.tenant.time_zone;
  return me?.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}
