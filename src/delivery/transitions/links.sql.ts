import { LINK_KINDS } from '../../contracts/kind-lists.js';

/** The kinds whose notifications carry one, as an SQL list. */
export const KINDS = LINK_KINDS.map((kind) => `'${kind}'`).join(', ');

/** Joins the one-time link `link` of a notification, if it has one. @param n its alias */
export function joinLink(n: string): string {
  return `LEFT JOIN password_links link ON link.tenant_id = ${n}.tenant_id
           AND link.id = CASE WHEN ${n}.kind IN (${KINDS}) THEN (${n}.data ->> 'link_id')::uuid END`;
}

/** Whether that link no longer works or no longer exists. Never null. @param now an SQL expression */
export function linkEnded(n: string, now: string): string {
  return `(${n}.kind IN (${KINDS}) AND (link.id IS NULL OR link.used_at IS NOT NULL OR link.expires_at <= ${now}))`;
}
