import { SCHEDULE } from './expected-slots.js';
import type { Installation } from './installation.js';

/**
 * Adds a tenant in each of these zones, with a schedule that has long been due.
 * @returns their zones, by id
 */
export async function addScheduledTenants(
  installation: Installation,
  prefix: string,
  zones: readonly string[],
): Promise<Map<string, string>> {
  const rows = await installation.sql<{ id: string; time_zone: string }>(
    `INSERT INTO tenants (slug, name, kind, time_zone, locale, settings, schedule_from)
     SELECT $3 || '-' || position, zone, 'cabinet', zone, 'fr', $2::jsonb, '2000-01-01T00:00:00Z'
     FROM unnest($1::text[]) WITH ORDINALITY AS z (zone, position) RETURNING id, time_zone`,
    [zones, JSON.stringify({ schedule: SCHEDULE }), prefix],
  );
  return new Map(rows.map(({ id, time_zone }) => [id, time_zone]));
}
