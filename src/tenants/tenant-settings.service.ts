import { Inject, Injectable } from '@nestjs/common';
import type { Locale } from '../contracts/locales.js';
import { changedFields, noteChangedFields } from '../platform/audit/changed-fields.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { notFound } from '../platform/errors/problem.js';
import { TenantEvents } from './tenant-events.js';
import { effectiveSettings } from './settings/tenant-settings.js';
import { TimeZones } from './time-zones.js';
import { TenantSettingsDocument } from './tenants.dto.js';

interface SettingsRow {
  name: string;
  locale: Locale;
  time_zone: string;
  settings: unknown;
}

/** The settings that a tenant's admins change. */
@Injectable()
export class TenantSettingsService {
  constructor(
    private readonly database: Database,
    private readonly events: TenantEvents,
    private readonly zones: TimeZones,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async get(tenantId: string): Promise<TenantSettingsDocument> {
    return this.database.tenant(tenantId, async (tx) => documentOf(await this.read(tx, '')));
  }

  /**
   * Replaces all settings. A new zone or new hours need no marker: the ledger of runs records what has run under the
   * old ones (src/scheduler/occasions.ts).
   * @throws Problem validation_failed for a zone that PostgreSQL does not know.
   */
  async replace(tenantId: string, body: TenantSettingsDocument): Promise<TenantSettingsDocument> {
    await this.zones.assertKnown(body.time_zone);
    return this.database.tenant(tenantId, async (tx) => {
      const before = documentOf(await this.read(tx, 'FOR UPDATE'));
      const now = this.clock.now();
      const { name, locale, time_zone, ...settings } = body;
      await tx.execute(
        // Message templates fall back to the tenant's locale: processes cache it with its templates.
        `UPDATE tenants SET name = $2, locale = $3, time_zone = $4, settings = $5, updated_at = $6,
           wording_version = CASE WHEN wording_version IS NOT NULL AND locale <> $3 THEN gen_random_uuid()
                                  ELSE wording_version END
         WHERE id = $1`,
        [tenantId, name, locale, time_zone, JSON.stringify(settings), now],
      );
      await this.events.settingsChanged(tx);
      const after = documentOf({ name, locale, time_zone, settings });
      noteChangedFields(changedFields(before, after));
      return after;
    });
  }

  private async read(tx: TenantTransaction, lock: '' | 'FOR UPDATE'): Promise<SettingsRow> {
    const row = await tx.one<SettingsRow>(
      `SELECT name, locale, time_zone, settings FROM tenants WHERE id = $1 ${lock}`,
      [tx.tenant_id],
    );
    if (row === null) throw notFound();
    return row;
  }
}

/** The document, including every default. */
function documentOf({ name, locale, time_zone, settings }: SettingsRow): TenantSettingsDocument {
  return Object.assign(
    new TenantSettingsDocument(),
    { name, locale, time_zone },
    effectiveSettings(settings),
  );
}
