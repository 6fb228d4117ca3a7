import type { ScheduledJob } from '../../contracts/jobs.js';
import type { NotificationKind } from '../../contracts/kinds.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { CREATED_SINCE } from '../preview/written.sql.js';

/**
 * The most notifications to rewind: deleting more takes too long, even in a transaction that is rolled back.
 */
const MAX_REWOUND = 20_000;

/** Later than any notification. */
const FOREVER = '9999-12-31T00:00:00Z';

/** The kinds that a job announces, for jobs whose announcements can be rewound. */
export const REWINDABLE: Partial<Record<ScheduledJob, readonly NotificationKind[]>> = {
  'check-notifications': ['deadline_near', 'documents_missing', 'tasks_overdue'],
  'weekly-summary': ['weekly_summary'],
};

/**
 * Deletes what was announced at an instant and later, so that a rehearsal finds the alerts of that time. Only
 * in a rehearsal, which is rolled back. It cannot restore earlier items, people and settings.
 * @returns false if there is too much; then nothing is changed.
 */
export async function rewind(
  tx: TenantTransaction,
  instant: Date,
  kinds: readonly NotificationKind[],
): Promise<boolean> {
  const parameters = [tx.tenant_id, instant, new Date(FOREVER), kinds];
  const later = await tx.query<{ id: string; alert_id: string | null }>(
    `SELECT n.id, n.alert_id FROM (${CREATED_SINCE}) n LIMIT ${MAX_REWOUND + 1}`,
    parameters,
  );
  if (later.length > MAX_REWOUND) return false;
  const alerts = [...new Set(later.flatMap(({ alert_id }) => alert_id ?? []))];
  await tx.execute('DELETE FROM notifications WHERE tenant_id = $1 AND id = ANY ($2::uuid[])', [
    tx.tenant_id,
    later.map(({ id }) => id),
  ]);
  await tx.execute(OPENED_SINCE, [tx.tenant_id, instant, kinds]);
  await tx.execute(STAND_AGAIN, [tx.tenant_id, instant, kinds]);
  await tx.execute(EARLIER_STAGE, [tx.tenant_id, alerts]);
  return true;
}

/** $2 the instant, $3 kinds. All notifications of an alert are later than the alert. */
const OPENED_SINCE = `
  DELETE FROM alerts a
  WHERE a.tenant_id = $1 AND a.kind = ANY ($3::text[]) AND a.first_seen_at >= $2
    AND NOT EXISTS (SELECT FROM notifications n WHERE n.tenant_id = $1 AND n.alert_id = a.id)`;

/** Reopens alerts that ended since: a check decides again. The same parameters. */
const STAND_AGAIN = `
  UPDATE alerts a
  SET gone_at = NULL, state = 'open', resolved_at = NULL, resolved_by = NULL,
      acknowledged_at = CASE WHEN a.acknowledged_at < $2 THEN a.acknowledged_at END,
      acknowledged_by = CASE WHEN a.acknowledged_at < $2 THEN a.acknowledged_by END
  WHERE a.tenant_id = $1 AND a.kind = ANY ($3::text[])
    AND (a.gone_at >= $2 OR a.gone_at IS NULL AND (a.acknowledged_at >= $2 OR a.resolved_at >= $2))
    AND NOT EXISTS (SELECT FROM alerts o WHERE o.tenant_id = $1 AND o.dedupe_key = a.dedupe_key AND o.gone_at IS NULL
                      AND o.id <> a.id)`;

/** The stage that the newest remaining notification of each alert announced. $2 alert ids */
const EARLIER_STAGE = `
  UPDATE alerts a SET stage = earlier.stage
  FROM (
    SELECT DISTINCT ON (a.id) a.id,
           substring(substr(n.dedupe_key, length(a.dedupe_key) + 2) FROM '^-?[0-9]{1,4}')::smallint AS stage
    FROM alerts a JOIN notifications n ON n.tenant_id = a.tenant_id AND n.alert_id = a.id
    WHERE a.tenant_id = $1 AND a.id = ANY ($2::uuid[]) AND starts_with(n.dedupe_key, a.dedupe_key || ':')
    ORDER BY a.id, n.created_at DESC, n.id DESC
  ) earlier
  WHERE a.tenant_id = $1 AND a.id = earlier.id AND earlier.stage IS NOT NULL`;
