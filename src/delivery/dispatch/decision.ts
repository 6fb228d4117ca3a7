import type { Logger } from '@nestjs/common';
import type { Candidate, Message } from './admission.js';
import type { Deferral, OverLimit } from './deferring.js';
import { nextOpen, nextPermitted, pauseEnd } from './hours.js';

const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;
/** Hours that never open are checked again after this long. */
const NEVER_OPEN_MS = DAY_MS;
/** The same for hours that cannot be computed. */
const NOT_COMPUTABLE_MS = HOUR_MS;

/** What happens to the messages of a round. */
export interface Decision {
  /** May leave now. */
  chosen: Message[];
  /** Must wait for hours. */
  deferrals: Deferral[];
  /** Over a limit of their recipient or tenant. */
  over: OverLimit[];
}

/**
 * Decides which messages may leave now, which wait for hours, and which are over a limit. The only place for this
 * decision. Critical messages always leave.
 * @param holds whether hours and limits apply on this channel
 */
export function decide(messages: readonly Message[], now: Date, logger: Logger, holds: boolean): Decision {
  const decision: Decision = { chosen: [], deferrals: [], over: [] };
  if (!holds) return { ...decision, chosen: [...messages] };
  const admitted = new Map<string, Usage>();
  for (const message of messages) {
    const { lead } = message;
    const deferral = lead.critical ? null : hours(lead, now, logger);
    const person = `${lead.tenant_id} ${lead.recipient}`;
    const ofPerson = admitted.get(person) ?? NONE;
    const ofTenant = admitted.get(lead.tenant_id) ?? NONE;
    const reason = lead.critical ? null : limitReached(lead, ofPerson, ofTenant, now);
    if (deferral !== null) decision.deferrals.push({ message, ...deferral });
    else if (reason !== null) decision.over.push({ message, reason });
    else {
      decision.chosen.push(message);
      admitted.set(person, withOneMore(ofPerson, lead, now));
      admitted.set(lead.tenant_id, withOneMore(ofTenant, lead, now));
    }
  }
  return decision;
}

/** Splits off the messages that are over the limit per minute. Critical messages are not. */
export function withinMinute(
  chosen: readonly Message[],
  left: number,
): { within: Message[]; over: Message[] } {
  const within: Message[] = [];
  const over: Message[] = [];
  for (const message of chosen) {
    (message.lead.critical || within.length < left ? within : over).push(message);
  }
  return { within, over };
}

/** Hours that cannot be computed (a zone unknown to this machine) must not block the other tenants. */
function hours(candidate: Candidate, now: Date, logger: Logger): Pick<Deferral, 'until' | 'reason'> | null {
  try {
    return deferral(candidate, now);
  } catch (error) {
    logger.error({ event: 'hours_not_computable', tenant_id: candidate.tenant_id, err: error });
    return { until: new Date(now.getTime() + NOT_COMPUTABLE_MS), reason: 'operating_hours' };
  }
}

/**
 * Messages admitted to one recipient, or of one tenant, earlier in this round. A candidate's own counts do
 * not include them.
 */
interface Usage {
  hour: number;
  day: number;
}

const NONE: Usage = { hour: 0, day: 0 };

/** The reached limit with the longest span, which probably frees last. */
function limitReached(
  lead: Candidate,
  ofPerson: Usage,
  ofTenant: Usage,
  now: Date,
): OverLimit['reason'] | null {
  const full = (limit: number, used: number) => limit > 0 && used >= limit;
  // The tenant's counts include an earlier attempt of this message.
  const own = withOneMore({ hour: 1, day: 1 }, lead, now);
  const [ownHour, ownDay] = [2 - own.hour, 2 - own.day];
  if (full(lead.per_tenant_per_day, lead.tenant_used_day - ownDay + ofTenant.day))
    return 'limit_per_tenant_per_day';
  if (full(lead.per_user_per_day, lead.used_day + ofPerson.day)) return 'limit_per_user_per_day';
  if (full(lead.per_tenant_per_hour, lead.tenant_used_hour - ownHour + ofTenant.hour))
    return 'limit_per_tenant_per_hour';
  if (full(lead.per_user_per_hour, lead.used_hour + ofPerson.hour)) return 'limit_per_user_per_hour';
  return null;
}

function withOneMore({ hour, day }: Usage, { admitted_at }: Candidate, now: Date): Usage {
  const age = admitted_at === null ? Infinity : now.getTime() - admitted_at.getTime();
  return { hour: hour + Number(age >= HOUR_MS), day: day + Number(age >= DAY_MS) };
}

/** When hours permit it to leave, and whose hours they are; null if that is now. */
function deferral(candidate: Candidate, now: Date): Pick<Deferral, 'until' | 'reason'> | null {
  const {
    time_zone: zone,
    operating_hours,
    user_zone,
    quiet_hours,
    receiving_hours,
    paused_until,
  } = candidate;
  if (operating_hours === null && quiet_hours === null && receiving_hours === null && paused_until === null)
    return null;
  const all = {
    zone,
    operating_hours,
    user_zone: user_zone ?? zone,
    quiet_hours,
    receiving_hours,
    paused_until,
  };
  const until = nextPermitted(now, all);
  if (until !== null && until.getTime() <= now.getTime()) return null;
  const deferred = until ?? new Date(now.getTime() + NEVER_OPEN_MS);
  if (pauseEnd(now, all) !== null) return { until: deferred, reason: 'user_paused' };
  const open = nextOpen(now, zone, operating_hours);
  return {
    until: deferred,
    reason: open !== null && open.getTime() <= now.getTime() ? 'quiet_hours' : 'operating_hours',
  };
}
