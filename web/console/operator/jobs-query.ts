import { periodOf } from '../list/period.js';
import {
  isWithin,
  type JobsQuery,
  NO_CAUSE,
  NO_REASON,
  STANDARD_STATE,
  type State,
  STATES,
  WITHIN,
} from './jobs-url.js';

/**
 * What the address asks for, as a request. If it has both a first day and a time since the end, the later one counts.
 * @param zone in which the page shows times
 * @param now the server's time, in ms
 */
export function jobsQuery(
  filters: Readonly<Record<string, string>>,
  zone: string,
  now: number,
): JobsQuery & { state: State } {
  const { state, tenant, within, reason, cause, [NO_CAUSE]: without } = filters;
  const { since: day, until } = periodOf(filters, zone);
  const age = isWithin(within) ? new Date(now - WITHIN[within]).toISOString() : undefined;
  // Times of this format sort as texts.
  const since = [day, age]
    .filter((start) => start !== undefined)
    .sort()
    .at(-1);
  return {
    state: STATES.find((one) => one === state) ?? STANDARD_STATE,
    ...(tenant === undefined ? {} : { tenant }),
    ...(reason === undefined ? {} : { reason: reason === NO_REASON ? '' : reason }),
    ...(without === undefined ? (cause === undefined ? {} : { cause }) : { cause: '' }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}
