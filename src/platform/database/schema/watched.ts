import type { QueryRunner } from 'typeorm';
import { foldedSql, groupKeySql } from '../../text/folded.sql.js';
import { protectTenantTable } from './ddl.js';

/** Watched items: deadlines, requested documents, tasks, tickets. */
export async function createWatchedItems(runner: QueryRunner): Promise<void> {
  // Due dates are civil dates in the tenant's zone. external_id is the id in the system that the row came from.
  const columns = `
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        external_id text CHECK (length(external_id) BETWEEN 1 AND 200),
        title text NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
        client_name text CHECK (length(client_name) BETWEEN 1 AND 200),
        description text CHECK (length(description) <= 5000),
        due_on date NOT NULL,
        responsible_id uuid,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        -- For lists. Row-level security lets no expression be an index condition, so these are columns.
        search_text text NOT NULL GENERATED ALWAYS AS (
          ${foldedSql(`title || chr(10) || coalesce(client_name, '')`)}) STORED,
        client_key text NOT NULL GENERATED ALWAYS AS (${groupKeySql('client_name')}) STORED,
        UNIQUE (tenant_id, external_id),
        FOREIGN KEY (tenant_id, responsible_id) REFERENCES users ON DELETE SET NULL (responsible_id)`;
  await runner.query(`
      CREATE TABLE deadlines (
        category text CHECK (length(category) BETWEEN 1 AND 50),
        status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'overdue', 'done')),
        completed_at timestamptz(3),
        CHECK ((status = 'done') = (completed_at IS NOT NULL)),
        ${columns}
      );
      CREATE INDEX deadlines_due ON deadlines (tenant_id, due_on, id);
      CREATE INDEX deadlines_open ON deadlines (tenant_id, due_on) WHERE completed_at IS NULL;
      CREATE INDEX deadlines_responsible ON deadlines (tenant_id, responsible_id);

      CREATE TABLE document_requests (
        status text NOT NULL DEFAULT 'missing' CHECK (status IN ('missing', 'received')),
        received_at timestamptz(3),
        CHECK ((status = 'received') = (received_at IS NOT NULL)),
        ${columns}
      );
      CREATE INDEX document_requests_due ON document_requests (tenant_id, due_on, id);
      CREATE INDEX document_requests_open ON document_requests (tenant_id, due_on) WHERE received_at IS NULL;
      CREATE INDEX document_requests_responsible ON document_requests (tenant_id, responsible_id);

      CREATE TABLE tasks (
        status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'overdue', 'done')),
        completed_at timestamptz(3),
        CHECK ((status = 'done') = (completed_at IS NOT NULL)),
        ${columns}
      );
      CREATE INDEX tasks_due ON tasks (tenant_id, due_on, id);
      CREATE INDEX tasks_open ON tasks (tenant_id, due_on) WHERE completed_at IS NULL;
      CREATE INDEX tasks_responsible ON tasks (tenant_id, responsible_id);

      -- Fines to pay; the responsible user is the owner.
      CREATE TABLE tickets (
        -- The number on the ticket.
        reference text CHECK (length(reference) BETWEEN 1 AND 100),
        -- In the currency's smallest unit; a null currency is the euro.
        amount_cents integer CHECK (amount_cents >= 0),
        currency text CHECK (currency ~ '^[A-Z]{3}$'),
        status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'settled')),
        settled_at timestamptz(3),
        CHECK ((status = 'settled') = (settled_at IS NOT NULL)),
        ${columns}
      );
      CREATE INDEX tickets_due ON tickets (tenant_id, due_on, id);
      CREATE INDEX tickets_responsible ON tickets (tenant_id, responsible_id);
    `);
  for (const table of ['deadlines', 'document_requests', 'tasks', 'tickets']) {
    await runner.query(`CREATE INDEX ${table}_client ON ${table} (tenant_id, client_key, due_on, id)`);
    // After the other indexes, as for alerts: reminders refer to tickets.
    await runner.query(`ALTER TABLE ${table} ADD PRIMARY KEY (tenant_id, id)`);
    await protectTenantTable(runner, table);
  }
}
