import { periodOf } from '../list/period.js';
import {
  hasCauses,
  isWithin,
  type JobsQuery,
  NO_CAUSE,
  NO_REASON,
  reasonsOf,
  STANDARD_STATE,
  type State,
  STATES,
  WITHIN,
} from './jobs-url.js';

/**
 * The request for the filters in the address. If it has both a first day and a time since the end, the later start
 * applies. A cause or reason that was chosen for another state is ignored, and so are those of runs, which have neither.
 * @param zone in which the page shows times
 * @param now the server's time, in ms
 * @param isOfDeliveries else of runs
 */
export function jobsQuery(
  filters: Readonly<Record<string, string>>,
  zone: string,
  now: number,
  isOfDeliveries: boolean,
): JobsQuery & { state: State } {
  const { tenant, within } = filters;
  const state = STATES.find((one) => one === filters.state) ?? STANDARD_STATE;
  const reason = isOfDeliveries && reasonsOf(state).length > 0 ? filters.reason : undefined;
  const without = filters[NO_CAUSE] !== undefined;
  const cause = isOfDeliveries && hasCauses(state) ? (without ? '' : filters.cause) : undefined;
  const { since: day, until } = periodOf(filters, zone);
  const age = isWithin(within) ? new Date(now - WITHIN[within]).toISOString() : undefined;
  // Times in this format sort as text.
  const since = [day, age]
    .filter((start) => start !== undefined)
    .sort()
    .at(-1);
  return {
    state,
    ...(tenant === undefined ? {} : { tenant }),
    ...(reason === undefined ? {} : { reason: reason === NO_REASON ? '' : reason }),
    ...(cause === undefined ? {} : { cause }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}
