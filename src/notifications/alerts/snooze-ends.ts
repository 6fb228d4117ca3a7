import { Inject, Injectable } from '@nestjs/common';
import { Outbox } from '../../delivery/outbox.js';
import type { NotificationKind } from '../../contracts/kinds.js';
import { Clock } from '../../platform/clock/clock.js';
import { prepared, type TenantTransaction } from '../../platform/database/transaction.js';
import { announcement, announceSql } from '../announcement.js';
import { Notifications } from '../notifications.service.js';

/** Alerts of one call; the next call takes the rest. */
const MAX_AT_ONCE = 1_000;

export interface WokenCounts extends Record<string, number> {
  /** Alerts that were announced again, because their snooze has ended. */
  woken: number;
}

interface Woken {
  woken: number;
  deliveries: number;
  user_ids: string[];
}

/** Announces alerts again whose snooze has ended: those that no check compares with facts (events, incidents). */
@Injectable()
export class SnoozeEnds {
  constructor(
    private readonly notifications: Notifications,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** Announces each once, with its present data, to the people who were notified of it before. */
  async announce(tx: TenantTransaction, kinds: readonly NotificationKind[]): Promise<WokenCounts> {
    // There are rarely any, and planning the announcement costs more than a check that finds nothing new.
    if ((await tx.one(ANY_DUE, [tx.tenant_id, this.clock.now(), kinds])) === null) return { woken: 0 };
    const [outcome] = await this.notifications.announce<Woken, 'kinds'>(tx, WAKE, { kinds });
    if (outcome === undefined) throw new Error('the announcement returned nothing');
    const { woken, deliveries, user_ids } = outcome;
    this.notifications.announced(tx, user_ids, deliveries);
    return { woken };
  }
}

/** The open alerts of a tenant whose snooze has ended. Index: alerts_snoozed */
const dueSql = (tenantId: string, now: string, kinds: string) => `
    FROM alerts a
    WHERE a.tenant_id = ${tenantId} AND a.gone_at IS NULL AND a.state = 'open' AND a.kind = ANY (${kinds})
      AND a.acknowledged_at IS NULL AND a.snoozed_until <= ${now}`;

/** $1 tenant id, $2 now, $3 kinds */
const ANY_DUE = prepared(`SELECT 1 ${dueSql('$1::uuid', '$2::timestamptz', '$3::text[]')} LIMIT 1`);

/** Locks the alerts in order of their keys, as incidents do. */
const WAKE = announcement(
  { kinds: 'text[]' },
  (p) => `
  WITH due AS MATERIALIZED (
    SELECT a.id, a.snoozed_until ${dueSql(p.tenant_id, p.now, p.kinds)}
    ORDER BY a.dedupe_key LIMIT ${MAX_AT_ONCE} FOR NO KEY UPDATE
  ),
  woken AS (
    UPDATE alerts a SET snoozed_until = NULL, last_notified_at = ${p.now}
    FROM due WHERE a.tenant_id = ${p.tenant_id} AND a.id = due.id
    RETURNING a.id, a.kind, a.severity, a.data,
              a.id || ':s' || (extract(epoch FROM due.snoozed_until) * 1000)::bigint AS dedupe_key
  ),
  audience AS (
    SELECT DISTINCT ON (w.id, n.recipient)
           n.user_id, n.recipient, w.id AS alert_id, n.created_by, w.dedupe_key, w.kind, w.severity, w.data, n.audience,
           CASE WHEN n.user_id IS NULL THEN substr(n.recipient, length('mailto:') + 1) END AS address,
           CASE WHEN n.user_id IS NULL THEN 'email' END AS channel, ${p.now} AS due_at
    FROM woken w
    JOIN notifications n ON n.tenant_id = ${p.tenant_id} AND n.alert_id = w.id
    -- Not users who were erased: their notifications have no user.
    WHERE n.user_id IS NOT NULL OR n.recipient LIKE 'mailto:%'
    ORDER BY w.id, n.recipient, n.created_at DESC
  ),
  ${Outbox.supersededSql('SELECT id FROM woken', p)},
  ${announceSql(p, { addressed: true })}
  SELECT (SELECT count(*) FROM woken) AS woken, (SELECT count(*) FROM delivered) AS deliveries,
         coalesce((SELECT array_agg(DISTINCT user_id) FROM created WHERE user_id IS NOT NULL), '{}') AS user_ids`,
);
