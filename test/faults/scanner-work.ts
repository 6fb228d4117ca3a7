import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BackupFolders, good, sha256, TestAgent } from '../../src/backups/agent.fixture.js';
import type { Installation } from './installation.js';

/** Tuesday 31 March 2026, 08:00 in Paris: the night's backups have arrived. */
export const MORNING = '2026-03-31T06:00:00.000Z';
const REPORTED = '2026-03-30T20:10:00Z';
/** More than one chunk, so that its copy can be interrupted. */
const LEDGER = Buffer.alloc(2_500_000, 'the ledger ');
const LATE = 'what was sold';

/** The state after a scan: as text, for comparison; the same for every tenant. */
export interface Outcome {
  entries: string;
  jobs: string;
  reports: string;
  files: string;
}

interface EntryRow {
  database_name: string;
  verdict: string | null;
  reason: string | null;
  hash_sha256: string | null;
  stored_path: string | null;
}

/**
 * The work of one scan, for a new tenant: a good file, a mismatching one, a failure reported by the agent, a torn
 * report, an unreported database, and a report whose file arrives later.
 */
export class ScannerWork {
  private readonly staged: string[] = [];
  private readonly reports: string[] = [];

  private constructor(
    private readonly installation: Installation,
    private readonly folders: BackupFolders,
    readonly tenant_id: string,
    readonly slug: string,
    private readonly agent: TestAgent,
  ) {}

  static async arrange(
    installation: Installation,
    folders: BackupFolders,
    slug: string,
  ): Promise<ScannerWork> {
    const [tenant] = await installation.sql<{ id: string }>(
      `INSERT INTO tenants (slug, name, kind, time_zone, locale, schedule_from)
       VALUES ($1, $1, 'company', 'Europe/Paris', 'fr', '2020-01-01') RETURNING id`,
      [slug],
    );
    const tenantId = tenant?.id ?? '';
    await installation.sql(
      `INSERT INTO backup_jobs (tenant_id, agent_id, database_name, company_name, city, expected_time, days_of_week,
                                grace_minutes, expected_after, created_at, updated_at)
       SELECT $1, agent, name, 'Boulangerie Martin', 'Lyon', '22:00', '{1,2,3,4,5,6,7}', grace, $2, $2, $2
       FROM (VALUES ('lyon', 'compta', 120), ('lyon', 'paie', 120), ('lyon', 'stocks', 120), ('lyon', 'ventes', 1440),
                    ('paris', 'clients', 120)) AS j (agent, name, grace)`,
      [tenantId, '2026-03-30T10:00:00Z'],
    );
    const agent = await new TestAgent(folders, slug, 'lyon').make();
    await new TestAgent(folders, slug, 'paris').make();
    const work = new ScannerWork(installation, folders, tenantId, slug, agent);
    await work.drop();
    return work;
  }

  private async drop(): Promise<void> {
    const compta = await this.stage('compta.sql.gz', LEDGER);
    const paie = { ...(await this.stage('paie.bak', 'half of the wages')), hash_sha256: sha256('the wages') };
    const stocks = { status: 'failed', error_msg: 'the server is locked' };
    const ventes = good('ventes.bak', LATE);
    await this.report('1_STATUS.json', this.agent.report(REPORTED, { compta, paie, stocks }));
    await this.report('2_STATUS.json', '{"operation_timestamp_utc": "2026-03-30T2');
    await this.report('3_STATUS.json', this.agent.report(REPORTED, { ventes }));
  }

  /** Drops the file that was reported before it arrived. */
  async lateFile(): Promise<void> {
    await this.stage('ventes.bak', LATE);
  }

  /** The number of dropped files and reports so far. */
  get dropped(): number {
    return this.staged.length + this.reports.length;
  }

  private async stage(name: string, content: Buffer | string): Promise<Record<string, unknown>> {
    this.staged.push(sha256(content));
    return this.agent.stage(name, content);
  }

  private async report(name: string, report: unknown): Promise<void> {
    const text = typeof report === 'string' ? report : JSON.stringify(report);
    this.reports.push(sha256(text));
    await this.agent.drop(name, text);
  }

