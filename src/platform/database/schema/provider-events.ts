import type { QueryRunner } from 'typeorm';
import { protectTenantTable, systemTable } from './ddl.js';

/** What providers report about messages after accepting them, and the addresses that it stops. */
export async function createProviderEvents(runner: QueryRunner): Promise<void> {
  await runner.query(`
      CREATE TABLE provider_events (
        tenant_id uuid NOT NULL,
        delivery_id uuid NOT NULL,
        provider text NOT NULL,
        -- The provider's own id of the event, or what identifies it: a second one changes nothing.
        event_key text NOT NULL CHECK (length(event_key) <= 200),
        event text NOT NULL CHECK (event IN
          ('delivered', 'bounced', 'complained', 'stopped', 'started', 'failed')),
        bounce text CHECK (bounce IN ('hard', 'soft')),
        -- The provider's words, without addresses.
        detail text CHECK (length(detail) <= 500),
        at timestamptz(3) NOT NULL,
        received_at timestamptz(3) NOT NULL,
        PRIMARY KEY (tenant_id, delivery_id, provider, event_key),
        FOREIGN KEY (tenant_id, delivery_id) REFERENCES deliveries ON DELETE CASCADE,
        CHECK ((event = 'bounced') = (bounce IS NOT NULL))
      );

      -- Addresses that get nothing more on their channel, until somebody frees them.
      CREATE TABLE stopped_addresses (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        channel text NOT NULL CHECK (channel IN ('email', 'sms')),
        -- Lower case, so that it does not depend on the spelling.
        address text NOT NULL CHECK (address = lower(address) AND address <> ''),
        reason text NOT NULL CHECK (reason IN ('hard_bounce', 'complaint', 'stop')),
        -- Who reported it; null if the provider refused a message for it.
        provider text,
        delivery_id uuid,
        since timestamptz(3) NOT NULL,
        PRIMARY KEY (tenant_id, id),
        UNIQUE (tenant_id, channel, address),
        FOREIGN KEY (tenant_id, delivery_id) REFERENCES deliveries ON DELETE SET NULL (delivery_id)
      );
      -- For the cleanup, which deletes deliveries.
      CREATE INDEX stopped_addresses_delivery ON stopped_addresses (tenant_id, delivery_id)
        WHERE delivery_id IS NOT NULL;

      -- Events that were handled, whatever their tenants: a replayed one changes nothing.
      CREATE TABLE provider_event_ids (
        provider text NOT NULL,
        event_key text NOT NULL CHECK (length(event_key) <= 200),
        received_at timestamptz(3) NOT NULL,
        PRIMARY KEY (provider, event_key)
      );
      -- For the cleanup.
      CREATE INDEX provider_event_ids_at ON provider_event_ids (received_at);
    `);
  await protectTenantTable(runner, 'provider_events');
  await protectTenantTable(runner, 'stopped_addresses');
  await systemTable(runner, 'provider_event_ids');
}
