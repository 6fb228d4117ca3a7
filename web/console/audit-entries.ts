import type { components } from '../client/api.js';
import type { Tone } from '../design/badge.js';
import { dayEnd, dayStart, isDate } from '../design/day-bounds.js';
import type { LogWords } from '../words/console/settings-logs.js';
import type { ConsoleContext } from './context.js';
import type { ListOptions } from './list/list-state.js';

export type AuditEntry = components['schemas']['AuditEntry'];

/** Requests a page of the audit log: of a tenant for its admins, of the installation for operators. */
export function loadAudit(
  { api, zone }: ConsoleContext,
  ...[{ since, until, ...filters }, { limit, cursor }, signal]: Parameters<ListOptions<AuditEntry>['load']>
): ReturnType<ListOptions<AuditEntry>['load']> {
  const query = {
    limit,
    ...filters,
    ...(isDate(since) ? { since: dayStart(since, zone).toISOString() } : {}),
    ...(isDate(until) ? { until: dayEnd(until, zone).toISOString() } : {}),
    ...(cursor === undefined ? {} : { cursor }),
  };
  return api.get('/api/v1/admin/audit', { params: { query }, signal });
}

/** What became of an act, by the status of its answer; null: unknown. */
export function outcomeOf(status: number | null, { outcomes }: LogWords): [Tone, string] {
  if (status === null) return ['warning', outcomes.unknown];
  if (status < 400) return ['good', outcomes.done];
  return status < 500 ? ['warning', outcomes.refused] : ['critical', outcomes.failed];
}
