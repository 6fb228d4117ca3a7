import { WORDED_COLUMNS, type WordedRow } from '../../src/notifications/views/notification-views.js';
import { readerOf, type ReaderRow, readerSql } from '../../src/notifications/views/reader.js';
import { Wording } from '../../src/wording/wording.js';
import { Clock } from '../../src/platform/clock/clock.js';
import type { World } from './world.js';

/** A stored notification, with the text that its recipient reads now. */
export interface Worded {
  recipient: string;
  kind: string;
  severity: string;
  title: string;
  body: string;
  data: Record<string, unknown>;
  audience: string;
}

/** The notifications of a tenant, or of all, in the order in which they were created. */
export async function wordedNotifications(world: World, tenantId?: string): Promise<Worded[]> {
  const rows = await world.sql<WordedRow & ReaderRow & { recipient: string }>(
    `SELECT n.recipient, ${WORDED_COLUMNS}, reader.*
     FROM notifications n CROSS JOIN LATERAL (${readerSql('n.tenant_id', 'n.user_id')}) reader
     WHERE $1::uuid IS NULL OR n.tenant_id = $1 ORDER BY n.created_at, n.id`,
    [tenantId ?? null],
  );
  const wording = world.app.get(Wording, { strict: false });
  const [row] = rows;
  // Tests that adapt templates ask for one tenant.
  const own = await wording.ownWords(
    tenantId ?? '',
    tenantId === undefined ? null : (row?.wording_version ?? null),
  );
  const now = world.app.get(Clock, { strict: false }).now();
  return rows.map((row) => {
    const { recipient, kind, severity, data, audience } = row;
    return {
      recipient,
      kind,
      severity,
      data,
      audience,
      ...wording.titleAndBody(row, readerOf(row, now, own)),
    };
  });
}
