import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import { effectiveSettings } from '../../tenants/settings/tenant-settings.js';
import type { Cutoff } from './archived-things.js';

const DAY_MS = 86_400_000;

/** Reads how long a tenant keeps what is archived. */
@Injectable()
export class Retention {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** The instants before which something is old enough. */
  async cutoffs(tenantId: string): Promise<Record<Cutoff, Date>> {
    const row = await this.database
      .single(tenantId)
      .one<{ settings: unknown }>(`SELECT settings FROM tenants WHERE id = $1`, [tenantId]);
    const { sent_days, failed_days, unread_days } = effectiveSettings(row?.settings).retention;
    const now = this.clock.now().getTime();
    const before = (own: number | null, days: number) => new Date(now - (own ?? days) * DAY_MS);
    return {
      sent_before: before(sent_days, this.config.deleteSentAfterDays),
      failed_before: before(failed_days, this.config.deleteFailedAfterDays),
      unread_before: before(unread_days, this.config.deleteUnreadAfterDays),
    };
  }
}
