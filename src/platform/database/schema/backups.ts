import type { QueryRunner } from 'typeorm';
import { protectTenantTable } from './ddl.js';

/** Backup monitoring: what is expected, what agents reported, what the server found. */
export async function createBackups(runner: QueryRunner): Promise<void> {
  await runner.query(`
      CREATE TABLE backup_jobs (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        agent_id text NOT NULL CHECK (agent_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
        database_name text NOT NULL CHECK (length(database_name) BETWEEN 1 AND 100),
        company_name text NOT NULL CHECK (length(company_name) BETWEEN 1 AND 100),
        city text NOT NULL CHECK (length(city) BETWEEN 1 AND 100),
        neighborhood text CHECK (length(neighborhood) BETWEEN 1 AND 100),
        -- HH:mm in the tenant's zone.
        expected_time text NOT NULL CHECK (expected_time ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
        -- ISO days of the week, Monday is 1.
        days_of_week smallint[] NOT NULL
          CHECK (cardinality(days_of_week) BETWEEN 1 AND 7 AND days_of_week <@ '{1,2,3,4,5,6,7}'::smallint[]),
        grace_minutes integer NOT NULL CHECK (grace_minutes BETWEEN 0 AND 10080),
        -- The verdict of the newest entry.
        status text NOT NULL DEFAULT 'unknown' CHECK (status IN
          ('unknown', 'SUCCESS', 'FAILED', 'TRANSFER_INTEGRITY_FAILED', 'HASH_MISMATCH', 'MISSING')),
        status_since timestamptz(3),
        -- For evaluations before the job was created; later scans of the tenant are in backup_scans.
        last_checked_at timestamptz(3),
        last_success_at timestamptz(3),
        last_failure_at timestamptz(3),
        -- Of the newest entry.
        warnings text[] NOT NULL DEFAULT '{}',
        -- Backups before it are ignored when judging sizes: somebody has accepted a smaller one then.
        sizes_from timestamptz(3),
        -- Expected times up to here are decided or not expected: they precede the job or its hours.
        expected_after timestamptz(3) NOT NULL,
        created_at timestamptz(3) NOT NULL,
        updated_at timestamptz(3) NOT NULL,
        PRIMARY KEY (tenant_id, id),
        UNIQUE (tenant_id, agent_id, database_name)
      );

      -- One row records when a tenant's jobs were last checked, instead of one update per job.
      CREATE TABLE backup_scans (
        tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
        checked_at timestamptz(3) NOT NULL,
        -- Folders of its inbox whose names are not valid agent names.
        ignored_folders text[] NOT NULL DEFAULT '{}'
      );

      CREATE TABLE backup_reports (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        agent_id text NOT NULL,
        source text NOT NULL CHECK (source IN ('file', 'api')),
        file_name text,
        -- Of what an accepted report says, however it is written; of a rejected one's bytes, with its file or
        -- the report accepted before it.
        content_sha256 text NOT NULL,
        state text NOT NULL CHECK (state IN ('accepted', 'rejected')),
        reason text,
        operation_timestamp_utc timestamptz(3),
        content jsonb,
        -- Anomalies of an accepted report.
        warnings text[] NOT NULL DEFAULT '{}',
        received_at timestamptz(3) NOT NULL,
        -- When people were notified of a rejected one.
        announced_at timestamptz(3),
        PRIMARY KEY (tenant_id, id),
        -- Deduplicates a report that arrives twice, by any route.
        UNIQUE (tenant_id, agent_id, content_sha256),
        CHECK ((state = 'rejected') = (reason IS NOT NULL)),
        CHECK ((state = 'accepted') = (operation_timestamp_utc IS NOT NULL AND content IS NOT NULL))
      );

      CREATE INDEX backup_reports_unannounced ON backup_reports (tenant_id, agent_id, id DESC)
        WHERE state = 'rejected' AND announced_at IS NULL;
      CREATE INDEX backup_reports_rejected ON backup_reports (tenant_id, agent_id, received_at DESC)
        WHERE state = 'rejected';

      CREATE TABLE backup_entries (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        -- Null: no job expects this database.
        job_id uuid,
        -- Null: the entry records that no report arrived.
        report_id uuid,
        agent_id text NOT NULL,
        database_name text NOT NULL,
        company_name text NOT NULL,
        city text NOT NULL,
        neighborhood text,
        -- The expected time it counts for, and the day in the tenant's calendar that names it.
        expected_on date,
        expected_at timestamptz(3),
        -- The report's time, or the expected time if none arrived: the newest entry is the job's status.
        effective_at timestamptz(3) NOT NULL,
        -- The staged file may arrive until then.
        wait_until timestamptz(3) NOT NULL,
        -- The agent's values, as in STATUS.json.
        operation_timestamp_utc timestamptz(3),
        status text CHECK (status IN ('success', 'failed', 'transfer_integrity_failed')),
        hash_sha256 text,
        size_bytes bigint,
        compress_size_pre_compress bigint,
        compress_size_post_compress bigint,
        agent_transfer_process_status text,
        agent_transfer_process_start_time_utc timestamptz(3),
        agent_transfer_process_timestamp_utc timestamptz(3),
        agent_transfer_error_message text,
        staged_file_name text,
        logs_summary text,
        error_msg text,
        -- Why the report of this database cannot be judged.
        report_fault text,
        -- The server's verdict. Null while the staged file may still arrive.
        verdict text CHECK (verdict IN
          ('SUCCESS', 'FAILED', 'TRANSFER_INTEGRITY_FAILED', 'HASH_MISMATCH', 'MISSING')),
        reason text,
        detail text,
        warnings text[] NOT NULL DEFAULT '{}'
          CHECK (warnings <@ '{empty_file,shrunk,size_differs,unchanged,unknown_fields}'::text[]),
        server_hash_sha256 text,
        server_size_bytes bigint,
        evaluated_at timestamptz(3),
        -- Null while a later scan may still change the verdict.
        settled_at timestamptz(3),
        -- The pending action for the staged copy, and its file.
        staged_action text CHECK (staged_action IN ('delete', 'quarantine')),
        staged_identity text,
        -- Below BACKUP_STORE_DIR.
        stored_path text,
        stored_state text CHECK (stored_state IN ('stored', 'damaged', 'gone', 'removing', 'removed')),
        verified_at timestamptz(3),
        -- When it was announced, or found to need no announcement.
        announced_at timestamptz(3),
        created_at timestamptz(3) NOT NULL,
        PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, job_id) REFERENCES backup_jobs ON DELETE SET NULL (job_id),
        FOREIGN KEY (tenant_id, report_id) REFERENCES backup_reports ON DELETE CASCADE,
        CHECK ((verdict IS NULL) = (evaluated_at IS NULL)),
        CHECK ((expected_on IS NULL) = (expected_at IS NULL)),
        CHECK (report_id IS NOT NULL OR (verdict = 'MISSING' AND expected_on IS NOT NULL)),
        CHECK ((stored_path IS NULL) = (stored_state IS NULL)),
        CHECK (staged_action IS NULL OR verdict IS NOT NULL)
      );
      -- One entry per report and database, and one MISSING per expected time.
      CREATE UNIQUE INDEX backup_entries_report ON backup_entries (tenant_id, report_id, database_name)
        WHERE report_id IS NOT NULL;
      CREATE UNIQUE INDEX backup_entries_missing ON backup_entries (tenant_id, job_id, expected_on)
        WHERE report_id IS NULL AND job_id IS NOT NULL;
      CREATE INDEX backup_entries_expected ON backup_entries (tenant_id, job_id, expected_on);
      CREATE INDEX backup_entries_history
        ON backup_entries (tenant_id, agent_id, database_name, effective_at DESC, id DESC);
      CREATE INDEX backup_entries_list ON backup_entries (tenant_id, effective_at DESC, id DESC);
      CREATE INDEX backup_entries_unexpected ON backup_entries (tenant_id, effective_at)
        WHERE job_id IS NULL AND report_id IS NOT NULL;
      CREATE INDEX backup_entries_unsettled ON backup_entries (tenant_id, agent_id) WHERE settled_at IS NULL;
      CREATE INDEX backup_entries_staged ON backup_entries (tenant_id) WHERE staged_action IS NOT NULL;
      CREATE INDEX backup_entries_unannounced ON backup_entries (tenant_id)
        WHERE announced_at IS NULL AND verdict IS NOT NULL;
      CREATE INDEX backup_entries_stored ON backup_entries (tenant_id, agent_id, database_name, effective_at DESC)
        WHERE stored_state IN ('stored', 'damaged', 'gone', 'removing');

      CREATE TABLE backup_notes (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        job_id uuid NOT NULL,
        -- Null: a program, or a user who was erased.
        author_id uuid,
        text text NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
        created_at timestamptz(3) NOT NULL,
        PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, job_id) REFERENCES backup_jobs ON DELETE CASCADE,
        FOREIGN KEY (tenant_id, author_id) REFERENCES users ON DELETE SET NULL (author_id)
      );
      CREATE INDEX backup_notes_job ON backup_notes (tenant_id, job_id, id DESC);
    `);
  for (const table of ['backup_jobs', 'backup_scans', 'backup_reports', 'backup_entries', 'backup_notes'])
    await protectTenantTable(runner, table);
}
