import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import { Alerts } from '../../notifications/alerts/alerts.service.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import { isUniqueViolation } from '../../platform/database/failures.js';
import type { SqlValue, TenantTransaction } from '../../platform/database/transaction.js';
import { notFound, Problem } from '../../platform/errors/problem.js';
import { decodeCursor, isTextKey, type Page, pageOf } from '../../platform/http/cursor.js';
import {
  type BackupJob,
  type BackupJobPatch,
  type BackupJobQuery,
  DEFAULT_GRACE_MINUTES,
  EVERY_DAY,
  type NewBackupJob,
} from './backup-jobs.dto.js';
import { agentSourceSql } from '../alerts/agents.sql.js';
import { BACKUP_AGENT } from '../alerts/silent-agents.js';
import { containsSql } from '../board/backup-board.sql.js';
import { adoptEntries } from './adopting.js';
import { lockJobs } from './job-lock.js';
import { lastCheckedSql } from './job-status.sql.js';

/** The columns of a `BackupJob`. */
const JOB_COLUMNS = `id, agent_id, database_name, company_name, city, neighborhood, expected_time, days_of_week,
  grace_minutes, status, warnings, status_since, ${lastCheckedSql('backup_jobs')} AS last_checked_at, last_success_at, last_failure_at, created_at, updated_at`;

/** The backups that a tenant expects. */
@Injectable()
export class BackupJobs {
  constructor(
    private readonly database: Database,
    private readonly alerts: Alerts,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Expects the backup from now on, and takes over the unexpected entries of its agent and database.
   * @throws Problem conflict if a job of this agent and database exists.
   */
  async create(tx: TenantTransaction, fields: NewBackupJob): Promise<BackupJob> {
    const now = this.clock.now();
    await lockJobs(tx, 'exclusive');
    const id = await this.insert(tx, fields, now);
    await adoptEntries(tx, [id], now);
    return this.read(tx, id);
  }

  /** A page, by agent, then database. */
  async list(tenantId: string, query: BackupJobQuery): Promise<Page<BackupJob>> {
    const { limit, cursor, agent_id, status, company_name, city, q } = query;
    const values: SqlValue[] = [tenantId];
    const conditions = ['tenant_id = $1'];
    const take = (value: SqlValue) => `$${values.push(value)}`;
    if (agent_id !== undefined) conditions.push(`agent_id = ${take(agent_id)}`);
    if (status !== undefined) conditions.push(`status = ${take(status)}`);
    if (company_name !== undefined) conditions.push(`lower(company_name) = lower(${take(company_name)})`);
    if (city !== undefined) conditions.push(`lower(city) = lower(${take(city)})`);
    if (q !== undefined) conditions.push(containsSql(take(q)));
    if (cursor !== undefined) {
      const [agent, database] = decodeCursor(cursor, [isTextKey, isTextKey]);
      conditions.push(`(agent_id, database_name) > (${take(agent)}::text, ${take(database)}::text)`);
    }
    const rows = await this.database.single(tenantId).query<BackupJob>(
      `SELECT ${JOB_COLUMNS} FROM backup_jobs WHERE ${conditions.join(' AND ')}
       ORDER BY agent_id, database_name LIMIT ${take(limit + 1)}`,
      values,
    );
    return pageOf(
      rows,
      limit,
      (job) => [job.agent_id, job.database_name],
      (job) => job,
    );
  }

  /** @throws Problem not_found */
  async get(tenantId: string, id: string): Promise<BackupJob> {
    return this.database.tenant(tenantId, (tx) => this.read(tx, id));
  }

  /**
   * Updates the fields of `patch`. New hours count from now on: no earlier time becomes missing.
   * @throws Problem not_found
   */
  async update(tenantId: string, id: string, patch: BackupJobPatch): Promise<BackupJob> {
    return this.database.tenant(tenantId, async (tx) => {
      const job = await this.read(tx, id, 'FOR UPDATE');
      if (Object.keys(patch).length === 0) return job;
      const { expected_time, days_of_week } = job;
      Object.assign(job, patch);
      const rescheduled =
        job.expected_time !== expected_time || !isDeepStrictEqual(job.days_of_week, days_of_week);
      const changed = await tx.one<BackupJob>(
        `UPDATE backup_jobs
         SET company_name = $3, city = $4, neighborhood = $5, expected_time = $6, days_of_week = $7,
             grace_minutes = $8, expected_after = CASE WHEN $9 THEN $10 ELSE expected_after END, updated_at = $10
         WHERE tenant_id = $1 AND id = $2 RETURNING ${JOB_COLUMNS}`,
        [
          tx.tenant_id,
          id,
          job.company_name,
          job.city,
          job.neighborhood,
          job.expected_time,
          job.days_of_week,
          job.grace_minutes,
          rescheduled,
          this.clock.now(),
        ],
      );
      if (changed === null) throw notFound();
      return changed;
    });
  }

  /**
   * Deletes the job and resolves its alerts. Its entries stay, as those of an unexpected database.
   * @throws Problem not_found
   */
  async remove(tenantId: string, id: string): Promise<void> {
    await this.database.tenant(tenantId, async (tx) => {
      await lockJobs(tx, 'exclusive');
      const { agent_id } = await this.read(tx, id, 'FOR UPDATE');
      await this.alerts.sourcesChanged(tx, 'backup_job', [id]);
      await tx.execute(`DELETE FROM backup_jobs WHERE tenant_id = $1 AND id = $2`, [tx.tenant_id, id]);
      // Agents without jobs cannot be silent.
      const agents = await tx.query<{ id: string }>(
        `SELECT ${agentSourceSql('$2::text')} AS id
         WHERE NOT EXISTS (SELECT FROM backup_jobs WHERE tenant_id = $1 AND agent_id = $2)`,
        [tx.tenant_id, agent_id],
      );
      if (agents.length > 0) {
        await this.alerts.sourcesChanged(
          tx,
          BACKUP_AGENT,
          agents.map((agent) => agent.id),
        );
      }
    });
  }

  private async insert(tx: TenantTransaction, fields: NewBackupJob, now: Date): Promise<string> {
    try {
      const job = await tx.one<{ id: string }>(
        `INSERT INTO backup_jobs (tenant_id, agent_id, database_name, company_name, city, neighborhood,
                                  expected_time, days_of_week, grace_minutes, expected_after, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $10) RETURNING id`,
        [
          tx.tenant_id,
          fields.agent_id,
          fields.database_name,
          fields.company_name,
          fields.city,
          fields.neighborhood ?? null,
          fields.expected_time,
          fields.days_of_week ?? EVERY_DAY,
          fields.grace_minutes ?? DEFAULT_GRACE_MINUTES,
          now,
        ],
      );
      if (job === null) throw new Error('the job was not inserted');
      return job.id;
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      const errors = [{ pointer: '/database_name', detail: 'this agent already has a job for it' }];
      throw new Problem('conflict', 'a job for this agent and database already exists', {
        cause: error,
        errors,
      });
    }
  }

  private async read(tx: TenantTransaction, id: string, lock: 'FOR UPDATE' | '' = ''): Promise<BackupJob> {
    const job = await tx.one<BackupJob>(
      `SELECT ${JOB_COLUMNS} FROM backup_jobs WHERE tenant_id = $1 AND id = $2 ${lock}`,
      [tx.tenant_id, id],
    );
    if (job === null) throw notFound();
    return job;
  }
}
