import { Injectable } from '@nestjs/common';
import type { NotificationData } from '../../contracts/kinds.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { announcement, announceSql } from '../announcement.js';
import { NotificationViews } from '../views/notification-views.js';
import { type ReaderRow, readerSql, userOf } from '../views/reader.js';
import { alertColumns, type AlertRow } from './alert-row.js';
import type { EventAlert, NewEvent } from './events.dto.js';
import { Notifications } from '../notifications.service.js';
import { refuseUnknownUsers } from '../recipients.js';

type Reported = AlertRow & ReaderRow & { opened: boolean; user_ids: string[]; deliveries: number };

/** Facts that other programs report: no check opens or ends them. */
@Injectable()
export class Events {
  constructor(
    private readonly notifications: Notifications,
    private readonly views: NotificationViews,
  ) {}

  /**
   * Opens the fact's alert and notifies people, or counts a repeated report without notifying.
   * @param createdBy who reports it, as `user:<id>` or `key:<id>`
   * @throws Problem validation_failed for users outside this tenant.
   */
  async report(tx: TenantTransaction, event: NewEvent, createdBy: string): Promise<EventAlert> {
    const { kind, title, body, severity, dedupe_key, user_ids } = event;
    if (user_ids) await refuseUnknownUsers(tx, user_ids);
    const [reported] = await this.notifications.announce<Reported, 'reported' | 'user_ids' | 'reader_id'>(
      tx,
      REPORT,
      {
        reported: JSON.stringify({
          kind,
          severity,
          dedupe_key: `event:${dedupe_key}`,
          created_by: createdBy,
          data: { kind, title, body } satisfies NotificationData['event'],
        }),
        user_ids: user_ids ?? null,
        reader_id: userOf(createdBy),
      },
    );
    if (reported === undefined) throw new Error('the event was not recorded');
    const { user_ids: notified, deliveries, opened } = reported;
    this.notifications.announced(tx, notified, deliveries);
    const own = await this.views.ownWords(tx, [reported]);
    return Object.assign(this.views.ofAlert(reported, own), { opened });
  }
}

const REPORT = announcement(
  { reported: 'jsonb', user_ids: 'uuid[]', reader_id: 'uuid' },
  (p) => `
  WITH event AS (
    SELECT * FROM jsonb_to_record(${p.reported}) AS e (kind text, severity text, dedupe_key text, created_by text,
                                                    data jsonb)
  ),
  seen AS (
    INSERT INTO alerts AS a (tenant_id, kind, severity, source_type, dedupe_key, data, first_seen_at, last_seen_at)
    SELECT ${p.tenant_id}, 'event', e.severity, 'event:' || e.kind, e.dedupe_key, e.data, ${p.now}, ${p.now}
    FROM event e
    ON CONFLICT (tenant_id, dedupe_key) WHERE gone_at IS NULL DO UPDATE
      SET occurrences = a.occurrences + 1, last_seen_at = excluded.last_seen_at, data = excluded.data,
          severity = excluded.severity, source_type = excluded.source_type
    RETURNING ${alertColumns('a')}, a.occurrences = 1 AS opened
  ),
  audience AS (
    SELECT u.id AS user_id, s.id AS alert_id, e.created_by, s.id || ':0' AS dedupe_key, 'event' AS kind, e.severity,
           e.data, CASE WHEN ${p.user_ids} IS NULL THEN 'alert_recipient' ELSE 'addressed' END AS audience
    FROM event e
    CROSS JOIN seen s
    JOIN users u ON u.tenant_id = ${p.tenant_id}
                AND CASE WHEN ${p.user_ids} IS NULL THEN u.role = 'admin' ELSE u.id = ANY (${p.user_ids}) END
    WHERE s.opened
  ),
  ${announceSql(p)}
  SELECT s.*, reader.*, (SELECT count(*) FROM delivered) AS deliveries,
         coalesce((SELECT array_agg(user_id) FROM created), '{}') AS user_ids
  FROM seen s CROSS JOIN (${readerSql(p.tenant_id, p.reader_id)}) reader`,
);
