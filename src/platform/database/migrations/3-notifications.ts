import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTenantTable, systemTable } from './ddl.js';

/** Alerts, notifications, deliveries, and the ledger of runs. */
export class Notifications1700000000003 implements MigrationInterface {
  name = 'Notifications1700000000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE alerts (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        kind text NOT NULL,
        severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
        source_type text NOT NULL,
        source_id uuid,
        dedupe_key text NOT NULL CHECK (length(dedupe_key) BETWEEN 1 AND 300),
        -- Days before the due date that was last told; negative after it.
        stage smallint NOT NULL DEFAULT 0,
        title text NOT NULL,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved')),
        occurrences integer NOT NULL DEFAULT 1,
        first_seen_at timestamptz(3) NOT NULL,
        last_seen_at timestamptz(3) NOT NULL,
        gone_at timestamptz(3),
        resolved_at timestamptz(3),
        resolved_by uuid,
        PRIMARY KEY (tenant_id, id),
        CHECK ((state = 'resolved') = (resolved_at IS NOT NULL)),
        CHECK (gone_at IS NULL OR state = 'resolved')
      );
      -- A fact has one alert for as long as it holds.
      CREATE UNIQUE INDEX alerts_fact ON alerts (tenant_id, dedupe_key) WHERE gone_at IS NULL;
      CREATE INDEX alerts_standing ON alerts (tenant_id, kind) WHERE gone_at IS NULL;
      CREATE INDEX alerts_source ON alerts (tenant_id, source_type, source_id) WHERE gone_at IS NULL;
      CREATE INDEX alerts_list ON alerts (tenant_id, last_seen_at DESC, id DESC);

      CREATE TABLE inboxes (
        tenant_id uuid NOT NULL,
        user_id uuid NOT NULL,
        seq bigint NOT NULL,
        PRIMARY KEY (tenant_id, user_id),
        FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
      );

      CREATE TABLE notifications (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        -- user:<id>, mailto:<address>, tel:<number>
        recipient text NOT NULL CHECK (length(recipient) <= 300),
        user_id uuid,
        alert_id uuid,
        created_by text,
        dedupe_key text NOT NULL CHECK (length(dedupe_key) BETWEEN 1 AND 300),
        kind text NOT NULL,
        severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
        title text NOT NULL,
        body text NOT NULL,
        data jsonb NOT NULL DEFAULT '{}',
        -- The inbox's seq when this one was last changed: what a reconnecting client asks for.
        seq bigint NOT NULL DEFAULT 0,
        created_at timestamptz(3) NOT NULL,
        read_at timestamptz(3),
        archived_at timestamptz(3),
        PRIMARY KEY (tenant_id, id),
        -- Never twice, whatever runs at the same time.
        UNIQUE (tenant_id, recipient, dedupe_key),
        FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE SET NULL (user_id),
        FOREIGN KEY (tenant_id, alert_id) REFERENCES alerts
      );
      CREATE INDEX notifications_feed ON notifications (tenant_id, user_id, created_at DESC, id DESC);
      CREATE INDEX notifications_changes ON notifications (tenant_id, user_id, seq, id);
      CREATE INDEX notifications_unread ON notifications (tenant_id, user_id, created_at DESC, id DESC)
        WHERE read_at IS NULL AND archived_at IS NULL;
      CREATE INDEX notifications_alert ON notifications (tenant_id, alert_id) WHERE alert_id IS NOT NULL;

      CREATE TABLE deliveries (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        notification_id uuid NOT NULL,
        -- Copied from the notification: the dispatcher decides on this table alone.
        recipient text NOT NULL,
        critical boolean NOT NULL,
        channel text NOT NULL,
        address text NOT NULL,
        state text NOT NULL DEFAULT 'pending' CHECK (state IN
          ('pending', 'queued', 'sending', 'sent', 'failed', 'suppressed', 'cancelled', 'unknown')),
        attempts integer NOT NULL DEFAULT 0,
        -- Attempts that ended without an answer: the provider may have accepted the message.
        ambiguities integer NOT NULL DEFAULT 0,
        due_at timestamptz(3) NOT NULL,
        admitted_at timestamptz(3),
        lease_token uuid,
        lease_until timestamptz(3),
        error text,
        provider_id text,
        reason text,
        defer_reason text,
        created_at timestamptz(3) NOT NULL,
        sent_at timestamptz(3),
        ended_at timestamptz(3),
        PRIMARY KEY (tenant_id, id),
        UNIQUE (tenant_id, notification_id, channel, address),
        FOREIGN KEY (tenant_id, notification_id) REFERENCES notifications ON DELETE CASCADE,
        CHECK ((state IN ('queued', 'sending')) = (lease_token IS NOT NULL)),
        CHECK ((lease_token IS NULL) = (lease_until IS NULL)),
        CHECK ((state IN ('sent', 'failed', 'suppressed', 'cancelled', 'unknown')) = (ended_at IS NOT NULL)),
        CHECK ((state = 'sent') = (sent_at IS NOT NULL))
      );
      -- What may be due, in the order of turns: channel, tenant, critical ones first.
      CREATE INDEX deliveries_pending ON deliveries (channel, tenant_id, critical DESC, due_at, id)
        WHERE state = 'pending';
      CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE state IN ('queued', 'sending');
      CREATE INDEX deliveries_in_flight ON deliveries (channel, tenant_id) WHERE state IN ('queued', 'sending');
      -- Usage, for the limits.
      CREATE INDEX deliveries_usage ON deliveries (tenant_id, recipient, channel, admitted_at)
        WHERE admitted_at IS NOT NULL;
      CREATE INDEX deliveries_admitted ON deliveries (channel, admitted_at) WHERE admitted_at IS NOT NULL;
      CREATE INDEX deliveries_list ON deliveries (tenant_id, created_at DESC, id DESC);

      -- Whose turn it is, and whether a channel is paused.
      CREATE TABLE channels (
        channel text PRIMARY KEY,
        paused boolean NOT NULL DEFAULT false,
        cursor_tenant_id uuid
      );
      INSERT INTO channels (channel) VALUES ('email');

      CREATE TABLE workers (
        id uuid NOT NULL,
        channel text NOT NULL,
        concurrency integer NOT NULL CHECK (concurrency > 0),
        seen_at timestamptz(3) NOT NULL,
        PRIMARY KEY (id, channel)
      );

      CREATE TABLE job_runs (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        job text NOT NULL,
        -- Local date and time for fixed hours, UTC for intervals, null for a run by hand.
        slot text,
        state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'succeeded', 'failed')),
        attempts integer NOT NULL DEFAULT 0,
        due_at timestamptz(3) NOT NULL,
        lease_token uuid,
        lease_until timestamptz(3),
        counts jsonb,
        error text,
        triggered_by text,
        created_at timestamptz(3) NOT NULL,
        started_at timestamptz(3),
        finished_at timestamptz(3),
        PRIMARY KEY (tenant_id, id),
        UNIQUE (tenant_id, job, slot),
        CHECK ((state IN ('succeeded', 'failed')) = (finished_at IS NOT NULL))
      );
      CREATE INDEX job_runs_leased ON job_runs (lease_until) WHERE state IN ('queued', 'running');
      CREATE INDEX job_runs_latest ON job_runs (tenant_id, job, created_at DESC);
    `);
    for (const table of ['alerts', 'inboxes', 'notifications', 'deliveries', 'job_runs']) {
      await protectTenantTable(runner, table);
    }
    await systemTable(runner, 'channels');
    await systemTable(runner, 'workers');
  }

  async down(): Promise<void> {
    // Migrations only go forward.
  }
}
