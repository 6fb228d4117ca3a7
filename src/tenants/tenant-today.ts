import { civilDate } from '../platform/clock/civil-time.js';
import type { TenantStatements } from '../platform/database/database.js';
import { prepared } from '../platform/database/transaction.js';
import { notFound } from '../platform/errors/problem.js';
import { effectiveSettings, type TenantSettings } from './settings/tenant-settings.js';

const TENANT = prepared('SELECT time_zone, settings, suspended_at FROM tenants WHERE id = $1');

/** The values that decide what is due. */
export interface TenantToday {
  /** A civil date (YYYY-MM-DD) in the tenant's zone. */
  today: string;
  settings: TenantSettings;
  suspended: boolean;
}

/**
 * @param when an instant, or the civil date of the work: a run of a slot has the slot's date, whatever the worker's
 * clock shows.
 * @throws Problem not_found when the tenant no longer exists.
 */
export async function tenantToday(tx: TenantStatements, when: Date | string): Promise<TenantToday> {
  const tenant = await tx.one<{ time_zone: string; settings: unknown; suspended_at: Date | null }>(TENANT, [
    tx.tenant_id,
  ]);
  if (tenant === null) throw notFound();
  return {
    today: typeof when === 'string' ? when : civilDate(when, tenant.time_zone),
    settings: effectiveSettings(tenant.settings),
    suspended: tenant.suspended_at !== null,
  };
}
