import type { INestApplicationContext } from '@nestjs/common';
import { SCHEDULED_JOBS, type ScheduledJob } from '../contracts/jobs.js';
import type { Assumption, PreviewAnswer, PreviewEntry } from '../ops/preview/preview.dto.js';
import { Previews } from '../ops/preview/previews.service.js';
import { civilDate, isCivilDate } from '../platform/clock/civil-time.js';
import { Clock } from '../platform/clock/clock.js';
import { isInSaneYear } from '../platform/http/civil-date.js';
import { UsageError } from './exit-codes.js';
import { type Environment, tenantOf, withReadableErrors } from './installation.js';
import { tableOf } from './table.js';

export interface PreviewOptions {
  tenant: string;
  job?: string;
  date?: string;
  limit?: string;
  json?: boolean;
}

const MAX_LIMIT = 2_000;

/**
 * `vigie preview`: the text to print.
 * @throws UsageError for a wrong option; Error in plain words if it cannot be computed.
 */
export async function showPreview(environment: Environment, options: PreviewOptions): Promise<string> {
  const job = jobOf(options.job);
  const limit = Number(options.limit ?? 500);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    throw new UsageError(`--limit must be a number from 1 to ${MAX_LIMIT}`);
  const { date } = options;
  if (date !== undefined && !(isCivilDate(date) && isInSaneYear(date)))
    throw new UsageError('--date must be a day that exists, YYYY-MM-DD, from 1900 to 2199');
  return withReadableErrors(environment, async (app) => {
    const answer = await previewOf(app, options.tenant, { job, limit, date });
    return options.json === true ? JSON.stringify(answer, null, 2) : textOf(answer);
  });
}

async function previewOf(
  app: INestApplicationContext,
  slug: string,
  { job, limit, date }: { job: ScheduledJob; limit: number; date: string | undefined },
): Promise<PreviewAnswer> {
  const tenant = await tenantOf(app, slug);
  const now = app.get(Clock, { strict: false }).now();
  return app.get(Previews, { strict: false }).of(tenant.id, {
    job,
    date: date ?? civilDate(now, tenant.time_zone),
    limit,
    reader_id: null,
  });
}

function jobOf(name = 'check-notifications'): ScheduledJob {
  const job = SCHEDULED_JOBS.find((each) => each === name);
  if (job === undefined)
    throw new UsageError(`there is no preview of ${name}; the jobs are ${SCHEDULED_JOBS.join(', ')}`);
  return job;
}

const ASSUMED: Record<Assumption, string> = {
  present_state: 'Items, people and settings are as they are now.',
  sent_until_now: 'Notifications sent until now stay sent; the days in between are not simulated.',
  no_other_messages: 'No other message waits for the same people, and the channels work.',
  rewound: 'Notifications since the first hour shown are ignored.',
  not_rewound: 'This job cannot be replayed: the past hours show only what ran.',
  no_report_arrives: 'No report arrives for the backups that are expected then.',
  too_far_away: 'The day is more than 400 days away: only the hours are shown.',
};

function textOf(answer: PreviewAnswer): string {
  const { job, date, time_zone, slots, entries, totals, changes, truncated, assumptions } = answer;
  const parts = [`${job} on ${date} (${time_zone})`];
  if (slots.length === 0) parts.push('The job does not run on this day.');
  const counted = slots.filter(({ counts }) => counts !== null);
  if (counted.length > 0 || slots.length <= MAX_LISTED_SLOTS) parts.push(slotsOf(answer));
  if (entries.length > 0)
    parts.push(
      tableOf(
        HEAD,
        entries.map((entry) => rowOf(entry, time_zone)),
      ),
    );
  else if (slots.length > 0 && changes.length === 0) parts.push('Nobody would be notified.');
  if (changes.length > 0) {
    parts.push(
      tableOf(
        ['STATUS', 'DUE', 'ITEM'],
        changes.map(({ status, due_on, title }) => [status, due_on, title]),
      ),
    );
  }
  const { leaves, waits, not_sent, messages, only_previewed, only_ran, both } = totals;
  if (entries.length > 0) {
    parts.push(
      `Messages: ${messages}. Notifications: ${leaves} leave at once, ${waits} wait, ${not_sent} not sent.`,
    );
  }
  if (both + only_previewed + only_ran > 0)
    parts.push(
      `Compared with the runs: ${both} equal, ${only_previewed} only in the preview, ` +
        `${only_ran} only in the runs.`,
    );
  if (truncated) parts.push('There are more: only the first are shown.');
  parts.push(assumptions.map((assumption) => ASSUMED[assumption]).join('\n'));
  return parts.join('\n\n');
}

/** Jobs with an interval run a hundred times a day. */
const MAX_LISTED_SLOTS = 10;

function slotsOf({ slots }: PreviewAnswer): string {
  const listed = slots.filter(({ counts }) => counts !== null || slots.length <= MAX_LISTED_SLOTS);
  return listed
    .map(({ slot, counts, run_id }) => {
      const found = Object.entries(counts ?? {}).filter(([, count]) => count > 0);
      const text = found.map(([name, count]) => `${name} ${count}`).join(', ');
      const state = run_id === null ? '' : ' (ran)';
      return `${slot}${state}  ${counts === null ? '' : text === '' ? 'nothing' : text}`.trimEnd();
    })
    .join('\n');
}

const HEAD = ['SLOT', 'RECIPIENT', 'CHANNEL', 'WHAT', 'OUTCOME', 'WHEN', 'WHY', 'RAN'];

function rowOf(entry: PreviewEntry, zone: string): string[] {
  const { slot, name, recipient, channel, title, outcome, leaves_at, reason, ran, previewed } = entry;
  return [
    slot?.slice('YYYY-MM-DDT'.length) ?? 'manual',
    name ?? recipient ?? '-',
    channel ?? '-',
    title,
    previewed ? outcome : 'not in the preview',
    leaves_at === null ? '-' : localTime(leaves_at, zone),
    reason ?? '-',
    ran === null ? '-' : (ran.state ?? 'inbox'),
  ];
}

function localTime(instant: Date, zone: string): string {
  // Swedish dates are ISO dates.
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(
    instant,
  );
}
