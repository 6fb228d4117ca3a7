import { declarationOf } from '../../contracts/kind-lists.js';
import type { TenantStatements } from '../../platform/database/database.js';
import { isMessageTemplate, nameOf } from '../named-message.js';
import { type LastFact, MAX_DATA } from './tenant-templates.dto.js';

/**
 * Notifications searched, newest first. There is no index by kind, because every notification would pay for
 * it.
 */
const MAX_SEARCHED = 5_000;

/**
 * The data of the tenant's last notification of a kind, or with a message template; none if it is too large for a
 * preview. @param kind a kind, or `message.<name>`
 */
export async function readLastFact(tx: TenantStatements, kind: string): Promise<LastFact> {
  // Their data identifies the one-time link of a person.
  if (declarationOf(kind)?.link === true) return { at: null, data: null };
  const template = isMessageTemplate(kind) ? nameOf(kind) : null;
  const row = await tx.one<{ at: Date; data: Record<string, unknown> }>(
    // Ids are UUIDs of version 7, so the primary key is in the order of time.
    `SELECT created_at AS at, data
     FROM (SELECT id, kind, data, created_at FROM notifications
           WHERE tenant_id = $1 ORDER BY id DESC LIMIT ${MAX_SEARCHED}) recent
     WHERE kind = $2 AND ($3::text IS NULL OR data ->> 'template' = $3)
     ORDER BY id DESC LIMIT 1`,
    [tx.tenant_id, template === null ? kind : 'message', template],
  );
  if (row === null) return { at: null, data: null };
  const data = template === null ? row.data : row.data.data;
  const isUsable = typeof data === 'object' && data !== null && JSON.stringify(data).length <= MAX_DATA;
  return isUsable ? { at: row.at, data: data as Record<string, unknown> } : { at: null, data: null };
}
