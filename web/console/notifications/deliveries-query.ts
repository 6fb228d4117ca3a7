import type { operations } from '../../client/api.js';
import { dayEnd, dayStart, isDate } from '../../design/day-bounds.js';

export type DeliveriesQuery = NonNullable<operations['TenantDeliveries_list']['parameters']['query']>;

/** The parameters of the address that choose deliveries or their order. */
export const FILTERS = [
  'q',
  'state',
  'channel',
  'kind',
  'user_id',
  'from',
  'to',
  'alert_id',
  'bundle_id',
  'sort',
] as const;

/** Choices of the filter that the API has a name for, by that name. */
export const GROUPS = { waiting: 'pending', sent: 'sent', not_sent: 'failed' } as const;
/** States that are choices of their own. */
export const SINGLE_STATES = ['failed', 'unknown', 'suppressed', 'cancelled'] as const;

/** What the address asks for, as a request. Days are those of the zone in which the page shows times. */
export function deliveriesQuery(filters: Readonly<Record<string, string>>, zone: string): DeliveriesQuery {
  const { state, from, to, ...same } = filters;
  return {
    // The server refuses values that it does not know: an address may be old, or mistyped.
    ...(same as DeliveriesQuery),
    ...(state === undefined ? {} : stateQuery(state)),
    ...(isDate(from) ? { since: dayStart(from, zone).toISOString() } : {}),
    ...(isDate(to) ? { until: dayEnd(to, zone).toISOString() } : {}),
  };
}

function stateQuery(state: string): DeliveriesQuery {
  return isGroup(state)
    ? { status: GROUPS[state] }
    : { state: state as NonNullable<DeliveriesQuery['state']> };
}

function isGroup(state: string): state is keyof typeof GROUPS {
  return Object.hasOwn(GROUPS, state);
}
