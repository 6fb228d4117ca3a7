import { periodOf } from '../list/period.js';
import {
  isWithin,
  type JobsQuery,
  NO_CAUSE,
  STANDARD_STATE,
  type State,
  STATES,
  WITHIN,
} from './jobs-url.js';

/**
 * What the address asks for, as a request.
 * @param zone in which the page shows times
 * @param now the server's time, in ms
 */
export function jobsQuery(
  filters: Readonly<Record<string, string>>,
  zone: string,
  now: number,
): JobsQuery & { state: State } {
  const { state, tenant, within, reason, cause, [NO_CAUSE]: without } = filters;
  return {
    state: STATES.find((one) => one === state) ?? STANDARD_STATE,
    ...(tenant === undefined ? {} : { tenant }),
    ...(reason === undefined ? {} : { reason }),
    ...(without === undefined ? (cause === undefined ? {} : { cause }) : { cause: '' }),
    ...(isWithin(within) ? { since: new Date(now - WITHIN[within]).toISOString() } : periodOf(filters, zone)),
  };
}
