import type { QueryRunner } from 'typeorm';
import { protectTenantTable } from './ddl.js';

/** Alerts, and the notifications about them. */
export async function createNotifications(runner: QueryRunner): Promise<void> {
  await runner.query(`
      CREATE TABLE alerts (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        kind text NOT NULL,
        severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
        source_type text NOT NULL,
        source_id uuid,
        dedupe_key text NOT NULL CHECK (length(dedupe_key) BETWEEN 1 AND 300),
        -- Days before the due date of the last announced stage; negative after it.
        stage smallint NOT NULL DEFAULT 0,
        -- Facts as in a notification: the title is rendered when shown.
        data jsonb NOT NULL DEFAULT '{}',
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved')),
        occurrences integer NOT NULL DEFAULT 1,
        first_seen_at timestamptz(3) NOT NULL,
        last_seen_at timestamptz(3) NOT NULL,
        gone_at timestamptz(3),
        resolved_at timestamptz(3),
        resolved_by uuid,
        -- Somebody takes care of it (null as the person: a program or a bare address), or wants to hear of it later.
        -- Neither ends it: it is counted, and announced to nobody.
        acknowledged_at timestamptz(3),
        acknowledged_by uuid,
        snoozed_until timestamptz(3),
        -- When people were last notified of it; null where only its stages decide.
        last_notified_at timestamptz(3),
        CHECK ((state = 'resolved') = (resolved_at IS NOT NULL)),
        CHECK (gone_at IS NULL OR state = 'resolved'),
        CHECK (acknowledged_at IS NOT NULL OR acknowledged_by IS NULL)
      )
      -- Each check updates every standing alert. No index covers the updated columns, and pages have room for a new
      -- version of each row, so updates are heap-only tuples and touch no index.
      WITH (fillfactor = 50);
      -- A fact has one alert as long as it is true.
      CREATE UNIQUE INDEX alerts_fact ON alerts (tenant_id, dedupe_key) WHERE gone_at IS NULL;
      CREATE INDEX alerts_standing ON alerts (tenant_id, kind) WHERE gone_at IS NULL;
      -- Also of ended alerts: the page of a backup lists them.
      CREATE INDEX alerts_source ON alerts (tenant_id, source_type, source_id);
      CREATE INDEX alerts_snoozed ON alerts (tenant_id, snoozed_until)
        WHERE gone_at IS NULL AND snoozed_until IS NOT NULL;
      -- Newest first: pages stay stable while checks update counts.
      CREATE INDEX alerts_list ON alerts (tenant_id, first_seen_at DESC, id DESC);
      -- After the other indexes: while a table has no statistics PostgreSQL takes the newest of equally good ones, and a
      -- foreign key's check would read all of a tenant's rows by another index that has the id, too.
      ALTER TABLE alerts ADD PRIMARY KEY (tenant_id, id);

      CREATE TABLE inboxes (
        tenant_id uuid NOT NULL,
        user_id uuid NOT NULL,
        seq bigint NOT NULL,
        -- What the user has seen: notifications up to this (created_seq, id).
        seen_seq bigint NOT NULL DEFAULT 0,
        seen_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
        PRIMARY KEY (tenant_id, user_id),
        FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
      );

      CREATE TABLE notifications (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        -- user:<id>, mailto:<address>, tel:<number>, webhook:<endpoint id>
        recipient text NOT NULL CHECK (length(recipient) <= 300),
        user_id uuid,
        alert_id uuid,
        created_by text,
        dedupe_key text NOT NULL CHECK (length(dedupe_key) BETWEEN 1 AND 300),
        kind text NOT NULL,
        severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
        -- Facts only: title and body are rendered when shown or sent.
        data jsonb NOT NULL DEFAULT '{}',
        -- Why this person is notified (contracts/audiences).
        audience text NOT NULL,
        -- The inbox's seq when this row last changed; reconnecting clients ask for rows after theirs.
        seq bigint NOT NULL DEFAULT 0,
        -- The inbox's seq when this row was created, which no mark changes. Not an instant: transactions commit in the
        -- order of seqs, not of their clocks, so nothing appears below what a user has seen.
        created_seq bigint NOT NULL DEFAULT 0,
        -- W3C Trace Context of what created it; without tracing nothing sets it (platform/tracing).
        traceparent text DEFAULT nullif(current_setting('app.traceparent', true), ''),
        created_at timestamptz(3) NOT NULL,
        read_at timestamptz(3),
        archived_at timestamptz(3),
        -- Copied from its alert with each new seq, so that reading a feed needs no join.
        acknowledged_at timestamptz(3),
        acknowledged_by uuid,
        snoozed_until timestamptz(3),
        -- Deduplicates under any concurrency.
        UNIQUE (tenant_id, recipient, dedupe_key),
        FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE SET NULL (user_id),
        FOREIGN KEY (tenant_id, alert_id) REFERENCES alerts
      );
      CREATE INDEX notifications_feed ON notifications (tenant_id, user_id, created_at DESC, id DESC);
      CREATE INDEX notifications_changes ON notifications (tenant_id, user_id, seq, id);
      CREATE INDEX notifications_unread ON notifications (tenant_id, user_id, created_at DESC, id DESC)
        WHERE read_at IS NULL AND archived_at IS NULL;
      CREATE INDEX notifications_unseen ON notifications (tenant_id, user_id, created_seq, id)
        WHERE archived_at IS NULL AND user_id IS NOT NULL;
      CREATE INDEX notifications_created ON notifications (tenant_id, created_by, created_at DESC, id DESC)
        WHERE created_by IS NOT NULL;
      -- What was sent about a ticket.
      CREATE INDEX notifications_ticket ON notifications (tenant_id, (data ->> 'ticket_id')) WHERE kind = 'reminder';
      -- The message templates in use.
      CREATE INDEX notifications_template ON notifications (tenant_id, (data ->> 'template'))
        WHERE kind = 'message' AND data ? 'template';
      CREATE INDEX notifications_alert ON notifications (tenant_id, alert_id) WHERE alert_id IS NOT NULL;
      -- After the other indexes, as for alerts.
      ALTER TABLE notifications ADD PRIMARY KEY (tenant_id, id);

      -- Notifications for which another channel is used if theirs fails for good, and which channels are left.
      CREATE TABLE channel_fallbacks (
        tenant_id uuid NOT NULL,
        notification_id uuid NOT NULL,
        remaining text[] NOT NULL CHECK (cardinality(remaining) > 0),
        PRIMARY KEY (tenant_id, notification_id),
        FOREIGN KEY (tenant_id, notification_id) REFERENCES notifications ON DELETE CASCADE
      );

      -- What was announced, of notifications that the cleanup has deleted: it is not announced again. The key is a
      -- hash of recipient and dedupe_key, so it is small and names nobody.
      CREATE TABLE announced_keys (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        key uuid NOT NULL,
        -- Null: kept for good, because its fact may return.
        until timestamptz(3),
        PRIMARY KEY (tenant_id, key)
      );
    `);
  for (const table of ['alerts', 'inboxes', 'notifications', 'channel_fallbacks', 'announced_keys'])
    await protectTenantTable(runner, table);
}
