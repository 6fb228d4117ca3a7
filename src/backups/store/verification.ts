import { Inject, Injectable } from '@nestjs/common';
import { Incidents } from '../../notifications/alerts/incidents.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import { backupFacts } from '../alerts/backup-facts.js';
import { isOfFiles, toldOf } from '../files/file-errors.js';
import { storeRoot } from '../files/folders.js';
import { inParallel } from '../files/in-parallel.js';
import { isThere, readStored } from '../files/stored-file.js';

/** What was found of one stored backup that is not as it was stored. */
export interface Damage {
  entry_id: string;
  stored_path: string;
  state: 'damaged' | 'gone';
  /** Null where it could not be read to its end. */
  found_sha256: string | null;
  /** In the system's words; null where reading it was no problem. */
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
/** `source_type` of what is wrong with a stored backup. */
const STORED_BACKUP = 'stored_backup';

/** Reads what is stored again, for disks forget: each file must still have the hash that it was stored with. */
@Injectable()
export class Verification {
  private readonly store: string;

  constructor(
    private readonly database: Database,
    private readonly incidents: Incidents,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.store = storeRoot(config);
  }

  /** @throws Error when there is no store: it is not mounted, and no backup is damaged by that. */
  async assertStore(): Promise<void> {
    if (!(await isThere(this.store))) throw new Error(`there is no backup store at ${this.store}`);
  }

  /** All stored backups of a tenant. What is wrong with one is written down and told; what is well again, too. */
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
      const well: string[] = [];
      await inParallel(page, this.config.backupConcurrency, async (entry) => {
        const { size, damage } = await this.look(entry, signal);
        verified.files += 1;
        verified.bytes += size;
        if (damage === null && entry.stored_state === 'stored') {
          well.push(entry.id);
          return;
        }
        const isStored = await this.record(tenantId, entry.id, damage);
        if (isStored && damage !== null) verified.damages.push(damage);
      });
      await this.database
        .single(tenantId)
        .query(`UPDATE backup_entries SET verified_at = $3 WHERE tenant_id = $1 AND id = ANY ($2::uuid[])`, [
          tenantId,
          well,
          this.clock.now(),
        ]);
      after = page.at(-1)?.id ?? null;
      if (page.length < PAGE) return verified;
    }
  }

  private async look(
    { id, stored_path, server_hash_sha256 }: StoredEntry,
    signal: AbortSignal,
  ): Promise<{ size: number; damage: Damage | null }> {
    signal.throwIfAborted();
    const wrong = { entry_id: id, stored_path, found_sha256: null, detail: null };
    try {
      const found = await readStored(this.store, stored_path, signal);
      if (found === null) return { size: 0, damage: { ...wrong, state: 'gone' } };
      const { size, sha256 } = found;
      if (sha256 === server_hash_sha256) return { size, damage: null };
      return { size, damage: { ...wrong, state: 'damaged', found_sha256: sha256 } };
    } catch (error) {
      if (!isOfFiles(error)) throw error;
      return { size: 0, damage: { ...wrong, state: 'damaged', detail: toldOf(error) } };
    }
  }

  /** @returns false when retention has taken it away meanwhile: then nothing is wrong. */
  private async record(tenantId: string, id: string, damage: Damage | null): Promise<boolean> {
    return this.database.tenant(tenantId, async (tx) => {
      const written = await tx.execute(
        `UPDATE backup_entries SET stored_state = $3, verified_at = $4
         WHERE tenant_id = $1 AND id = $2 AND stored_state IN ('stored', 'damaged', 'gone')`,
        [tenantId, id, damage?.state ?? 'stored', this.clock.now()],
      );
      if (written === 0) return false;
      if (damage === null) {
        await this.incidents.end(tx, STORED_BACKUP, id);
        return true;
      }
      const facts = (await backupFacts(tx, [id])).get(id);
      if (facts === undefined) throw new Error('a stored backup has no facts');
      await this.incidents.raise(tx, {
        kind: 'backup_damaged',
        source_type: STORED_BACKUP,
        source_id: id,
        dedupe_key: `${STORED_BACKUP}:${id}`,
        severity: 'critical',
        data: { ...facts, ...damage },
        repeat_after_ms: null,
      });
      return true;
    });
  }
}
