import { Inject, Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { invalid, notFound, Problem } from '../platform/errors/problem.js';
import type { TenantCaller } from '../platform/http/caller.js';
import { decodeCursor, type Page, pageOf } from '../platform/http/cursor.js';
import type { PageQuery } from '../platform/http/page.dto.js';
import { nextDate, nextOccasion } from './calendar.js';
import { INSERT_REMINDER, REMINDER_COLUMNS, type ReminderChange, SAVE_REMINDER } from './reminder-rows.js';
import { Reminder, type ReminderFields } from './reminders.dto.js';

/** The most reminders of a user. */
export const MAX_REMINDERS = 100;
const DEFAULT_TIME = '09:00';

/** Reminders as their users and the tenant's admins set them. */
@Injectable()
export class Reminders {
  constructor(
    private readonly database: Database,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * @throws Problem not_found for a user whom the caller may not act for; validation_failed for missing fields, and a
   * ticket that is settled or not the user's; conflict if the user has 100 reminders.
   */
  async create(
    tx: TenantTransaction,
    caller: TenantCaller,
    userId: string,
    fields: ReminderFields,
  ): Promise<Reminder> {
    const zone = await this.zoneOf(tx, caller, userId);
    const { frequency_days, channels, mode = 'all', local_time = DEFAULT_TIME, active = true } = fields;
    if (frequency_days === undefined) throw invalid('/frequency_days', 'is required');
    if (channels === undefined) throw invalid('/channels', 'is required');
    const now = this.clock.now();
    await checkTicket(tx, userId, fields.ticket_id);
    const reminder = this.scheduled(
      {
        frequency_days,
        channels,
        mode,
        local_time,
        active,
        starts_on: fields.starts_on ?? nextDate(local_time, zone, now),
        ticket_id: fields.ticket_id ?? null,
        ends_after: fields.ends_after ?? null,
        message: fields.message ?? null,
        sent_count: 0,
        ended_at: null,
        end_reason: null,
      },
      zone,
    );
    const values = [tx.tenant_id, userId, JSON.stringify(reminder), MAX_REMINDERS];
    const created = await tx.one<Reminder>(INSERT_REMINDER, values);
    if (created === null) throw new Problem('conflict', `a user has at most ${MAX_REMINDERS} reminders`);
    return created;
  }

  /**
   * The reminders of a user, the oldest first: ids grow with time.
   * @throws Problem not_found
   */
  async list(caller: TenantCaller, userId: string, { limit, cursor }: PageQuery): Promise<Page<Reminder>> {
    const [after = null] = cursor === undefined ? [] : decodeCursor(cursor, [(key) => isUUID(key)]);
    const rows = await this.database.tenant(caller.tenant_id, async (tx) => {
      await this.zoneOf(tx, caller, userId);
      return tx.query<Reminder>(
        `SELECT ${REMINDER_COLUMNS} FROM reminders
         WHERE tenant_id = $1 AND user_id = $2 AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4`,
        [tx.tenant_id, userId, after, limit + 1],
      );
    });
    return pageOf(
      rows,
      limit,
      ({ id }) => [id],
      (reminder) => reminder,
    );
  }

  /** @throws Problem not_found */
  async get(caller: TenantCaller, id: string): Promise<Reminder> {
    return this.database.tenant(caller.tenant_id, (tx) => this.find(tx, caller, id));
  }

  /**
   * Changes the given fields. A changed rhythm, or the end of a pause, moves the next date to the first one
   * after now: missed dates are not sent.
   * @throws Problem not_found; validation_failed for a ticket that is settled or not the user's.
   */
  async update(caller: TenantCaller, id: string, fields: ReminderFields): Promise<Reminder> {
    return this.database.tenant(caller.tenant_id, async (tx) => {
      const current = await this.find(tx, caller, id, 'FOR UPDATE');
      if (Object.keys(fields).length === 0) return current;
      const { user_id } = current;
      const zone = await this.zoneOf(tx, caller, user_id);
      const restarts = fields.active === true && current.ended_at !== null;
      const start = restarts ? { ended_at: null, end_reason: null, sent_count: 0 } : {};
      const next: Reminder = Object.assign(new Reminder(), current, fields, start);
      if (fields.ticket_id !== undefined || restarts) await checkTicket(tx, user_id, next.ticket_id);
      const changed = this.scheduled(next, zone);
      // What is due but not sent yet stays due if only its words or channels change.
      const kept = isSameRhythm(current, next) ? { next_on: current.next_on, next_at: current.next_at } : {};
      const values = [tx.tenant_id, id, JSON.stringify({ ...changed, ...kept })];
      const saved = await tx.one<Reminder>(SAVE_REMINDER, values);
      if (saved === null) throw new Error('the reminder was not stored');
      return saved;
    });
  }

  /** @throws Problem not_found */
  async remove(caller: TenantCaller, id: string): Promise<void> {
    await this.database.tenant(caller.tenant_id, async (tx) => {
      await this.find(tx, caller, id, 'FOR UPDATE');
      await tx.execute(`DELETE FROM reminders WHERE tenant_id = $1 AND id = $2`, [tx.tenant_id, id]);
    });
  }

  /** With its next date, if it is active. */
  private scheduled(
    fields: Omit<ReminderChange, 'next_on' | 'next_at' | 'time_zone' | 'updated_at'>,
    zone: string,
  ): ReminderChange {
    const now = this.clock.now();
    const next = fields.active ? nextOccasion(fields, zone, now) : null;
    return {
      ...fields,
      next_on: next?.on ?? null,
      next_at: next?.at ?? null,
      time_zone: next === null ? null : zone,
      updated_at: now,
    };
  }

  private async find(tx: TenantTransaction, caller: TenantCaller, id: string, lock = ''): Promise<Reminder> {
    const reminder = await tx.one<Reminder>(
      `SELECT ${REMINDER_COLUMNS} FROM reminders WHERE tenant_id = $1 AND id = $2 ${lock}`,
      [tx.tenant_id, id],
    );
    if (reminder === null || !mayActFor(caller, reminder.user_id)) throw notFound();
    return reminder;
  }

  /**
   * The zone of a user whom the caller may act for.
   * @throws Problem not_found
   */
  private async zoneOf(tx: TenantTransaction, caller: TenantCaller, userId: string): Promise<string> {
    if (!mayActFor(caller, userId)) throw notFound();
    const user = await tx.one<{ zone: string }>(
      `SELECT coalesce(u.time_zone, t.time_zone) AS zone
       FROM users u JOIN tenants t ON t.id = u.tenant_id WHERE u.tenant_id = $1 AND u.id = $2`,
      [tx.tenant_id, userId],
    );
    if (user === null) throw notFound();
    return user.zone;
  }
}

/** Whether both are active, with the same dates and hour. */
function isSameRhythm(one: Reminder, other: Reminder): boolean {
  return (
    one.active &&
    other.active &&
    one.starts_on === other.starts_on &&
    one.frequency_days === other.frequency_days &&
    one.local_time === other.local_time
  );
}

/** Admins and programs act for every user of their tenant, members for themselves. */
function mayActFor({ kind, role, user_id }: TenantCaller, userId: string): boolean {
  return kind === 'api_key' || role === 'admin' || user_id === userId;
}

/** @throws Problem validation_failed; another tenant's ticket gets the same answer as an unknown one. */
async function checkTicket(
  tx: TenantTransaction,
  userId: string,
  ticketId: string | null | undefined,
): Promise<void> {
  if (ticketId == null) return;
  const ticket = await tx.one<{ settled_at: Date | null }>(
    `SELECT settled_at FROM tickets WHERE tenant_id = $1 AND id = $2 AND responsible_id = $3`,
    [tx.tenant_id, ticketId, userId],
  );
  if (ticket === null) throw invalid('/ticket_id', 'is not a ticket of this user');
  if (ticket.settled_at !== null) throw invalid('/ticket_id', 'is settled');
}
