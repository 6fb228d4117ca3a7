import type { QueryRunner } from 'typeorm';
import { protectTenantTable } from './ddl.js';

/** The webhook endpoints of tenants, and what came of their calls. */
export async function createWebhooks(runner: QueryRunner): Promise<void> {
  await runner.query(`
      CREATE TABLE webhook_endpoints (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        -- Encrypted: it may hold a token.
        url text NOT NULL CHECK (length(url) <= 20000),
        -- For people, without a token.
        url_shown text NOT NULL CHECK (length(url_shown) <= 2000),
        format text NOT NULL CHECK (format IN ('standard', 'slack')),
        -- Null: every kind that suits webhooks.
        kinds text[],
        description text CHECK (length(description) <= 500),
        -- Encrypted. Two are valid after a rotation.
        secret text,
        previous_secret text,
        previous_until timestamptz(3),
        state text NOT NULL DEFAULT 'enabled' CHECK (state IN ('enabled', 'disabled')),
        state_reason text CHECK (state_reason IN ('admin', 'gone', 'failing')),
        state_since timestamptz(3) NOT NULL,
        -- The first failure since the last success.
        failing_since timestamptz(3),
        -- When admins were warned of it.
        warned_at timestamptz(3),
        last_success_at timestamptz(3),
        last_error text CHECK (length(last_error) <= 500),
        created_at timestamptz(3) NOT NULL,
        PRIMARY KEY (tenant_id, id),
        CHECK ((format = 'standard') = (secret IS NOT NULL)),
        CHECK ((previous_secret IS NULL) = (previous_until IS NULL)),
        CHECK ((state = 'disabled') = (state_reason IS NOT NULL))
      );
      -- For each round of the dispatcher: those that fail, and those that worked a moment ago.
      CREATE INDEX webhook_endpoints_failing ON webhook_endpoints (failing_since) WHERE failing_since IS NOT NULL;
      CREATE INDEX webhook_endpoints_working ON webhook_endpoints (last_success_at) WHERE failing_since IS NULL;

      CREATE TABLE webhook_attempts (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL DEFAULT new_id(),
        endpoint_id uuid NOT NULL,
        -- Null for a test.
        delivery_id uuid,
        attempt integer,
        delivered boolean NOT NULL,
        -- The HTTP status; null without an answer.
        status integer,
        duration_ms integer NOT NULL,
        -- Why there was no answer.
        fault text,
        error text CHECK (length(error) <= 500),
        -- The beginning of the answer.
        answer text CHECK (length(answer) <= 500),
        at timestamptz(3) NOT NULL,
        PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, endpoint_id) REFERENCES webhook_endpoints ON DELETE CASCADE
      );
      CREATE INDEX webhook_attempts_list ON webhook_attempts (tenant_id, endpoint_id, id DESC);
      -- For the cleanup.
      CREATE INDEX webhook_attempts_at ON webhook_attempts (tenant_id, at);
    `);
  await protectTenantTable(runner, 'webhook_endpoints');
  await protectTenantTable(runner, 'webhook_attempts');
}
