import { html, nothing, type TemplateResult } from 'lit';
import { ago } from '../../design/time.js';
import type { BackupWords } from '../../words/console/backups.js';
import type { ConsoleContext } from '../context.js';
import type { Job, Status } from './backup-state.js';

/** A Monday: ISO days count from it. */
const MONDAY = Date.UTC(2026, 2, 2);
const DAY_MS = 86_400_000;

/** When the backup is expected, and its state. */
export function jobFacts(
  { format, locale }: ConsoleContext,
  words: BackupWords,
  status: Status | null,
  job: Job | null,
): TemplateResult {
  const { facts } = words;
  const at = (iso: string | null | undefined, none: unknown = null) =>
    iso == null ? none : ago(format, iso);
  const lines: (readonly [string, unknown])[] = [
    [facts.last_success, at(status?.last_success_at, html`<span class="critical">${words.never}</span>`)],
    [facts.next, at(status?.next_expected_at)],
    [facts.schedule, job === null ? words.not_expected : scheduleOf(job, words, locale)],
    [facts.since, at(status?.since)],
    [facts.last_failure, at(status?.last_failure_at)],
    [facts.checked, at(status?.last_checked_at)],
  ];
  return html`<dl class="facts tiles">
    ${lines.map(([name, value]) =>
      value === null
        ? nothing
        : html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
    )}
  </dl>`;
}

/** `02:00, Mon, Tue; 2 hr of grace`. */
export function scheduleOf(
  { expected_time, days_of_week, grace_minutes }: Job,
  words: BackupWords,
  locale: string,
): string {
  const [amount, unit] = grace_minutes % 60 === 0 ? [grace_minutes / 60, 'hour'] : [grace_minutes, 'minute'];
  const grace = new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(amount);
  return words.schedule(expected_time, daysText(days_of_week, words, locale), grace);
}

/** `Mon, Tue`, or that it is every day. @param days ISO: Monday is 1 */
export function daysText(days: readonly number[], words: BackupWords, locale: string): string {
  if (days.length === 7) return words.every_day;
  const weekday = new Intl.DateTimeFormat(locale, { weekday: 'short', timeZone: 'UTC' });
  return days.map((day) => weekday.format(MONDAY + (day - 1) * DAY_MS)).join(', ');
}
