import type { QueryRunner } from 'typeorm';
import { protectTenantTable } from './ddl.js';

/** The apps and browsers to which users let pushes be sent. */
export async function createDevices(runner: QueryRunner): Promise<void> {
  await runner.query(`
      CREATE TABLE devices (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL DEFAULT new_id(),
        user_id uuid NOT NULL,
        platform text NOT NULL CHECK (platform IN ('fcm', 'web_push')),
        -- SHA-256 of the token: a device is registered once in a tenant, for the last user who signed in on it.
        fingerprint bytea NOT NULL,
        -- The token of the app, or the subscription of the browser, encrypted.
        token text NOT NULL,
        name text CHECK (length(name) <= 100),
        created_at timestamptz(3) NOT NULL,
        -- When its app last registered it.
        seen_at timestamptz(3) NOT NULL,
        PRIMARY KEY (tenant_id, id),
        UNIQUE (tenant_id, fingerprint),
        FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
      );
      CREATE INDEX devices_user ON devices (tenant_id, user_id);
    `);
  await protectTenantTable(runner, 'devices');
}
