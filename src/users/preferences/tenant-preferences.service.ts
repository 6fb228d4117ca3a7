import { Injectable } from '@nestjs/common';
import { noteChangedFields } from '../../platform/audit/changed-fields.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { type Choice, effectivePreferences } from './effective.js';
import type { TenantPreferencesDocument, TenantPreferencesView } from './tenant-preferences.dto.js';

/** What a tenant's users receive, by which channel, unless they choose otherwise. */
@Injectable()
export class TenantPreferences {
  constructor(private readonly database: Database) {}

  /** The stored choices. */
  async choices(tx: TenantTransaction): Promise<Choice[]> {
    return tx.query<Choice>(`SELECT kind, channel, enabled FROM tenant_preferences WHERE tenant_id = $1`, [
      tx.tenant_id,
    ]);
  }

  async get(tenantId: string): Promise<TenantPreferencesView> {
    return this.database.tenant(tenantId, async (tx) => viewOf(await this.choices(tx)));
  }

  /** Replaces all choices. They apply to notifications that are created from now on. */
  async replace(
    tenantId: string,
    { preferences }: TenantPreferencesDocument,
  ): Promise<TenantPreferencesView> {
    return this.database.tenant(tenantId, async (tx) => {
      // One replacement at a time: concurrent ones would mix.
      await tx.lock(`tenant-preferences:${tenantId}`);
      const before = await this.choices(tx);
      await tx.execute(`DELETE FROM tenant_preferences WHERE tenant_id = $1`, [tenantId]);
      await tx.execute(
        `INSERT INTO tenant_preferences (tenant_id, kind, channel, enabled)
         SELECT $1, p.kind, p.channel, p.enabled
         FROM unnest($2::text[], $3::text[], $4::boolean[]) AS p (kind, channel, enabled)`,
        [
          tenantId,
          preferences.map(({ kind }) => kind),
          preferences.map(({ channel }) => channel),
          preferences.map(({ enabled }) => enabled),
        ],
      );
      noteChangedFields(changed(before, preferences));
      return viewOf(preferences);
    });
  }
}

function viewOf(choices: readonly Choice[]): TenantPreferencesView {
  return { preferences: effectivePreferences(null, choices) };
}

/** The names of the changed choices: `deadline_near.email`. */
function changed(before: readonly Choice[], after: readonly Choice[]): string[] {
  const [one, other] = [before, after].map(
    (choices) => new Map(choices.map(({ kind, channel, enabled }) => [`${kind}.${channel}`, enabled])),
  );
  const names = new Set([...(one?.keys() ?? []), ...(other?.keys() ?? [])]);
  return [...names].filter((name) => one?.get(name) !== other?.get(name)).sort();
}
