import { Inject, Injectable } from '@nestjs/common';
import { Incidents } from '../../notifications/alerts/incidents.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import { backupFacts } from '../alerts/backup-facts.js';
import { isFileSystemError, describeFileError } from '../files/file-errors.js';
import { inParallel } from '../files/in-parallel.js';
import { readStored } from '../files/stored-file.js';
import { BackupStore, StoreUnavailable } from './backup-store.js';

/** A stored backup whose file is missing or changed. */
export interface Damage {
  entry_id: string;
  stored_path: string;
  state: 'damaged' | 'gone';
  /** Null if the file could not be read completely. */
  found_sha256: string | null;
  /** The file system error; null if there was none. */
  detail: string | null;
}

export interface Verified {
  files: number;
  bytes: number;
  damages: Damage[];
}

interface StoredEntry {
  id: string;
  stored_path: string;
  server_hash_sha256: string;
  stored_state: 'stored' | 'damaged' | 'gone';
}

const PAGE = 200;
/** `source_type` of a stored backup's incidents. */
const STORED_BACKUP = 'stored_backup';

/** Reads stored backups again, because disks decay: each file must still have its recorded hash. */
@Injectable()
export class Verification {
  constructor(
    private readonly database: Database,
    private readonly store: BackupStore,
    private readonly incidents: Incidents,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Checks that the store is available, because an unavailable store damages no backup. A new store needs no marker
   * yet: no backup is recorded as stored.
   * @throws Error for the command line, with the path
   */
  async assertStore(): Promise<void> {
    try {
      await this.store.assertAvailable();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      if (!(await this.store.hasBackups())) return;
      throw new Error(
        `there is no backup store at ${this.store.root}: ${error.message}. If this folder is the store, see "Moving the store" in docs/backups.md`,
        { cause: error },
      );
    }
  }

  /**
   * Verifies all stored backups of a tenant. Records each damaged and each recovered backup, and raises or resolves its
   * incident.
   * @throws StoreUnavailable if the store becomes unavailable meanwhile; the signal's reason
   */
  async verify(tenantId: string, signal: AbortSignal): Promise<Verified> {
    const verified: Verified = { files: 0, bytes: 0, damages: [] };
    let after: string | null = null;
    for (;;) {
      const page: StoredEntry[] = await this.database.single(tenantId).query(
        `SELECT id, stored_path, server_hash_sha256, stored_state FROM backup_entries
         WHERE tenant_id = $1 AND stored_state IN ('stored', 'damaged', 'gone') AND ($2::uuid IS NULL OR id > $2)
         ORDER BY id LIMIT $3`,
        [tenantId, after, PAGE],
      );
      const intact: string[] = [];
      await inParallel(page, this.config.backupConcurrency, async (entry) => {
        const { size, damage } = await this.examine(entry, signal);
        verified.files += 1;
        verified.bytes += size;
        if (damage === null && entry.stored_state === 'stored') {
          intact.push(entry.id);
          return;
        }
        const isStored = await this.record(tenantId, entry.id, damage);
        if (isStored && damage !== null) verified.damages.push(damage);
      });
      await this.database
        .single(tenantId)
        .query(`UPDATE backup_entries SET verified_at = $3 WHERE tenant_id = $1 AND id = ANY ($2::uuid[])`, [
          tenantId,
          intact,
          this.clock.now(),
        ]);
      after = page.at(-1)?.id ?? null;
      if (page.length < PAGE) return verified;
    }
  }

  private async examine(
    { id, stored_path, server_hash_sha256 }: StoredEntry,
    signal: AbortSignal,
  ): Promise<{ size: number; damage: Damage | null }> {
    signal.throwIfAborted();
    const damage = { entry_id: id, stored_path, found_sha256: null, detail: null };
    const found = await readStored(this.store.root, stored_path, signal).catch((error: unknown) => {
      if (isFileSystemError(error)) return error;
      throw error;
    });
    if (found !== null && 'sha256' in found) {
      const { size, sha256 } = found;
      if (sha256 === server_hash_sha256) return { size, damage: null };
      return { size, damage: { ...damage, state: 'damaged', found_sha256: sha256 } };
    }
    // "No such file" means "missing" only if the store is mounted.
    await this.store.assertAvailable();
    if (found === null) return { size: 0, damage: { ...damage, state: 'gone' } };
    return { size: 0, damage: { ...damage, state: 'damaged', detail: describeFileError(found) } };
  }

  /** @returns false if retention removed the backup meanwhile: then nothing is wrong. */
  private async record(tenantId: string, id: string, damage: Damage | null): Promise<boolean> {
    return this.database.tenant(tenantId, async (tx) => {
      const written = await tx.execute(
        `UPDATE backup_entries SET stored_state = $3, verified_at = $4
         WHERE tenant_id = $1 AND id = $2 AND stored_state IN ('stored', 'damaged', 'gone')`,
        [tenantId, id, damage?.state ?? 'stored', this.clock.now()],
      );
      if (written === 0) return false;
      if (damage === null) {
        await this.incidents.end(tx, STORED_BACKUP, [id]);
        return true;
      }
      const facts = (await backupFacts(tx, [id])).get(id);
      if (facts === undefined) throw new Error('a stored backup has no facts');
      const incident = {
        kind: 'backup_damaged',
        source_type: STORED_BACKUP,
        source_id: id,
        dedupe_key: `${STORED_BACKUP}:${id}`,
        severity: 'critical',
        data: { ...facts, ...damage },
        repeat_after_ms: null,
      } as const;
      await this.incidents.raise(tx, [incident]);
      return true;
    });
  }
}
