import type { QueryRunner } from 'typeorm';
import { protectTenantTable, systemTable } from './ddl.js';

/** Roles, tenants, users, and their credentials. */
export async function createPeople(runner: QueryRunner): Promise<void> {
  // The pools run as these two. With separate logins they already exist (preparation.ts).
  await runner.query(`
      DO $$
      DECLARE role_name text;
      BEGIN
        FOREACH role_name IN ARRAY ARRAY['vigie_app', 'vigie_system'] LOOP
          IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            BEGIN
              EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', role_name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
              -- Roles belong to the cluster: the migration of another database created it first.
              NULL;
            END;
          END IF;
          EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), role_name);
        END LOOP;
      END $$;
    `);

  // Ids that grow with time keep the indexes of large tables dense. PostgreSQL 18 has a built-in.
  await runner.query(`
      DO $$
      BEGIN
        IF current_setting('server_version_num')::int >= 180000 THEN
          CREATE FUNCTION new_id() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS 'SELECT uuidv7()';
        ELSE
          CREATE FUNCTION new_id() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $f$
            SELECT encode(
              set_bit(set_bit(
                overlay(uuid_send(gen_random_uuid())
                  PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                  FROM 1 FOR 6),
                52, 1), 53, 1),
              'hex')::uuid
          $f$;
        END IF;
      END $$;
    `);

  await runner.query(`
      CREATE TABLE tenants (
        id uuid PRIMARY KEY DEFAULT new_id(),
        slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
        name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
        kind text NOT NULL CHECK (kind IN ('cabinet', 'company')),
        time_zone text NOT NULL,
        locale text NOT NULL,
        settings jsonb NOT NULL DEFAULT '{}',
        -- An operator's limits of messages per channel, instead of the installation's; 0: none.
        limit_per_hour integer CHECK (limit_per_hour >= 0),
        limit_per_day integer CHECK (limit_per_day >= 0),
        -- Slots before this instant are not owed: creation, or the end of a suspension.
        schedule_from timestamptz(3) NOT NULL,
        suspended_at timestamptz(3),
        -- Another one after each change of its templates; null: it has none. Readers get it with the tenant's row.
        wording_version uuid,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now()
      );

      -- A tenant's own words: one row for each part of a kind that it has adapted, or of a message template
      -- (kind message.<name>).
      CREATE TABLE tenant_templates (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        kind text NOT NULL,
        locale text NOT NULL,
        part text NOT NULL CHECK (part IN ('title', 'body', 'text', 'html')),
        source text NOT NULL CHECK (length(source) <= 20000),
        -- user:<id> or key:<id>
        written_by text NOT NULL,
        updated_at timestamptz(3) NOT NULL,
        -- Since when it fails: the built-in words are used instead.
        broken_since timestamptz(3),
        broken_reason text,
        -- A deleted template of messages: feeds still show messages with it, new messages cannot use it.
        retired_at timestamptz(3),
        PRIMARY KEY (tenant_id, kind, locale, part)
      );

      CREATE TABLE users (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        email text NOT NULL CHECK (length(email) <= 254),
        name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
        role text NOT NULL CHECK (role IN ('member', 'admin')),
        phone text,
        locale text,
        time_zone text,
        -- Whether to bundle messages; null: as in the tenant's settings.
        bundling text CHECK (bundling IN ('together', 'single')),
        password_hash text,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant_id, id)
      );
      CREATE UNIQUE INDEX users_email_key ON users (tenant_id, lower(email));
      CREATE INDEX users_admins ON users (tenant_id) WHERE role = 'admin';

      -- A tenant's choices for users who have none: a missing row means the kind's default.
      CREATE TABLE tenant_preferences (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        kind text NOT NULL,
        channel text NOT NULL,
        enabled boolean NOT NULL,
        PRIMARY KEY (tenant_id, kind, channel)
      );
      -- A user's choices per channel: a missing row means the tenant's choice.
      CREATE TABLE preferences (
        tenant_id uuid NOT NULL,
        user_id uuid NOT NULL,
        kind text NOT NULL,
        channel text NOT NULL,
        enabled boolean NOT NULL,
        PRIMARY KEY (tenant_id, user_id, kind, channel),
        FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
      );
      -- When a user receives only what is critical, in the user's zone.
      CREATE TABLE quiet_hours (
        tenant_id uuid NOT NULL,
        user_id uuid NOT NULL,
        starts_at text CHECK (starts_at ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
        ends_at text CHECK (ends_at ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
        -- [{"days": [1, 2], "from": "08:00", "to": "19:00"}]: outside of these, too; null: never for that reason.
        receiving_hours jsonb CHECK (jsonb_typeof(receiving_hours) = 'array'),
        -- The civil date from which messages are sent again.
        paused_until date,
        PRIMARY KEY (tenant_id, user_id),
        FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE,
        CHECK ((starts_at IS NULL) = (ends_at IS NULL))
      );

      -- One row per login; its refresh token is rotated at each use.
      CREATE TABLE sessions (
        tenant_id uuid NOT NULL,
        family uuid NOT NULL DEFAULT new_id(),
        user_id uuid NOT NULL,
        token_hash bytea NOT NULL,
        previous_hash bytea,
        rotated_at timestamptz(3),
        created_at timestamptz(3) NOT NULL,
        expires_at timestamptz(3) NOT NULL,
        revoked_at timestamptz(3),
        -- The client's name, for people to recognise their sessions.
        user_agent text CHECK (length(user_agent) <= 200),
        PRIMARY KEY (tenant_id, family),
        FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
      );
      CREATE INDEX sessions_user ON sessions (tenant_id, user_id);
      CREATE INDEX sessions_expired ON sessions (expires_at);

      -- One-time links to set a password. Their secret is a signature of the id, so this table holds nothing to steal.
      CREATE TABLE password_links (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL DEFAULT new_id(),
        user_id uuid NOT NULL,
        created_at timestamptz(3) NOT NULL,
        expires_at timestamptz(3) NOT NULL,
        used_at timestamptz(3),
        PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
      );
      CREATE INDEX password_links_user ON password_links (tenant_id, user_id);
      CREATE INDEX password_links_expired ON password_links (expires_at);

      CREATE TABLE api_keys (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
        key_hash bytea NOT NULL,
        scopes text[] NOT NULL,
        -- Set for an agent's key, which may only report for this agent.
        agent_id text CHECK (agent_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
        -- A rotated key stays valid until then.
        rotated_at timestamptz(3),
        previous_hash bytea,
        previous_until timestamptz(3),
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        last_used_at timestamptz(3),
        expires_at timestamptz(3),
        revoked_at timestamptz(3),
        PRIMARY KEY (tenant_id, id),
        UNIQUE (tenant_id, key_hash)
      );
      CREATE UNIQUE INDEX api_keys_previous_hash ON api_keys (tenant_id, previous_hash);

      -- A response is kept for 24 h with the key its caller chose, in the transaction that created the resource.
      CREATE TABLE idempotency_keys (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        principal text NOT NULL,
        key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
        request_hash bytea NOT NULL,
        -- The response byte for byte: jsonb would sort its fields.
        response json,
        created_at timestamptz(3) NOT NULL,
        PRIMARY KEY (tenant_id, principal, key)
      );
      CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

      CREATE TABLE operators (
        id uuid PRIMARY KEY DEFAULT new_id(),
        email text NOT NULL CHECK (length(email) <= 254),
        name text NOT NULL,
        password_hash text NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now()
      );
      CREATE UNIQUE INDEX operators_email_key ON operators (lower(email));
      CREATE TABLE operator_sessions (
        family uuid PRIMARY KEY DEFAULT new_id(),
        operator_id uuid NOT NULL REFERENCES operators ON DELETE CASCADE,
        token_hash bytea NOT NULL,
        previous_hash bytea,
        rotated_at timestamptz(3),
        created_at timestamptz(3) NOT NULL,
        expires_at timestamptz(3) NOT NULL,
        revoked_at timestamptz(3),
        user_agent text CHECK (length(user_agent) <= 200)
      );
    `);

  await protectTenantTable(runner, 'tenants', 'id');
  for (const table of [
    'tenant_templates',
    'users',
    'tenant_preferences',
    'preferences',
    'quiet_hours',
    'sessions',
    'password_links',
    'api_keys',
    'idempotency_keys',
  ]) {
    await protectTenantTable(runner, table);
  }
  await systemTable(runner, 'operators');
  await systemTable(runner, 'operator_sessions');
}
