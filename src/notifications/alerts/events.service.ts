import { Inject, Injectable } from '@nestjs/common';
import { Outbox } from '../../delivery/outbox.js';
import { Clock } from '../../platform/clock/clock.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { ALERT_COLUMNS } from './alert-list.service.js';
import { announceSql } from '../announcement.js';
import type { EventAlert, NewEvent } from './events.dto.js';
import { Notifications } from '../notifications.service.js';
import { refuseUnknownUsers } from '../recipients.js';

type Reported = EventAlert & { user_ids: string[]; deliveries: number };

/** Facts that other programs report: no check finds them, and none finds them gone. */
@Injectable()
export class Events {
  constructor(
    private readonly outbox: Outbox,
    private readonly notifications: Notifications,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Opens the fact's alert and tells people, or counts one more occurrence and tells nobody.
   * @param createdBy who reports it, as `user:<id>` or `key:<id>`
   * @throws Problem validation_failed for users who are not of this tenant.
   */
  async report(tx: TenantTransaction, event: NewEvent, createdBy: string): Promise<EventAlert> {
    const { kind, title, body, severity, dedupe_key, user_ids } = event;
    if (user_ids) await refuseUnknownUsers(tx, user_ids);
    const reported = await tx.one<Reported>(REPORT, [
      tx.tenant_id,
      JSON.stringify({
        kind,
        title,
        body,
        severity,
        dedupe_key: `event:${dedupe_key}`,
        created_by: createdBy,
      }),
      user_ids ?? null,
      this.clock.now(),
      this.outbox.channels,
    ]);
    if (reported === null) throw new Error('the event was not recorded');
    const { user_ids: told, deliveries, ...alert } = reported;
    this.notifications.announced(tx, told, deliveries);
    return alert;
  }
}

// $1 tenant id, $2 the event, $3 who is told (null: the admins), $4 now, $5 the outbox's channels
const REPORT = `
  WITH event AS (
    SELECT * FROM jsonb_to_record($2::jsonb) AS e (kind text, title text, body text, severity text,
                                                   dedupe_key text, created_by text)
  ),
  seen AS (
    INSERT INTO alerts AS a (tenant_id, kind, severity, source_type, dedupe_key, title, first_seen_at, last_seen_at)
    SELECT $1, 'event', e.severity, 'event:' || e.kind, e.dedupe_key, e.title, $4::timestamptz, $4::timestamptz
    FROM event e
    ON CONFLICT (tenant_id, dedupe_key) WHERE gone_at IS NULL DO UPDATE
      SET occurrences = a.occurrences + 1, last_seen_at = excluded.last_seen_at, title = excluded.title,
          severity = excluded.severity, source_type = excluded.source_type
    RETURNING ${ALERT_COLUMNS}, occurrences = 1 AS opened
  ),
  told AS (
    SELECT u.id AS user_id, s.id AS alert_id, e.created_by, s.id || ':0' AS dedupe_key, 'event' AS kind, e.severity,
           e.title, e.body, jsonb_build_object('kind', e.kind) AS data
    FROM event e
    CROSS JOIN seen s
    JOIN users u ON u.tenant_id = $1
                AND CASE WHEN $3::uuid[] IS NULL THEN u.role = 'admin' ELSE u.id = ANY ($3::uuid[]) END
    WHERE s.opened
  ),
  ${announceSql('told')}
  SELECT s.*, (SELECT count(*) FROM delivered) AS deliveries,
         coalesce((SELECT array_agg(user_id) FROM created), '{}') AS user_ids
  FROM seen s`;
