import type { Reminder } from './reminders.dto.js';

/** The columns of a `Reminder`. */
export const REMINDER_COLUMNS = `id, user_id, ticket_id, active, frequency_days, channels, mode, local_time, starts_on,
  ends_after, sent_count, message, next_on, next_at, ended_at, end_reason, created_at, updated_at`;

/** The columns that requests and rounds change. */
export type ReminderChange = Omit<Reminder, 'id' | 'user_id' | 'created_at'> & { time_zone: string | null };

/** Stores these fields of one reminder: $1 tenant id, $2 id, $3 the fields as jsonb. */
export const SAVE_REMINDER = `
  UPDATE reminders r
  SET ticket_id = c.ticket_id, active = c.active, frequency_days = c.frequency_days, channels = c.channels,
      mode = c.mode, local_time = c.local_time, starts_on = c.starts_on, ends_after = c.ends_after,
      sent_count = c.sent_count, message = c.message, next_on = c.next_on, next_at = c.next_at,
      time_zone = c.time_zone, ended_at = c.ended_at, end_reason = c.end_reason, updated_at = c.updated_at
  FROM jsonb_populate_record(NULL::reminders, $3) c
  WHERE r.tenant_id = $1 AND r.id = $2
  RETURNING ${qualified('r')}`;

function qualified(alias: string): string {
  return REMINDER_COLUMNS.split(',')
    .map((column) => `${alias}.${column.trim()}`)
    .join(', ');
}

/** Inserts one, unless the user has $4 already: $1 tenant id, $2 user id, $3 the fields as jsonb. */
export const INSERT_REMINDER = `
  INSERT INTO reminders (tenant_id, user_id, ticket_id, active, frequency_days, channels, mode, local_time, starts_on,
                         ends_after, sent_count, message, next_on, next_at, time_zone, ended_at, end_reason,
                         created_at, updated_at)
  SELECT $1, $2, ticket_id, active, frequency_days, channels, mode, local_time, starts_on, ends_after, sent_count,
         message, next_on, next_at, time_zone, ended_at, end_reason, updated_at, updated_at
  FROM jsonb_populate_record(NULL::reminders, $3)
  WHERE (SELECT count(*) FROM reminders WHERE tenant_id = $1 AND user_id = $2) < $4
  RETURNING ${REMINDER_COLUMNS}`;
