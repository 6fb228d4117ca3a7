import { Inject, Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { invalid, notFound } from '../../platform/errors/problem.js';
import { decodeCursor, type Page, pageOf } from '../../platform/http/cursor.js';
import type { PageQuery } from '../../platform/http/page.dto.js';
import type { BackupNote, NewBackupNote } from './notes.dto.js';

const COLUMNS = `note.id, note.job_id, note.text, note.created_at,
  (SELECT u.name FROM users u WHERE u.tenant_id = note.tenant_id AND u.id = note.author_id) AS author`;

/** Notes of admins on expected backups. */
@Injectable()
export class BackupNotes {
  constructor(
    private readonly database: Database,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * A page of a job's notes, newest first.
   * @throws Problem not_found for an unknown job.
   */
  async list(tenantId: string, jobId: string, { limit, cursor }: PageQuery): Promise<Page<BackupNote>> {
    const [last = null] = cursor === undefined ? [] : decodeCursor(cursor, [(key) => isUUID(key)]);
    return this.database.tenant(tenantId, async (tx) => {
      await requireJob(tx, jobId);
      // Ids grow with time.
      const notes = await tx.query<BackupNote>(
        `SELECT ${COLUMNS} FROM backup_notes note
         WHERE note.tenant_id = $1 AND note.job_id = $2 AND ($3::uuid IS NULL OR note.id < $3)
         ORDER BY note.id DESC LIMIT $4`,
        [tx.tenant_id, jobId, last, limit + 1],
      );
      return pageOf(
        notes,
        limit,
        ({ id }) => [id],
        (note) => note,
      );
    });
  }

  /**
   * @param authorId a user; null: a program
   * @throws Problem not_found for an unknown job, validation_failed for no text.
   */
  async create(
    tx: TenantTransaction,
    jobId: string,
    authorId: string | null,
    { text }: NewBackupNote,
  ): Promise<BackupNote> {
    await requireJob(tx, jobId, 'FOR KEY SHARE');
    if (text == null) throw invalid('/text', 'is required');
    const note = await tx.one<BackupNote>(
      `INSERT INTO backup_notes AS note (tenant_id, job_id, author_id, text, created_at)
       VALUES ($1, $2, $3, $4, $5) RETURNING ${COLUMNS}`,
      [tx.tenant_id, jobId, authorId, text, this.clock.now()],
    );
    if (note === null) throw new Error('the note was not inserted');
    return note;
  }

  /** @throws Problem not_found */
  async remove(tenantId: string, id: string): Promise<void> {
    const removed = await this.database
      .single(tenantId)
      .one(`DELETE FROM backup_notes WHERE tenant_id = $1 AND id = $2 RETURNING id`, [tenantId, id]);
    if (removed === null) throw notFound();
  }
}

/** @throws Problem not_found */
async function requireJob(tx: TenantTransaction, id: string, lock: 'FOR KEY SHARE' | '' = ''): Promise<void> {
  const job = await tx.one(`SELECT id FROM backup_jobs WHERE tenant_id = $1 AND id = $2 ${lock}`, [
    tx.tenant_id,
    id,
  ]);
  if (job === null) throw notFound();
}
