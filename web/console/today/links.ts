import { itemUrl } from '../item-links.js';
import { LAST_DAY } from '../notifications/deliveries-query.js';
import { PAGES } from '../pages.js';
import type { Overview } from './overview-state.js';

type Line = Overview['late']['lines'][number];
export type SectionName = 'late' | 'due_today' | 'week' | 'documents';

/** The list that a number counts; null while the console has no such page. */
export function listUrl(
  overview: Overview,
  me: string,
  section: SectionName,
  type: Line['type'],
): string | null {
  const page = PAGES.find(({ nav, path }) => nav === 'due_items' && !path.includes(':'));
  if (page === undefined) return null;
  const { today, until, scope } = overview;
  const periods = {
    late: { due_before: today },
    due_today: { due_after: dayBefore(today), due_before: dayAfter(today) },
    week: { due_after: today, due_before: dayAfter(until) },
    documents: {},
  };
  const query = new URLSearchParams({
    kind: `${type}s`,
    open: 'true',
    ...periods[section],
    ...(scope === 'own' ? { responsible_id: me } : {}),
  });
  return `${page.path}?${query.toString()}`;
}

/** @param show which backups, as the board's filter names them; null: all */
export function backupsUrl(show: 'not_good' | 'unknown' | 'SUCCESS' | null): string | null {
  const path = PAGES.find(({ nav, path }) => nav === 'backups' && !path.includes(':'))?.path;
  if (path === undefined) return null;
  return show === null ? path : `${path}?show=${show}`;
}

/** The messages to people of the last 24 hours in a state, and with a reason. */
export function messagesUrl(state: string, reason: string | null = null): string {
  const query = new URLSearchParams({ state, ended: LAST_DAY, ...(reason === null ? {} : { reason }) });
  return `/notifications?${query.toString()}`;
}

export function lineUrl({ type, id }: Line): string | null {
  return itemUrl(type, id);
}

export function backupUrl(jobId: string): string | null {
  return itemUrl('backup', jobId);
}

function dayAfter(date: string): string {
  return shifted(date, 1);
}

function dayBefore(date: string): string {
  return shifted(date, -1);
}

/** @param date civil */
function shifted(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}
