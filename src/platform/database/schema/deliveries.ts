import type { QueryRunner } from 'typeorm';
import { protectTenantTable, systemTable } from './ddl.js';

/** Deliveries, the channels that send them, and the workers. */
export async function createDeliveries(runner: QueryRunner): Promise<void> {
  await runner.query(`
      CREATE TABLE deliveries (
        -- The notification's tenant; the notification has the foreign key.
        tenant_id uuid NOT NULL,
        id uuid NOT NULL DEFAULT new_id(),
        notification_id uuid NOT NULL,
        -- Copied from the notification: the dispatcher reads only this table.
        recipient text NOT NULL,
        critical boolean NOT NULL,
        channel text NOT NULL,
        address text NOT NULL,
        -- Deliveries of one recipient with the same key may be sent as one message; null: never bundled.
        bundle_key text,
        -- The message that carries it, fixed once sending was attempted: the id of one of its deliveries.
        bundle_id uuid,
        -- One delivery of each message represents it where messages are counted.
        leads boolean NOT NULL DEFAULT true,
        state text NOT NULL DEFAULT 'pending' CHECK (state IN
          ('pending', 'queued', 'sending', 'sent', 'failed', 'suppressed', 'cancelled', 'unknown')),
        attempts integer NOT NULL DEFAULT 0,
        -- Attempts that ended without an answer: the provider may have accepted the message.
        ambiguities integer NOT NULL DEFAULT 0,
        due_at timestamptz(3) NOT NULL,
        -- When it was first due. Retries and deferrals move due_at; the maximum age counts from here.
        due_since timestamptz(3) NOT NULL DEFAULT now(),
        admitted_at timestamptz(3),
        lease_token uuid,
        lease_until timestamptz(3),
        error text,
        provider_id text,
        -- What was actually sent, stored on the delivery that leads its message.
        sent_subject text,
        sent_text text,
        -- Text messages that the operator charges, stored on the delivery that leads its message.
        segments smallint,
        reason text,
        defer_reason text,
        -- Who sent it in a request, bypassing the queue; null when the dispatcher admits it.
        direct_by text,
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
      -- Deliveries that may be due, in dispatch order: channel, tenant, critical ones first.
      CREATE INDEX deliveries_pending ON deliveries (channel, tenant_id, critical DESC, due_at, id)
        WHERE state = 'pending';
      CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE state IN ('queued', 'sending');
      CREATE INDEX deliveries_in_flight ON deliveries (channel, tenant_id)
        WHERE state IN ('queued', 'sending') AND leads;
      -- Deliveries that may be bundled with one that is dispatched.
      CREATE INDEX deliveries_bundling ON deliveries (tenant_id, channel, recipient, bundle_key, due_at, id)
        WHERE state = 'pending' AND bundle_key IS NOT NULL AND bundle_id IS NULL;
      -- The message first: an event of a provider names it, and not its tenant.
      CREATE INDEX deliveries_bundle ON deliveries (bundle_id, tenant_id) WHERE bundle_id IS NOT NULL;
      CREATE INDEX deliveries_provider_id ON deliveries (provider_id) WHERE provider_id IS NOT NULL;
      -- Who answers STOP names only their number.
      CREATE INDEX deliveries_numbers ON deliveries (address, tenant_id, created_at)
        WHERE channel = 'sms' AND state = 'sent';
      -- Messages admitted, for the limits.
      CREATE INDEX deliveries_usage ON deliveries (tenant_id, recipient, channel, admitted_at)
        WHERE admitted_at IS NOT NULL AND leads;
      CREATE INDEX deliveries_admitted ON deliveries (channel, tenant_id, admitted_at)
        WHERE admitted_at IS NOT NULL AND leads;
      -- Messages that wait for their tenant's limit: each gets a later slot than those before it.
      CREATE INDEX deliveries_over_tenant_limit ON deliveries (tenant_id, channel, due_at)
        WHERE state = 'pending' AND defer_reason IN ('limit_per_tenant_per_hour', 'limit_per_tenant_per_day');
      -- A caller's own usage, for the limits of direct calls.
      CREATE INDEX deliveries_direct ON deliveries (tenant_id, direct_by, channel, admitted_at)
        WHERE direct_by IS NOT NULL;
      -- For a tenant's statistics.
      CREATE INDEX deliveries_ended ON deliveries (tenant_id, channel, state, ended_at)
        WHERE ended_at IS NOT NULL;
      CREATE INDEX deliveries_failed ON deliveries (channel, ended_at) WHERE state = 'failed';

      -- The history of a delivery: why it waited, failed or ended. No addresses.
      CREATE TABLE delivery_events (
        tenant_id uuid NOT NULL,
        delivery_id uuid NOT NULL,
        id uuid NOT NULL DEFAULT new_id(),
        event text NOT NULL CHECK (event IN
          ('deferred', 'retried', 'failed', 'unknown', 'returned', 'requeued', 'suppressed', 'cancelled', 'reset')),
        -- Attempts so far.
        attempt integer NOT NULL,
        reason text,
        until timestamptz(3),
        error text CHECK (length(error) <= 500),
        at timestamptz(3) NOT NULL,
        PRIMARY KEY (tenant_id, delivery_id, id),
        FOREIGN KEY (tenant_id, delivery_id) REFERENCES deliveries ON DELETE CASCADE
      );

      -- Whose turn it is, whether a channel is paused, and whether it works: it is down while down_since is set.
      CREATE TABLE channels (
        channel text PRIMARY KEY,
        paused boolean NOT NULL DEFAULT false,
        cursor_tenant_id uuid,
        down_since timestamptz(3),
        down_cause text CHECK (down_cause IN ('unreachable', 'tls', 'login', 'policy', 'quota', 'misconfigured')),
        down_detail text CHECK (length(down_detail) <= 500),
        up_since timestamptz(3),
        -- The last success, to a few seconds; null if none since it was last down.
        worked_at timestamptz(3),
        next_probe_at timestamptz(3),
        probed_at timestamptz(3),
        -- Kept while the channel is up: a flapping channel resumes with its previous interval.
        probe_interval_ms integer CHECK (probe_interval_ms > 0),
        -- The running probe: a message's lease token, or that of a connection test.
        probe_token uuid,
        probe_is_message boolean NOT NULL DEFAULT false,
        CHECK ((down_since IS NULL) = (down_cause IS NULL)),
        CHECK ((down_since IS NULL) = (next_probe_at IS NULL)),
        CHECK (down_since IS NOT NULL OR probe_token IS NULL)
      );
      INSERT INTO channels (channel) VALUES ('email'), ('sms'), ('push'), ('webhook');

      -- Requeues and discards of dead letters, and how far they are.
      CREATE TABLE dead_letter_acts (
        id uuid PRIMARY KEY DEFAULT new_id(),
        act text NOT NULL CHECK (act IN ('requeue', 'discard')),
        state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'succeeded')),
        -- The chosen deliveries. Null: every tenant, delivery, channel or cause.
        chosen_tenant_id uuid,
        ids uuid[],
        channel text,
        cause text,
        reason text,
        since timestamptz(3) NOT NULL,
        -- Why they are discarded, in a person's words.
        why text CHECK (length(why) <= 500),
        by text NOT NULL,
        total integer NOT NULL,
        done integer NOT NULL DEFAULT 0,
        created_at timestamptz(3) NOT NULL,
        finished_at timestamptz(3),
        CHECK ((state = 'running') = (finished_at IS NULL)),
        CHECK ((act = 'discard') = (why IS NOT NULL))
      );
      CREATE INDEX dead_letter_acts_running ON dead_letter_acts (created_at) WHERE state = 'running';

      CREATE TABLE workers (
        id uuid NOT NULL,
        channel text NOT NULL,
        concurrency integer NOT NULL CHECK (concurrency > 0),
        seen_at timestamptz(3) NOT NULL,
        PRIMARY KEY (id, channel)
      );
    `);
  await protectTenantTable(runner, 'deliveries');
  await protectTenantTable(runner, 'delivery_events');
  await systemTable(runner, 'channels');
  await systemTable(runner, 'dead_letter_acts');
  await systemTable(runner, 'workers');
}
