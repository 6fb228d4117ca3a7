import type { Logger } from '@nestjs/common';
import type { Candidate, Deferral, Message } from './admission.js';
import { nextPermitted } from './hours.js';

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
  /** Over a limit of its recipient. */
  over: Message[];
}

/**
 * Decides which messages may leave now, which wait for hours, and which are over a limit. The only place for this
 * decision. Critical messages always leave.
 */
export function decide(messages: readonly Message[], now: Date, logger: Logger): Decision {
  const decision: Decision = { chosen: [], deferrals: [], over: [] };
  const admitted = new Map<string, Usage>();
  for (const message of messages) {
    const { lead } = message;
    const deferral = lead.critical ? null : hours(lead, now, logger);
    const person = `${lead.tenant_id} ${lead.recipient}`;
    const justNow = admitted.get(person) ?? { hour: 0, day: 0 };
    if (deferral !== null) decision.deferrals.push({ message, ...deferral });
    else if (!lead.critical && isOver(lead, justNow)) decision.over.push(message);
    else {
      decision.chosen.push(message);
      admitted.set(person, withOneMore(justNow, lead, now));
    }
  }
  return decision;
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

/** Admitted to one recipient earlier in this round, and not included in `used_hour` and `used_day`. */
interface Usage {
  hour: number;
  day: number;
}

function isOver(candidate: Candidate, justNow: Usage): boolean {
  const { per_user_per_hour: hour, per_user_per_day: day } = candidate;
  return (
    (hour > 0 && candidate.used_hour + justNow.hour >= hour) ||
    (day > 0 && candidate.used_day + justNow.day >= day)
  );
}

function withOneMore({ hour, day }: Usage, { admitted_at }: Candidate, now: Date): Usage {
  const age = admitted_at === null ? Infinity : now.getTime() - admitted_at.getTime();
  return { hour: hour + Number(age >= HOUR_MS), day: day + Number(age >= DAY_MS) };
}

/** When hours permit it to leave, and whose hours they are; null if that is now. */
function deferral(candidate: Candidate, now: Date): Pick<Deferral, 'until' | 'reason'> | null {
  const { time_zone: zone, operating_hours, user_zone, quiet_hours } = candidate;
  if (operating_hours === null && quiet_hours === null) return null;
  const until = nextPermitted(now, { zone, operating_hours, user_zone: user_zone ?? zone, quiet_hours });
  if (until !== null && until.getTime() <= now.getTime()) return null;
  const open = nextPermitted(now, { zone, operating_hours, user_zone: zone, quiet_hours: null });
  return {
    until: until ?? new Date(now.getTime() + NEVER_OPEN_MS),
    reason: open !== null && open.getTime() <= now.getTime() ? 'quiet_hours' : 'operating_hours',
  };
}
