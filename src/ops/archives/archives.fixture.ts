import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { insertRow, type Row } from '../../../test/support/rows.js';
import { addPerson, addTenant, type CastTenant, type Person } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';

const DAY_MS = 86_400_000;
export const NOW = '2026-06-15T00:00:00Z';

/** A world with a folder for its archives. */
export interface ArchiveStage {
  world: World;
  clock: FixedClock;
  data_dir: string;
  environment: Record<string, string>;
  close(): Promise<void>;
}

/** @param of the world whose installation it joins */
export async function archiveStage(env: Record<string, string> = {}, of?: World): Promise<ArchiveStage> {
  const clock = new FixedClock(NOW);
  const data_dir = await mkdtemp(join(tmpdir(), 'vigie-archives-'));
  const environment = {
    VIGIE_DATA_DIR: data_dir,
    SMTP_HOST: '127.0.0.1',
    SMTP_FROM_EMAIL: 'vigie@vigie.example',
    ...env,
  };
  const world = await createWorld({ clock, env: environment, ...(of && { join: of }) });
  return {
    world,
    clock,
    data_dir,
    environment,
    close: async () => {
      await world.close();
      await rm(data_dir, { recursive: true, force: true });
    },
  };
}

/** A notification in the past, all times in days before NOW. */
export interface Old {
  created?: number;
  read?: number | null;
  alert?: 'open' | 'gone' | 'resolved' | null;
  /** The end of each delivery; null: it is waiting. */
  deliveries?: { state: string; ended: number | null; text?: string }[];
  key?: string;
  /** Null: to an address. */
  user?: Person | null;
}

/** A tenant with two people, whose old notifications a test describes. */
export class OldTenant {
  private keys = 0;

  private constructor(
    readonly stage: ArchiveStage,
    readonly tenant: CastTenant,
    readonly alice: Person,
  ) {}

  static async create(stage: ArchiveStage, settings: object = {}): Promise<OldTenant> {
    const tenant = await addTenant(stage.world, { settings });
    return new OldTenant(
      stage,
      tenant,
      await addPerson(stage.world, tenant.id, { name: 'Alice', role: 'admin' }),
    );
  }

  get id(): string {
    return this.tenant.id;
  }

  ago(days: number): Date {
    return new Date(Date.parse(NOW) - days * DAY_MS);
  }

  /** @returns the notification's id */
  async notify(old: Old = {}): Promise<string> {
    const { created = 40, read = 35, alert = null, key = `key:${++this.keys}`, user = this.alice } = old;
    const { deliveries = [{ state: 'sent', ended: created - 0.5 }] } = old;
    const recipient = user === null ? 'mailto:x@example.com' : `user:${user.id}`;
    const id = await insertRow(this.stage.world, 'notifications', {
      tenant_id: this.id,
      recipient,
      user_id: user?.id ?? null,
      alert_id: alert === null ? null : await this.alert(alert, created),
      dedupe_key: key,
      kind: 'event',
      severity: 'info',
      data: { kind: 'test', title: `Titre é ${key}`, body: 'Texte\nsur deux lignes \u2028 "cité"' },
      audience: 'addressed',
      seq: this.keys,
      created_seq: this.keys,
      created_at: this.ago(created),
      read_at: read === null ? null : this.ago(read),
    });
    for (const { state, ended, text } of deliveries) {
      const delivery = await insertRow(this.stage.world, 'deliveries', {
        tenant_id: this.id,
        notification_id: id,
        recipient,
        critical: false,
        channel: 'email',
        address: `${state}-${ended ?? ''}@example.com`,
        state,
        due_at: this.ago(ended === null ? -1 : created),
        due_since: this.ago(created),
        created_at: this.ago(created),
        sent_text: text ?? null,
        ended_at: ended === null ? null : this.ago(ended),
        sent_at: state === 'sent' ? this.ago(ended ?? 0) : null,
      });
      await this.row('delivery_events', {
        delivery_id: delivery,
        event: 'retried',
        attempt: 1,
        error: '421 later',
        at: this.ago(created),
      });
      if (state !== 'sent') continue;
      await this.row('provider_events', {
        delivery_id: delivery,
        provider: 'generic',
        event_key: delivery,
        event: 'delivered',
        at: this.ago(created),
        received_at: this.ago(created),
      });
    }
    return id;
  }

  /** Inserts a row without an id of its own. */
  async row(table: string, values: Row): Promise<void> {
    const columns = ['tenant_id', ...Object.keys(values)];
    await this.stage.world.sql(
      `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((_c, at) => `$${at + 1}`).join(', ')})`,
      [this.id, ...Object.values(values)],
    );
  }

  /** Every row of the archived tables, as JSON. */
  async rows(): Promise<{ table: string; row: Record<string, unknown> }[]> {
    const found = [];
    for (const table of ['notifications', 'deliveries', 'delivery_events', 'provider_events']) {
      const rows = await this.stage.world.sql<{ row: Record<string, unknown> }>(
        `SELECT to_jsonb(t) AS row FROM ${table} t WHERE tenant_id = $1 ORDER BY t`,
        [this.id],
      );
      found.push(...rows.map(({ row }) => ({ table, row })));
    }
    return sorted(found);
  }

  /** Ids of the notifications that are left. */
  async left(): Promise<string[]> {
    const rows = await this.stage.world.sql<{ id: string }>(
      `SELECT id FROM notifications WHERE tenant_id = $1 ORDER BY id`,
      [this.id],
    );
    return rows.map(({ id }) => id);
  }

  /** The names of the files of archives, below the tenant's folder. */
  async files(): Promise<string[]> {
    const folder = join(this.stage.data_dir, 'archives', this.tenant.slug);
    const found = await readdir(folder, { recursive: true }).catch(() => []);
    return found.filter((name) => name.includes('/')).sort();
  }

  path(name: string): string {
    return join(this.stage.data_dir, 'archives', this.tenant.slug, name);
  }

  /** Every row in every archive. */
  async archived(): Promise<{ table: string; row: Record<string, unknown> }[]> {
    const rows = [];
    for (const name of await this.files()) {
      if (!name.endsWith('.gz')) continue;
      const lines = gunzipSync(await readFile(this.path(name)))
        .toString()
        .split('\n')
        .slice(0, -1);
      rows.push(...lines.map((line) => JSON.parse(line) as { table: string; row: Record<string, unknown> }));
    }
    return sorted(rows);
  }

  private async alert(state: 'open' | 'gone' | 'resolved', created: number): Promise<string> {
    return insertRow(this.stage.world, 'alerts', {
      tenant_id: this.id,
      kind: 'event',
      severity: 'info',
      source_type: 'event:test',
      dedupe_key: `alert:${++this.keys}`,
      state: state === 'open' ? 'open' : 'resolved',
      first_seen_at: this.ago(created),
      last_seen_at: this.ago(created),
      gone_at: state === 'gone' ? this.ago(created) : null,
      resolved_at: state === 'open' ? null : this.ago(created),
    });
  }
}

/** In an order that does not depend on where the rows come from. */
export function sorted<Line>(lines: Line[]): Line[] {
  return lines
    .map((line) => ({ line, key: JSON.stringify(line) }))
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .map(({ line }) => line);
}
