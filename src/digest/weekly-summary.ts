import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { RunCounts } from '../contracts/jobs.js';
import type { NotificationData } from '../contracts/kinds.js';
import type { Locale } from '../contracts/locales.js';
import { type NewNotification, Notifications } from '../notifications/notifications.service.js';
import { addDays, dateOfDay, dayOfDate, weekdayOf } from '../platform/clock/civil-time.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { type Run, RunHandlers } from '../runs/run-handlers.js';
import { tenantToday } from '../tenants/tenant-today.js';
import { RECIPIENTS_SQL } from './recipients.sql.js';
import { summaryText } from './summary-text.js';

type Summary = NotificationData['weekly_summary'];

interface Recipient {
  user_id: string;
  locale: Locale;
  lists: Pick<Summary, 'deadlines' | 'documents' | 'tasks'>;
  totals: Summary['totals'];
}

interface Batch {
  users: number;
  notifications: number;
  deliveries: number;
  /** Whom to go on after; null at the end. */
  next: string | null;
}

/** Users a transaction: as many notifications as are created at once. */
const BATCH_SIZE = 1_000;
/** A summary lists what is due up to this many days after its day, as `summarySql` selects it. */
const PERIOD_DAYS = 7;

/** The job `weekly-summary`: to each user who has something to do, what is late or due within seven days. */
@Injectable()
export class WeeklySummary implements OnModuleInit {
  constructor(
    private readonly runs: RunHandlers,
    private readonly database: Database,
    private readonly notifications: Notifications,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.runs.register('weekly-summary', (run) => this.summarise(run));
  }

  /** One summary a user and week, whatever runs again. */
  private async summarise(run: Run): Promise<RunCounts> {
    const counts = { users: 0, notifications: 0, deliveries: 0 };
    let after: string | null = null;
    do {
      run.signal.throwIfAborted();
      const batch: Batch = await this.summariseBatch(run, after);
      counts.users += batch.users;
      counts.notifications += batch.notifications;
      counts.deliveries += batch.deliveries;
      after = batch.next;
    } while (after !== null);
    return counts;
  }

  /** The users that come after this one, in one transaction. */
  private async summariseBatch(run: Run, after: string | null): Promise<Batch> {
    return this.database.tenant(run.tenant_id, async (tx) => {
      // A run that was missed on Monday still lists that Monday's period.
      const { today } = await tenantToday(tx, run.date ?? this.clock.now());
      const recipients = await tx.query<Recipient>(RECIPIENTS_SQL, [tx.tenant_id, today, after, BATCH_SIZE]);
      const { created, deliveries } = await this.notifications.createMany(
        tx,
        recipients.map((recipient) => notificationFor(recipient, today)),
      );
      const last = recipients.length === BATCH_SIZE ? recipients.at(-1) : undefined;
      return { users: recipients.length, notifications: created, deliveries, next: last?.user_id ?? null };
    });
  }
}

function mondayOf(date: string): string {
  const day = dayOfDate(date);
  return dateOfDay(day + 1 - weekdayOf(day));
}

/** @param today the first day of the period that the summary lists. */
function notificationFor(recipient: Recipient, today: string): NewNotification<'weekly_summary'> {
  const week_of = mondayOf(today);
  const period = { from: today, to: addDays(today, PERIOD_DAYS) };
  const { user_id, locale, lists, totals } = recipient;
  return {
    user_id,
    kind: 'weekly_summary',
    severity: 'info',
    ...summaryText(locale, week_of, totals),
    data: { week_of, period, ...lists, totals },
    dedupe_key: `weekly-summary:${week_of}`,
  };
}
