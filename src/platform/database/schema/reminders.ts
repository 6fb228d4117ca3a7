import type { QueryRunner } from 'typeorm';
import { protectTenantTable } from './ddl.js';

/** Reminders of users; tickets are with the watched items. */
export async function createReminders(runner: QueryRunner): Promise<void> {
  await runner.query(`
      CREATE TABLE reminders (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL DEFAULT new_id(),
        user_id uuid NOT NULL,
        ticket_id uuid,
        -- The calendar: starts_on and every frequency_days after it, at local_time in the user's zone.
        frequency_days smallint NOT NULL CHECK (frequency_days BETWEEN 1 AND 366),
        local_time text NOT NULL CHECK (local_time ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
        starts_on date NOT NULL,
        ends_after integer CHECK (ends_after > 0),
        sent_count integer NOT NULL DEFAULT 0,
        message text CHECK (length(message) BETWEEN 1 AND 2000),
        -- [{channel, enabled}], in the order of their use.
        channels jsonb NOT NULL,
        mode text NOT NULL CHECK (mode IN ('all', 'first_that_works')),
        active boolean NOT NULL,
        ended_at timestamptz(3),
        end_reason text CHECK (end_reason IN ('count', 'ticket_settled', 'ticket_moved')),
        -- The next civil date, and its instant in this zone.
        next_on date,
        next_at timestamptz(3),
        time_zone text,
        created_at timestamptz(3) NOT NULL,
        updated_at timestamptz(3) NOT NULL,
        PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE,
        FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets ON DELETE CASCADE,
        CHECK (active = (next_at IS NOT NULL)),
        CHECK ((next_at IS NULL) = (next_on IS NULL) AND (next_at IS NULL) = (time_zone IS NULL)),
        CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
        CHECK (NOT active OR ended_at IS NULL)
      );
      CREATE INDEX reminders_due ON reminders (tenant_id, next_at) WHERE next_at IS NOT NULL;
      CREATE INDEX reminders_user ON reminders (tenant_id, user_id, id);
      CREATE INDEX reminders_ticket ON reminders (tenant_id, ticket_id) WHERE ticket_id IS NOT NULL;
    `);
  await protectTenantTable(runner, 'reminders');
}
