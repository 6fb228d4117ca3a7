import { forgottenAddressSql, isForgottenSql } from '../forgotten-address.sql.js';
import { endSql } from './acts.sql.js';

/** Deliveries of a page. */
export const ERASED_PAGE = 2_000;

/**
 * The CTEs `page (id)`, the next deliveries of the tenant, and `own (tenant_id, id)`: those of them to the person.
 * $1 tenant id, $2 the last id or null, $3 recipients, $4 addresses in lower case
 */
const PAGE = `
  page AS MATERIALIZED (
    SELECT id, recipient, address FROM deliveries
    WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT ${ERASED_PAGE}
  ),
  own AS MATERIALIZED (
    SELECT d.tenant_id, d.id FROM page p
    JOIN deliveries d ON d.tenant_id = $1 AND d.id = p.id
    WHERE p.recipient = ANY ($3::text[]) OR lower(p.address) = ANY ($4::text[])
    ORDER BY d.tenant_id, d.id FOR UPDATE OF d
  )`;

/** `pending` or `queued` → `suppressed`: the person's deliveries of a page. $5 now */
export const SUPPRESS_PAGE_OF_ERASED = `
  WITH ${PAGE},
  locked AS MATERIALIZED (
    SELECT o.tenant_id, o.id FROM own o JOIN deliveries d USING (tenant_id, id) WHERE d.state IN ('pending', 'queued')
  ),
  ${endSql('suppressed', `'user_erased'`, '$5')}
  SELECT count(*) AS ended FROM ended`;

/**
 * Deletes who received the deliveries of a page and what was sent, also of one that is being sent: its outcome brings
 * nothing back. Their ids, states and times stay, for statistics and limits.
 */
export const FORGET_PAGE_OF_ERASED = `
  WITH ${PAGE},
  forgotten AS (
    UPDATE deliveries d
    SET address = ${forgottenAddressSql('d')}, error = NULL, provider_id = NULL, sent_subject = NULL, sent_text = NULL,
        -- The same as that of its notification.
        recipient = CASE WHEN d.recipient = ANY ($3) AND d.recipient NOT LIKE 'user:%'
                         THEN 'erased:' || d.notification_id ELSE d.recipient END
    FROM own o WHERE d.tenant_id = o.tenant_id AND d.id = o.id RETURNING d.id
  ),
  events AS (
    UPDATE delivery_events e SET error = NULL
    FROM own o WHERE e.tenant_id = o.tenant_id AND e.delivery_id = o.id AND e.error IS NOT NULL
  ),
  reports AS (
    UPDATE provider_events e SET detail = NULL
    FROM own o WHERE e.tenant_id = o.tenant_id AND e.delivery_id = o.id AND e.detail IS NOT NULL
  )
  SELECT (SELECT count(*) FROM page) AS seen, (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last,
         (SELECT count(*) FROM forgotten) AS forgotten`;

/**
 * `pending` or `queued` → `suppressed`: deliveries without an address, such as those of a killed process that are to
 * be sent again. $1 tenant id, $2 now
 */
export const SUPPRESS_FORGOTTEN = `
  WITH locked AS MATERIALIZED (
    SELECT d.tenant_id, d.id FROM deliveries d
    WHERE d.tenant_id = $1 AND d.state IN ('pending', 'queued') AND ${isForgottenSql('d')}
    ORDER BY d.tenant_id, d.id FOR UPDATE OF d
  ),
  ${endSql('suppressed', `'user_erased'`, '$2')}
  SELECT count(*) AS ended FROM ended`;

/** The messages of the tenant that are being sent, by their lease tokens. $1 tenant id */
export const BEING_SENT = `
  SELECT DISTINCT lease_token::text AS token FROM deliveries WHERE tenant_id = $1 AND state = 'sending'`;

/** Whether one of these is still being sent. $1 tenant id, $2 lease tokens */
export const STILL_SENT = `
  SELECT FROM deliveries WHERE tenant_id = $1 AND state = 'sending' AND lease_token = ANY ($2::uuid[]) LIMIT 1`;
