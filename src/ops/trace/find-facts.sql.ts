import { DEADLINES } from '../../deadlines/deadlines.facts.js';
import { DOCUMENTS } from '../../documents/documents.facts.js';
import type { DueTable } from '../../due-items/due-items.sql.js';
import { foldedSql } from '../../platform/text/folded.sql.js';
import { TICKET, TICKET_KIND } from '../../reminders/tickets/tickets.kind.js';
import { TASKS } from '../../tasks/tasks.facts.js';

/*
 * Statements that find the fact of a request. Each is bounded.
 */

/** Items and alerts that one text may find; one more than is explained, to know whether there are more. */
export const MAX_FACTS = 5;
/** Alerts, and notifications of the recipient, among which a text is searched, newest first. */
const MAX_SEARCHED = 2_000;

/** An item that people enter: something with a due date, or a watched backup. */
export interface Item {
  /** As in links: `deadline`, `backup`. */
  type: string;
  /** `source_type` of its alerts. */
  source_type: string;
  id: string;
  title: string;
  /** Null for backups. */
  due_on: string | null;
  responsible_id: string | null;
  ended_at: Date | null;
}

const DUE_ITEMS: readonly { type: string; due: DueTable }[] = [
  { type: 'deadline', due: DEADLINES },
  { type: 'document', due: DOCUMENTS },
  { type: 'task', due: TASKS },
  { type: TICKET, due: TICKET_KIND.due },
];

const BACKUP_TITLE = `concat_ws(' ', b.agent_id, b.database_name, b.company_name, b.city)`;

/** @param which a condition of the item `i`, or of the backup job `b` */
const items = (which: { due: string; backup: string }): string =>
  [
    ...DUE_ITEMS.map(
      ({ type, due }) => `
    (SELECT '${type}' AS type, '${type}' AS source_type, i.id, i.title, i.due_on::text AS due_on, i.responsible_id,
            i.${due.endedAt} AS ended_at
     FROM ${due.table} i WHERE i.tenant_id = $1 AND ${which.due}
     ORDER BY i.${due.endedAt} IS NOT NULL, i.due_on, i.id LIMIT ${MAX_FACTS + 1})`,
    ),
    `
    (SELECT 'backup', 'backup_job', b.id, b.database_name || ', ' || b.company_name, NULL, NULL, NULL
     FROM backup_jobs b WHERE b.tenant_id = $1 AND ${which.backup} ORDER BY b.id LIMIT ${MAX_FACTS + 1})`,
  ].join(' UNION ALL ');

/** $1 tenant id, $2 id */
export const ITEM_BY_ID = `SELECT * FROM (${items({ due: 'i.id = $2::uuid', backup: 'b.id = $2::uuid' })}) item LIMIT 1`;

/** Open ones first, by due date. $1 tenant id, $2 a pattern of LIKE */
export const ITEMS_BY_TEXT = `
  SELECT * FROM (${items({
    due: `i.search_text LIKE ${foldedSql('$2')}`,
    backup: `${foldedSql(BACKUP_TITLE)} LIKE ${foldedSql('$2')}`,
  })}) item
  ORDER BY ended_at IS NOT NULL, due_on NULLS LAST, id LIMIT ${MAX_FACTS + 1}`;

/** The texts of a fact, whatever its kind, without the names of its fields. */
const textsOf = (data: string) =>
  foldedSql(
    `(SELECT string_agg(v #>> '{}', chr(10)) FROM jsonb_path_query(${data}, '$.** ? (@.type() == "string")') v)`,
  );

/** Ids of the newest alerts with this dedupe key. Index: alerts_list. $1 tenant id, $2 the key */
export const ALERTS_BY_KEY = `
  SELECT id FROM (
    SELECT id, dedupe_key FROM alerts WHERE tenant_id = $1 ORDER BY first_seen_at DESC, id DESC LIMIT ${MAX_SEARCHED}) a
  WHERE dedupe_key = $2 OR dedupe_key = 'event:' || $2 LIMIT 1`;

/** Ids of the newest alerts of other sources than items, with this text. $1 tenant id, $2 a pattern of LIKE */
export const ALERTS_BY_TEXT = `
  SELECT id FROM (
    SELECT id, data, first_seen_at, source_type FROM alerts
    WHERE tenant_id = $1 ORDER BY first_seen_at DESC, id DESC LIMIT ${MAX_SEARCHED}) a
  WHERE source_type NOT IN (${[...DUE_ITEMS.map(({ type }) => `'${type}'`), `'backup_job'`].join(', ')})
    AND ${textsOf('data')} LIKE ${foldedSql('$2')}
  ORDER BY first_seen_at DESC LIMIT ${MAX_FACTS + 1}`;

const SEARCHED = 'id, alert_id, data, created_at';

/**
 * The recipient's newest notifications without an alert, with this text; null: all of them, and those of alerts.
 * $1 tenant id, $2 recipients, $3 a pattern of LIKE, or null
 */
export const NOTIFICATIONS_BY_TEXT = `
  SELECT id, alert_id FROM (
    SELECT n.* FROM unnest($2::text[]) AS r (recipient)
    -- A user's by the index of their feed, others by the index of recipients.
    CROSS JOIN LATERAL (
      (SELECT ${SEARCHED} FROM notifications f
       WHERE f.tenant_id = $1 AND f.user_id = CASE WHEN r.recipient LIKE 'user:%' THEN substr(r.recipient, 6)::uuid END
       ORDER BY f.created_at DESC, f.id DESC LIMIT ${MAX_SEARCHED})
      UNION ALL
      (SELECT ${SEARCHED} FROM notifications f
       WHERE f.tenant_id = $1 AND f.recipient = r.recipient AND f.user_id IS NULL
       ORDER BY f.created_at DESC, f.id DESC LIMIT ${MAX_SEARCHED})) n) n
  WHERE $3::text IS NULL OR alert_id IS NULL AND ${textsOf('data')} LIKE ${foldedSql('$3')}
  ORDER BY created_at DESC, id DESC LIMIT ${MAX_FACTS + 1}`;

/** The newest notification of these recipients with this key, or of its alert. $1 tenant id, $2 recipients, $3 key */
export const NOTIFICATION_BY_KEY = `
  SELECT id, alert_id FROM notifications
  WHERE tenant_id = $1 AND recipient = ANY ($2::text[]) AND dedupe_key = $3 LIMIT 1`;

/** $1 tenant id, $2 id */
export const NOTIFICATION_BY_ID = `SELECT id, alert_id FROM notifications WHERE tenant_id = $1 AND id = $2`;

/** The newest alert of a source. Index: alerts_source. $1 tenant id, $2 source type, $3 source id */
export const ALERT_OF_SOURCE = `
  SELECT id FROM alerts WHERE tenant_id = $1 AND source_type = $2 AND source_id = $3
  ORDER BY gone_at IS NOT NULL, first_seen_at DESC, id DESC LIMIT 1`;

/** The newest notification about a ticket. Index: notifications_ticket. $1 tenant id, $2 recipients, $3 ticket id */
export const NOTIFICATION_OF_TICKET = `
  SELECT id FROM notifications
  WHERE tenant_id = $1 AND kind = 'reminder' AND data ->> 'ticket_id' = $3 AND recipient = ANY ($2::text[])
  ORDER BY created_at DESC, id DESC LIMIT 1`;
