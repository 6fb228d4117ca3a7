import { Injectable } from '@nestjs/common';
import { KIND_CHANNELS, OPTIONAL_KINDS } from '../contracts/kind-lists.js';
import { Database } from '../platform/database/database.js';
import { notFound } from '../platform/errors/problem.js';
import type { KindPreference, Preferences, PreferencesView, QuietHours } from './preferences.dto.js';
import { UserEvents } from './user-events.js';

/** What users want to receive, by which channel, and when not. Without a choice the kind's default applies. */
@Injectable()
export class PreferencesService {
  constructor(
    private readonly database: Database,
    private readonly events: UserEvents,
  ) {}

  /** Every optional kind on every channel that supports it. */
  async get(tenantId: string, userId: string): Promise<PreferencesView> {
    return this.database.tenant(tenantId, async (tx) => {
      const stored = await tx.query<KindPreference>(
        `SELECT kind, channel, enabled FROM preferences WHERE tenant_id = $1 AND user_id = $2`,
        [tenantId, userId],
      );
      const quiet_hours = await tx.one<QuietHours>(
        `SELECT starts_at AS "from", ends_at AS "to" FROM quiet_hours WHERE tenant_id = $1 AND user_id = $2`,
        [tenantId, userId],
      );
      const user = await tx.one<Pick<PreferencesView, 'bundling'>>(
        `SELECT bundling FROM users WHERE tenant_id = $1 AND id = $2`,
        [tenantId, userId],
      );
      return { preferences: complete(stored), quiet_hours, bundling: user?.bundling ?? null };
    });
  }

  /** @throws Problem not_found when the user has just been erased. */
  async replace(
    tenantId: string,
    userId: string,
    { preferences, quiet_hours, bundling }: Preferences,
  ): Promise<PreferencesView> {
    return this.database.tenant(tenantId, async (tx) => {
      // One replacement at a time: concurrent ones would mix.
      const user = await tx.one(
        `UPDATE users SET bundling = $3 WHERE tenant_id = $1 AND id = $2 RETURNING id`,
        [tenantId, userId, bundling],
      );
      if (user === null) throw notFound();
      await tx.execute(`DELETE FROM preferences WHERE tenant_id = $1 AND user_id = $2`, [tenantId, userId]);
      await tx.execute(`DELETE FROM quiet_hours WHERE tenant_id = $1 AND user_id = $2`, [tenantId, userId]);
      await tx.execute(
        `INSERT INTO preferences (tenant_id, user_id, kind, channel, enabled)
         SELECT $1, $2, p.kind, p.channel, p.enabled
         FROM unnest($3::text[], $4::text[], $5::boolean[]) AS p (kind, channel, enabled)`,
        [
          tenantId,
          userId,
          preferences.map(({ kind }) => kind),
          preferences.map(({ channel }) => channel),
          preferences.map(({ enabled }) => enabled),
        ],
      );
      if (quiet_hours !== null) {
        await tx.execute(
          `INSERT INTO quiet_hours (tenant_id, user_id, starts_at, ends_at) VALUES ($1, $2, $3, $4)`,
          [tenantId, userId, quiet_hours.from, quiet_hours.to],
        );
      }
      await this.events.preferencesChanged(tx, userId);
      return { preferences: complete(preferences), quiet_hours, bundling };
    });
  }
}

function complete(stored: readonly KindPreference[]): KindPreference[] {
  const chosen = new Map(stored.map(({ kind, channel, enabled }) => [`${kind} ${channel}`, enabled]));
  return OPTIONAL_KINDS.flatMap((kind) =>
    KIND_CHANNELS.filter((each) => each.kind === kind).map(({ channel, default_on }) => ({
      kind,
      channel,
      enabled: chosen.get(`${kind} ${channel}`) ?? default_on,
    })),
  );
}
