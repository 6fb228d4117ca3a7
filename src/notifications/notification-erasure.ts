import { Injectable } from '@nestjs/common';
import { WRITTEN_KINDS } from '../contracts/kind-lists.js';
import type { TenantTransaction } from '../platform/database/transaction.js';

/** Notifications of a page. */
const PAGE = 1_000;

const WRITTEN = WRITTEN_KINDS.map((kind) => `'${kind}'`).join(', ');

/** The data of the person's notification `n` without what somebody wrote. */
const EMPTIED = `
  CASE
    WHEN n.kind IN (${WRITTEN}) THEN
      jsonb_build_object('kind', n.data -> 'kind', 'title', '…', 'body', '…')
        || CASE WHEN n.data ? 'data' THEN '{"data": {}}' ELSE '{}'::jsonb END
        || jsonb_strip_nulls(jsonb_build_object('ticket_id', n.data -> 'ticket_id'))
    WHEN jsonb_typeof(n.data -> 'message') = 'string' THEN n.data || '{"message": "…"}'
    ELSE n.data END`;

/**
 * Empties a page of the person's own notifications. They stay, with their kind and time, for the statistics and for
 * those who sent them. Words that somebody wrote are replaced; facts (a deadline, its date) are about an item, and stay
 * without the person.
 * $1 tenant id, $2 the last id or null, $3 recipients, $4 a regular expression that finds the person, $5 a quicker one
 * that finds all that the other does
 */
const EMPTY_PAGE = `
  WITH own AS MATERIALIZED (
    SELECT id FROM notifications
    WHERE tenant_id = $1 AND recipient = ANY ($3::text[]) AND ($2::uuid IS NULL OR id > $2)
    ORDER BY id LIMIT ${PAGE} FOR UPDATE
  ),
  emptied AS (
    UPDATE notifications n
    SET recipient = CASE WHEN n.recipient LIKE 'user:%' THEN n.recipient ELSE 'erased:' || n.id END,
        dedupe_key = CASE WHEN n.dedupe_key ~* $5 AND n.dedupe_key ~* $4 THEN 'erased:' || gen_random_uuid() ELSE n.dedupe_key END,
        data = CASE WHEN n.data::text ~* $5 THEN regexp_replace((${EMPTIED})::text, $4, '…', 'gi')::jsonb
                    ELSE ${EMPTIED} END
    FROM own o WHERE n.tenant_id = $1 AND n.id = o.id RETURNING n.id
  )
  SELECT (SELECT count(*) FROM emptied) AS emptied, (SELECT id FROM own ORDER BY id DESC LIMIT 1) AS last`;

/** The part of an erasure that concerns what a person was notified of. */
@Injectable()
export class NotificationErasure {
  /**
   * @param recipients as notifications name the person
   * @param patterns regular expressions that find the person in a text: exactly, and quickly but more than that
   * @param after the last id of the page before; null at first
   * @returns the last id; null after the last page
   */
  async emptyPage(
    tx: TenantTransaction,
    recipients: readonly string[],
    patterns: readonly [exact: string, loose: string],
    after: string | null,
  ): Promise<{ after: string | null; emptied: number }> {
    const found = await tx.one<{ emptied: number; last: string | null }>(EMPTY_PAGE, [
      tx.tenant_id,
      after,
      recipients,
      ...patterns,
    ]);
    const { emptied, last } = found ?? { emptied: 0, last: null };
    return { after: emptied < PAGE ? null : last, emptied };
  }
}