  entries(): Promise<EntryRow[]> {
    return this.installation.sql<EntryRow>(
      `SELECT database_name, verdict, reason, hash_sha256, stored_path FROM backup_entries
       WHERE tenant_id = $1 ORDER BY database_name, report_id`,
      [this.tenant_id],
    );
  }

  /** Everything visible of it now. */
  async outcome(): Promise<Outcome> {
    const rows = async (text: string) => {
      const found = await this.installation.sql(text, [this.tenant_id]);
      return found.map((row) => Object.values(row).map(String).join(' ')).join('\n');
    };
    const [entries, jobs, reports] = [
      await rows(
        `SELECT database_name, report_id IS NOT NULL, verdict, reason, server_hash_sha256, stored_state, staged_action,
                settled_at IS NOT NULL, expected_on
         FROM backup_entries e
         WHERE tenant_id = $1
           -- What could not be read for a while was MISSING for as long, and rightly said to be.
           AND (report_id IS NOT NULL
                OR NOT EXISTS (SELECT FROM backup_entries o
                               WHERE o.tenant_id = $1 AND o.job_id = e.job_id AND o.report_id IS NOT NULL))
         ORDER BY 1, 2`,
      ),
      await rows(
        `SELECT database_name, status, status_since, last_success_at FROM backup_jobs
         WHERE tenant_id = $1 ORDER BY 1`,
      ),
      await rows(
        `SELECT file_name, state, reason FROM backup_reports WHERE tenant_id = $1 ORDER BY file_name, reason`,
      ),
    ];
    return { entries, jobs, reports, files: [...this.inbox(), ...this.store()].join('\n') };
  }

  private inbox(): string[] {
    return listed(join(this.folders.env.BACKUP_INBOX_DIR, this.slug));
  }

  private store(): string[] {
    return listed(join(this.folders.env.BACKUP_STORE_DIR, this.slug));
  }

  /** The dropped files and reports that no longer exist: this must never happen. */
  lost(): string[] {
    const inbox = this.inbox();
    const has = (folders: string, hash: string) =>
      inbox.some((line) => new RegExp(`^lyon/(${folders})/[^.].* ${hash}$`).test(line));
    const stored = this.store().map((line) => line.split(' ').at(-1));
    return [
      ...this.staged.filter((hash) => !stored.includes(hash) && !has('database|quarantine', hash)),
      ...this.reports.filter((hash) => !has('log|archive|rejected', hash)),
    ];
  }

  /** Duplicate records. */
  async doubles(): Promise<string[]> {
    const rows = await this.installation.sql<{ what: string }>(
      `SELECT 'entry ' || database_name AS what FROM backup_entries WHERE tenant_id = $1
       GROUP BY database_name, report_id, expected_on HAVING count(*) > 1
       UNION ALL
       SELECT 'report ' || coalesce(file_name, '') FROM backup_reports WHERE tenant_id = $1
       GROUP BY file_name HAVING count(*) > 1`,
      [this.tenant_id],
    );
    return rows.map(({ what }) => what);
  }

  /** Files in the store that differ from their entry; and, at rest, incomplete ones. */
  async unverified(atRest: boolean): Promise<string[]> {
    const entries = await this.entries();
    const paths = new Map(entries.map((entry) => [entry.stored_path, entry]));
    const named = entries.map(({ hash_sha256 }) => hash_sha256);
    return this.store().filter((line) => {
      const hash = line.slice(-64);
      const path = `${this.slug}/${line.slice(0, -65)}`;
      if (/\/\.[^/]*\.part$/.test(path)) return atRest;
      // Until its entry is recorded, its path does not show whose it is.
      return atRest ? paths.get(path)?.hash_sha256 !== hash : !named.includes(hash);
    });
  }
}

/** Every file below a folder with its SHA-256, one per line, sorted. */
export function listed(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return `${path.slice(folder.length + 1)} ${sha256(readFileSync(path))}`;
    })
    .sort();
}
