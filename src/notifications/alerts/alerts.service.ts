import { Inject, Injectable } from '@nestjs/common';
import { Outbox } from '../../delivery/outbox.js';
import { Clock } from '../../platform/clock/clock.js';
import {
  prepared,
  type PreparedStatement,
  type TenantTransaction,
} from '../../platform/database/transaction.js';
import { announceSql } from '../announcement.js';
import { Notifications } from '../notifications.service.js';
import type { WatchedKind } from './watched.js';

/** What a check of one kind found and did, in numbers. */
export interface CheckCounts extends Record<string, number> {
  /** Facts that hold. */
  facts: number;
  /** Alerts that are new. */
  opened: number;
  /** Alerts that reached a later stage, and so speak once more. */
  staged: number;
  /** Facts that had been told: counted, not repeated. */
  repeated: number;
  /** Alerts whose fact no longer holds. */
  gone: number;
  notifications: number;
  deliveries: number;
}

type CheckRow = CheckCounts & { gone_ids: string[]; user_ids: string[] };

/** The life of alerts: opened by a fact, counted while it holds, gone with it. */
@Injectable()
export class Alerts {
  private readonly statements = new Map<WatchedKind, PreparedStatement>();

  constructor(
    private readonly outbox: Outbox,
    private readonly notifications: Notifications,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Compares the facts of one kind with the tenant's standing alerts, in one statement, and tells what is new.
   * Checks of the same tenant and kind wait for each other.
   * @param today civil date in the tenant's zone
   */
  async check(
    tx: TenantTransaction,
    watched: WatchedKind,
    today: string,
    stages: readonly number[],
  ): Promise<CheckCounts> {
    // One message: the second begins, with a view of its own, when the first has the lock.
    const [, row] = await Promise.all([
      tx.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [
        checkLock(tx.tenant_id, watched.source_type),
      ]),
      tx.one<CheckRow>(this.statement(watched), [
        tx.tenant_id,
        today,
        stages,
        this.clock.now(),
        this.outbox.channels,
      ]),
    ]);
    if (row === null) throw new Error('the check returned nothing');
    const { gone_ids, user_ids, ...counts } = row;
    if (gone_ids.length > 0) await this.outbox.factsGone(tx, gone_ids);
    this.notifications.announced(tx, user_ids, counts.deliveries);
    return counts;
  }

  /** Planning it costs more than running it for a tenant with nothing new. */
  private statement(watched: WatchedKind): PreparedStatement {
    const statement = this.statements.get(watched) ?? prepared(checkSql(watched));
    this.statements.set(watched, statement);
    return statement;
  }

  /**
   * Somebody has dealt with sources, moved or deleted them: what was said of them no longer stands. Waits for a
   * check that is under way: it may have seen a source as it was, and be about to tell of it.
   */
  async sourcesChanged(
    tx: TenantTransaction,
    sourceType: string,
    sourceIds: readonly string[],
  ): Promise<void> {
    if (sourceIds.length === 0) return;
    await tx.query(`SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))`, [
      checkLock(tx.tenant_id, sourceType),
    ]);
    const gone = await tx.query<{ id: string }>(
      `UPDATE alerts SET gone_at = $4, state = 'resolved', resolved_at = coalesce(resolved_at, $4)
       WHERE tenant_id = $1 AND source_type = $2 AND source_id = ANY ($3::uuid[]) AND gone_at IS NULL
       RETURNING id`,
      [tx.tenant_id, sourceType, sourceIds, this.clock.now()],
    );
    if (gone.length === 0) return;
    await this.outbox.factsGone(
      tx,
      gone.map(({ id }) => id),
    );
  }
}

function checkLock(tenantId: string, sourceType: string): string {
  return `check:${tenantId}:${sourceType}`;
}

/**
 * Facts → alerts → notifications → deliveries. An alert silenced by hand counts on but does not speak; one that
 * reached a later stage speaks once more. The responsible user is told, or the tenant's admins where there is
 * none, each in their own language.
 */
