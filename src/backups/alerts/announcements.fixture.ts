import { addPerson, addTenant, type Person } from '../../../test/support/cast.js';
import { wordedNotifications } from '../../../test/support/worded.js';
import type { World } from '../../../test/support/world.js';
import type { BackupReason, BackupVerdict } from '../../contracts/backups.js';
import type { FixedClock } from '../../platform/clock/fixed-clock.js';
import { BackupAnnouncements } from './announcements.js';
import { addJob, addResult } from '../board/records.fixture.js';

export const hours = (count: number) => count * 3_600_000;

/** A tenant with an admin and one expected backup, with its results and notifications. */
export class NotifiedTenant {
  readonly announcements: BackupAnnouncements;
  admin!: Person;
  /** The id of the job. */
  compta!: string;

  private constructor(
    readonly world: World,
    private readonly clock: FixedClock,
    readonly id: string,
  ) {
    this.announcements = world.app.get(BackupAnnouncements, { strict: false });
  }

  static async create(world: World, clock: FixedClock): Promise<NotifiedTenant> {
    const tenant = new NotifiedTenant(world, clock, (await addTenant(world)).id);
    tenant.admin = await addPerson(world, tenant.id, { name: 'Ada', role: 'admin' });
    tenant.compta = await tenant.job('compta');
    return tenant;
  }

  job(database_name: string): Promise<string> {
    const place = { agent_id: 'nantes-01', city: 'Nantes', neighborhood: 'Chantenay' };
    return addJob(this.world, this.id, { ...place, database_name, grace_minutes: 60 });
  }

  /** Records a scan's finding. @returns its entry */
  found(
    verdict: BackupVerdict,
    reason: BackupReason | null = null,
    job_id: string | null = this.compta,
  ): Promise<string> {
    return addResult(this.world, this.id, { job_id, effective_at: this.clock.now(), verdict, reason });
  }

  announceNew() {
    return this.announcements.announceNew(this.id, new AbortController().signal);
  }

  remindAll() {
    return this.announcements.remindAll(this.id, new AbortController().signal);
  }

  notifications() {
    return wordedNotifications(this.world, this.id);
  }

  async titles(): Promise<string[]> {
    return (await this.notifications()).map(({ title }) => title);
  }

  alerts() {
    return this.world.sql(
      `SELECT dedupe_key, state, occurrences, gone_at IS NOT NULL AS gone FROM alerts WHERE tenant_id = $1
       ORDER BY first_seen_at, id`,
      [this.id],
    );
  }

  /** Entries that are not announced yet. */
  unannounced() {
    return this.world.sql<{ id: string }>(
      `SELECT id FROM backup_entries WHERE tenant_id = $1 AND announced_at IS NULL ORDER BY id`,
      [this.id],
    );
  }
}
