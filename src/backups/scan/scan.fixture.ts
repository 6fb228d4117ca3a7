import { rm } from 'node:fs/promises';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import type { RunCounts } from '../../contracts/jobs.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { type BackupFolders, backupFolders, scan, stored, TestAgent } from '../agent.fixture.js';
import { lastCheckedSql } from '../jobs/job-status.sql.js';
import { addJob, forgetBackups } from '../board/records.fixture.js';

/** Tuesday 31 March 2026, 08:00 in Paris: the night's backups have arrived. */
export const MORNING = '2026-03-31T06:00:00.000Z';
/** When last night's backups were made, ten minutes after their expected time. */
export const REPORTED = '2026-03-30T20:10:00Z';

/** An installation with scans on demand, and the one agent under test. */
export class ScannedWorld {
  agent!: TestAgent;
  private agents = 0;

  private constructor(
    readonly folders: BackupFolders,
    readonly clock: FixedClock,
    readonly world: World,
    readonly cast: Cast,
  ) {}

  static async create(): Promise<ScannedWorld> {
    const folders = await backupFolders();
    const clock = new FixedClock(MORNING);
    const world = await createWorld({ clock, env: folders.env });
    return new ScannedWorld(folders, clock, world, await createCast(world));
  }

  async close(): Promise<void> {
    await this.world.close();
    await this.folders.remove();
  }

  /** Starts a morning with a new agent, so that the next scan finds nothing of another test. */
  async beginAnew(): Promise<TestAgent> {
    this.clock.set(MORNING);
    await forgetBackups(this.world);
    await rm(this.folders.env.BACKUP_INBOX_DIR, { recursive: true });
    this.agents += 1;
    this.agent = await new TestAgent(this.folders, this.cast.tenant.slug, `agent-${this.agents}`).make();
    return this.agent;
  }

  /** Expects a database of the agent at 22:00, two hours of grace, since yesterday noon. */
  expectJob(database_name: string): Promise<string> {
    return addJob(this.world, this.cast.tenant_id, {
      agent_id: this.agent.id,
      database_name,
      city: 'Lyon',
      expected_time: '22:00',
      expected_after: '2026-03-30T10:00:00Z',
    });
  }

  /** Runs a scan of the tenant. @returns its counts */
  run(): Promise<RunCounts> {
    return scan(this.world, this.cast.tenant_id);
  }

  /** The agent's entries, oldest first. */
  entries() {
    return this.world.sql(
      `SELECT * FROM backup_entries WHERE agent_id = $1 ORDER BY effective_at, database_name, id`,
      [this.agent.id],
    );
  }

  async job(id: string) {
    const [job] = await this.world.sql(
      `SELECT *, ${lastCheckedSql('backup_jobs')} AS last_checked_at FROM backup_jobs WHERE id = $1`,
      [id],
    );
    return job!;
  }

  /** The agent's files in the store, as paths. */
  stored(): string[] {
    return stored(this.folders).filter((path) => path.includes(`/${this.agent.id}/`));
  }
}