function checkSql({ kind, source_type, factsSql }: WatchedKind): string {
  return `
    WITH facts AS (${factsSql}),
    standing AS (
      SELECT id, dedupe_key, stage FROM alerts
      WHERE tenant_id = $1 AND kind = '${kind}' AND gone_at IS NULL
    ),
    gone AS (
      UPDATE alerts a SET gone_at = $4, state = 'resolved', resolved_at = coalesce(a.resolved_at, $4)
      FROM standing s
      WHERE a.tenant_id = $1 AND a.id = s.id
        AND NOT EXISTS (SELECT FROM facts f WHERE f.dedupe_key = s.dedupe_key)
      RETURNING a.id
    ),
    -- The advisory lock keeps others from opening them meanwhile; the unique index would refuse a second one.
    opened AS (
      INSERT INTO alerts (tenant_id, kind, severity, source_type, source_id, dedupe_key, stage, title,
                          first_seen_at, last_seen_at)
      SELECT $1, '${kind}', f.severity, '${source_type}', f.source_id, f.dedupe_key, f.stage,
             coalesce(f.title ->> t.locale, f.title ->> 'fr'), $4::timestamptz, $4::timestamptz
      FROM facts f CROSS JOIN (SELECT locale FROM tenants WHERE id = $1) t
      WHERE NOT EXISTS (SELECT FROM standing s WHERE s.dedupe_key = f.dedupe_key)
      RETURNING id, dedupe_key
    ),
    counted AS (
      UPDATE alerts a
      SET occurrences = a.occurrences + 1, last_seen_at = $4, severity = f.severity,
          title = coalesce(f.title ->> t.locale, f.title ->> 'fr'), stage = LEAST(a.stage, f.stage)
      FROM standing s JOIN facts f USING (dedupe_key) CROSS JOIN (SELECT locale FROM tenants WHERE id = $1) t
      WHERE a.tenant_id = $1 AND a.id = s.id
      RETURNING a.id, s.dedupe_key, a.state, f.stage < s.stage AS later
    ),
    speaking AS (
      SELECT f.*, o.id AS alert_id, true AS opened FROM facts f JOIN opened o USING (dedupe_key)
      UNION ALL
      SELECT f.*, c.id, false FROM facts f JOIN counted c USING (dedupe_key)
      WHERE c.state = 'open' AND c.later
    ),
    told AS (
      SELECT u.id AS user_id, s.alert_id, NULL::text AS created_by, s.alert_id || ':' || s.stage AS dedupe_key,
             '${kind}' AS kind, s.severity, s.data,
             coalesce(s.title ->> l.locale, s.title ->> 'fr') AS title,
             coalesce(s.body ->> l.locale, s.body ->> 'fr') AS body
      FROM speaking s
      JOIN users u ON u.tenant_id = $1
                  AND (u.id = s.responsible_id OR (s.responsible_id IS NULL AND u.role = 'admin'))
      JOIN tenants t ON t.id = $1
      CROSS JOIN LATERAL (SELECT coalesce(u.locale, t.locale) AS locale) l
    ),
    ${announceSql('told')}
    SELECT (SELECT count(*) FROM facts) AS facts,
           (SELECT count(*) FROM speaking WHERE opened) AS opened,
           (SELECT count(*) FROM speaking WHERE NOT opened) AS staged,
           (SELECT count(*) FROM facts) - (SELECT count(*) FROM speaking) AS repeated,
           (SELECT count(*) FROM gone) AS gone,
           (SELECT count(*) FROM created) AS notifications,
           (SELECT count(*) FROM delivered) AS deliveries,
           coalesce((SELECT array_agg(id) FROM gone), '{}') AS gone_ids,
           coalesce((SELECT array_agg(DISTINCT user_id) FROM created), '{}') AS user_ids`;
}
