import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { RunCounts } from '../contracts/jobs.js';
import type { NotificationData } from '../contracts/kinds.js';
import { type NewNotification, Notifications } from '../notifications/notifications.service.js';
import { addDays, dateOfDay, dayOfDate, weekdayOf } from '../platform/clock/civil-time.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { type Run, RunHandlers } from '../runs/run-handlers.js';
import { tenantToday } from '../tenants/tenant-today.js';
import { RECIPIENTS_SQL } from './recipients.sql.js';
import type { SummaryGroup, SummaryLine } from './summary-data.js';

type Summary = NotificationData['weekly_summary'];
type Line = SummaryLine & { client_name: string | null };

interface Recipient {
  user_id: string;
  late: Line[];
  upcoming: Line[];
  totals: Summary['totals'];
}

interface Batch {
  users: number;
  notifications: number;
  deliveries: number;
  /** The user to continue after; null at the end. */
  next: string | null;
}

/** Users per transaction: the number of notifications created at once. */
const BATCH_SIZE = 1_000;
/** A summary lists what is due up to this many days after its day, and what is late. */
const PERIOD_DAYS = 7;

/** The job `weekly-summary`: sends each user their late items and those due within seven days. */
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

  /** Sends one summary per user and week, even if it runs again. */
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

  /** The users after this one, in one transaction. */
  private async summariseBatch(run: Run, after: string | null): Promise<Batch> {
    return this.database.tenant(run.tenant_id, async (tx) => {
      // A run that was missed on Monday still lists that Monday's period.
      const { today } = await tenantToday(tx, run.date ?? this.clock.now());
      const period = { from: today, to: addDays(today, PERIOD_DAYS) };
      const recipients = await tx.query<Recipient>(RECIPIENTS_SQL, [
        tx.tenant_id,
        period.from,
        period.to,
        after,
        BATCH_SIZE,
      ]);
      const { created, deliveries } = await this.notifications.createMany(
        tx,
        recipients.map((recipient) => notificationFor(recipient, period)),
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

function notificationFor(
  { user_id, late, upcoming, totals }: Recipient,
  period: Summary['period'],
): NewNotification<'weekly_summary'> {
  return {
    user_id,
    kind: 'weekly_summary',
    severity: 'info',
    data: { period, late: byClient(late), upcoming: byClient(upcoming), totals },
    audience: 'self',
    // One per week, even if it runs again on another day of it.
    dedupe_key: `weekly-summary:${mondayOf(period.from)}`,
  };
}

/** Groups in the order of their first line. */
function byClient(lines: readonly Line[]): SummaryGroup[] {
  const groups = new Map<string | null, SummaryGroup>();
  for (const { client_name, ...line } of lines) {
    const group = groups.get(client_name) ?? { client_name, lines: [] };
    group.lines.push(line);
    groups.set(client_name, group);
  }
  return [...groups.values()];
}
