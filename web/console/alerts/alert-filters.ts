import type { components } from '../../client/api.js';
import { dayEnd, dayStart, isDate } from '../../design/day-bounds.js';

type Filter = components['schemas']['AlertFilter'];

export const STATES = ['open', 'snoozed', 'acknowledged', 'resolved'] as const satisfies Filter['state'][];
export const SEVERITIES = ['critical', 'warning', 'info'] as const satisfies Filter['severity'][];
/** The kinds that have alerts. */
export const KINDS = [
  'deadline_near',
  'documents_missing',
  'tasks_overdue',
  'backup_alert',
  'backup_damaged',
  'backup_agent_silent',
  'backup_report_rejected',
  'event',
] as const satisfies Filter['kind'][];

/** The filter of the API for the parameters of the address; values that it does not know are left out. */
export function filterOf(given: Readonly<Record<string, string>>, zone: string): Filter {
  const { q, state, kind, severity, since, until } = given;
  const filter: Filter = {};
  if (q !== undefined) filter.q = q;
  const knownState = STATES.find((one) => one === state);
  if (knownState !== undefined) filter.state = knownState;
  const knownKind = KINDS.find((one) => one === kind);
  if (knownKind !== undefined) filter.kind = knownKind;
  const knownSeverity = SEVERITIES.find((one) => one === severity);
  if (knownSeverity !== undefined) filter.severity = knownSeverity;
  if (isDate(since)) filter.since = dayStart(since, zone).toISOString();
  if (isDate(until)) filter.until = dayEnd(until, zone).toISOString();
  return filter;
}
