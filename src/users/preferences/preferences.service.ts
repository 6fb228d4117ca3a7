import { Inject, Injectable } from '@nestjs/common';
import type { PeopleChannel } from '../../contracts/channels.js';
import type { OptionalKind } from '../../contracts/kind-lists.js';
import { addDays, civilDate } from '../../platform/clock/civil-time.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { invalid, notFound } from '../../platform/errors/problem.js';
import { UserEvents } from '../user-events.js';
import { type Choice, type EffectivePreference, effectivePreferences } from './effective.js';
import { MAX_PAUSE_DAYS, type Preferences, type PreferencesView, type UserHours } from './preferences.dto.js';
import { TenantPreferences } from './tenant-preferences.service.js';

/** A user's row, with their zone. */
type UserRow = Pick<PreferencesView, 'bundling' | keyof UserHours> & { zone: string };

/** What users want to receive, by which channel, and when not. Without a choice the tenant's, or the kind's, applies. */
@Injectable()
export class PreferencesService {
  constructor(
    private readonly database: Database,
    private readonly events: UserEvents,
    private readonly tenant: TenantPreferences,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @throws Problem not_found when the user has just been erased. */
  async get(tenantId: string, userId: string): Promise<PreferencesView> {
    return this.database.tenant(tenantId, async (tx) => {
      const user = await tx.one<UserRow>(USER, [tenantId, userId]);
      if (user === null) throw notFound();
      return this.viewOf(user, await this.effective(tx, userId));
    });
  }

  /**
   * Replaces all preferences, and applies them to waiting deliveries.
   * @throws Problem not_found when the user has just been erased, validation_failed for a pause that ends too
   * early or too late.
   */
  async replace(tenantId: string, userId: string, body: Preferences): Promise<PreferencesView> {
    const { preferences, quiet_hours, receiving_hours, paused_until, bundling } = body;
    return this.database.tenant(tenantId, async (tx) => {
      // One replacement at a time: concurrent ones would mix.
      await tx.execute(`UPDATE users SET bundling = $3 WHERE tenant_id = $1 AND id = $2`, [
        tenantId,
        userId,
        bundling,
      ]);
      const user = await tx.one<UserRow>(USER, [tenantId, userId]);
      if (user === null) throw notFound();
      if (!preferences) throw invalid('/preferences', 'is required');
      this.checkPause(paused_until, user.zone);
      await tx.execute(`DELETE FROM preferences WHERE tenant_id = $1 AND user_id = $2`, [tenantId, userId]);
      await tx.execute(`DELETE FROM quiet_hours WHERE tenant_id = $1 AND user_id = $2`, [tenantId, userId]);
      const chosen = preferences.filter(({ enabled }) => typeof enabled === 'boolean');
      await tx.execute(
        `INSERT INTO preferences (tenant_id, user_id, kind, channel, enabled)
         SELECT $1, $2, p.kind, p.channel, p.enabled
         FROM unnest($3::text[], $4::text[], $5::boolean[]) AS p (kind, channel, enabled)`,
        [
          tenantId,
          userId,
          chosen.map(({ kind }) => kind),
          chosen.map(({ channel }) => channel),
          chosen.map(({ enabled }) => enabled),
        ],
      );
      if (quiet_hours !== null || receiving_hours !== null || paused_until !== null) {
        await tx.execute(
          `INSERT INTO quiet_hours (tenant_id, user_id, starts_at, ends_at, receiving_hours, paused_until)
           VALUES ($1, $2, $3, $4, $5, $6)`,
          [
            tenantId,
            userId,
            quiet_hours?.from ?? null,
            quiet_hours?.to ?? null,
            receiving_hours === null ? null : JSON.stringify(receiving_hours),
            paused_until,
          ],
        );
      }
      await this.events.preferencesChanged(tx, userId);
      const hours = { quiet_hours, receiving_hours, paused_until };
      return this.viewOf({ ...user, bundling, ...hours }, await this.effective(tx, userId));
    });
  }

  /** What applies to a user, for every kind on every channel that suits it. */
  async effective(tx: TenantTransaction, userId: string): Promise<EffectivePreference[]> {
    const own = await tx.query<Choice>(
      `SELECT kind, channel, enabled FROM preferences WHERE tenant_id = $1 AND user_id = $2`,
      [tx.tenant_id, userId],
    );
    return effectivePreferences(own, await this.tenant.choices(tx));
  }

  /**
   * Turns kinds on or off on one channel, and leaves all other preferences unchanged. Turned on, a kind returns to its
   * default, unless that is off. May be repeated.
   * @returns whether the user exists
   */
  async turn(
    tx: TenantTransaction,
    userId: string,
    channel: PeopleChannel,
    kinds: readonly OptionalKind[],
    on: boolean,
  ): Promise<boolean> {
    const user = await tx.one(`SELECT id FROM users WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE`, [
      tx.tenant_id,
      userId,
    ]);
    if (user === null) return false;
    const defaults = effectivePreferences(null, await this.tenant.choices(tx));
    const before = await this.effective(tx, userId);
    const differing = before.filter(
      (each) => each.channel === channel && isOneOf(each.kind, kinds) && each.enabled !== on,
    );
    if (differing.length === 0) return true;
    const names = differing.map(({ kind }) => kind);
    const needsRow = (kind: string) =>
      defaults.some((each) => each.kind === kind && each.channel === channel && each.enabled !== on);
    await tx.execute(
      `DELETE FROM preferences WHERE tenant_id = $1 AND user_id = $2 AND channel = $3 AND kind = ANY ($4::text[])`,
      [tx.tenant_id, userId, channel, names],
    );
    await tx.execute(
      `INSERT INTO preferences (tenant_id, user_id, kind, channel, enabled)
       SELECT $1, $2, kind, $3, $5 FROM unnest($4::text[]) AS kind`,
      [tx.tenant_id, userId, channel, names.filter((kind) => !on || needsRow(kind)), on],
    );
    await this.events.preferencesChanged(tx, userId);
    return true;
  }

  /** A pause that has ended is not shown. */
  private viewOf(user: UserRow, preferences: EffectivePreference[]): PreferencesView {
    const { quiet_hours, receiving_hours, bundling, zone } = user;
    const paused = user.paused_until !== null && user.paused_until > this.today(zone);
    return {
      preferences,
      quiet_hours,
      receiving_hours,
      paused_until: paused ? user.paused_until : null,
      bundling,
    };
  }

  private checkPause(until: string | null, zone: string): void {
    if (until === null) return;
    const today = this.today(zone);
    if (until <= today) throw invalid('/paused_until', `must be after today, ${today} in ${zone}`);
    const latest = addDays(today, MAX_PAUSE_DAYS);
    if (until > latest)
      throw invalid('/paused_until', `must be within ${MAX_PAUSE_DAYS} days: ${latest} at the latest`);
  }

  private today(zone: string): string {
    return civilDate(this.clock.now(), zone);
  }
}

function isOneOf(kind: string, kinds: readonly string[]): kind is OptionalKind {
  return kinds.includes(kind);
}

/** $1 tenant id, $2 user id */
const USER = `
  SELECT u.bundling, coalesce(u.time_zone, t.time_zone) AS zone,
         CASE WHEN q.starts_at IS NOT NULL THEN jsonb_build_object('from', q.starts_at, 'to', q.ends_at) END
           AS quiet_hours,
         q.receiving_hours, q.paused_until::text AS paused_until
  FROM users u JOIN tenants t ON t.id = u.tenant_id
  LEFT JOIN quiet_hours q ON q.tenant_id = u.tenant_id AND q.user_id = u.id
  WHERE u.tenant_id = $1 AND u.id = $2`;
