import { WEBHOOK_KINDS } from '../contracts/kind-lists.js';
import type { NotificationKind } from '../contracts/kinds.js';
import { Outbox } from '../delivery/outbox.js';
import { prepared, type PreparedStatement } from '../platform/database/transaction.js';
import { announcedBeforeSql, unsentSql } from './announced-keys.sql.js';

/** Parameters of every announcement, by name: SQL expressions with their types. */
const SHARED = { tenant_id: 'uuid', now: 'timestamptz', channels: 'text[]' } as const;
export type AnnouncementParameters<Own extends string = never> = Readonly<
  Record<keyof typeof SHARED | Own, string>
>;

/** A statement that notifies people, and the names of its own parameters, in order. */
export interface Announcement<Own extends string> extends PreparedStatement {
  own: readonly Own[];
}

/**
 * Builds a statement that notifies people. `Notifications.announce` runs it.
 * @param own the statement's own parameters: names and PostgreSQL types
 * @param build the statement, by the parameters' names; it ends with `announceSql` and a SELECT
 */
export function announcement<Own extends string>(
  own: Readonly<Record<Own, string>>,
  build: (parameters: AnnouncementParameters<Own>) => string,
): Announcement<Own> {
  const types = Object.entries<string>({ ...SHARED, ...own });
  const parameters = Object.fromEntries(types.map(([name, type], at) => [name, `$${at + 1}::${type}`]));
  return {
    ...prepared(build(parameters as AnnouncementParameters<Own>)),
    own: Object.keys(own) as Own[],
  };
}

export interface AnnouncementOptions {
  /** The audience has its own `recipient`, `address` (null: the user's), `channel` (null: all) and `due_at`. */
  addressed?: boolean;
  /**
   * A key may be announced again if it never reached its recipient: the deliveries of its notification were cancelled,
   * superseded, silenced or failed, and none was sent or may still be. The earlier notification is archived. A notification
   * without intended deliveries was shown in the feed, and counts as announced.
   */
  again?: boolean;
  /** The kinds that the audience can have; default: any. The fewer, the quicker the statement. */
  only?: readonly NotificationKind[];
  /** The keys were made for this call, so no earlier notification has them, and none is looked for. */
  newKeys?: boolean;
}

/**
 * The end of every statement that notifies people: turns the CTE `audience (user_id, alert_id, created_by, dedupe_key,
 * kind, severity, data, audience)` into notifications, once per recipient and key, in their feeds with a new seq, with
 * their deliveries. The tenant's webhook endpoints get each fact once.
 *
 * Adds the CTEs `fresh`, `bumped`, `created (id, recipient, user_id, …)`: the people's, and `delivered (id, state, …)`:
 * the deliveries of people and endpoints.
 */
export function announceSql(p: AnnouncementParameters, options: AnnouncementOptions = {}): string {
  const { addressed = false, again = false, newKeys = false, only } = options;
  const endpoints = only?.every((kind) => !WEBHOOK_KINDS.includes(kind)) !== true;
  const recipient = addressed ? 'recipient' : `'user:' || user_id`;
  const sentTo = addressed
    ? 'address, channel, due_at'
    : `NULL::text AS address, NULL::text AS channel, ${p.now} AS due_at`;
  return `
    ${endpoints ? `${Outbox.subscribedSql(p)},` : ''}
    everybody AS (
      SELECT user_id, alert_id, created_by, dedupe_key, kind, severity, data, audience, ${recipient} AS recipient,
             ${sentTo}
      FROM audience
      ${
        endpoints
          ? `UNION ALL
      SELECT user_id, alert_id, NULL, dedupe_key, kind, severity, data, 'endpoint', recipient, address, 'webhook', ${p.now}
      FROM subscribed`
          : ''
      }
    ),
    ${newKeys ? 'fresh AS (SELECT *, NULL::uuid AS earlier_id FROM everybody)' : freshSql(p, again)},
    -- Locks the inboxes in user order; every change of a feed waits here, so seqs commit in their order.
    bumped AS (
      INSERT INTO inboxes AS i (tenant_id, user_id, seq)
      SELECT DISTINCT ${p.tenant_id}, user_id, 1 FROM fresh WHERE user_id IS NOT NULL ORDER BY user_id
      ON CONFLICT (tenant_id, user_id) DO UPDATE SET seq = i.seq + 1
      RETURNING user_id, seq
    ),
    ${again ? withdrawnSql(p) : ''}
    inserted AS (
      INSERT INTO notifications (tenant_id, recipient, user_id, alert_id, created_by, dedupe_key, kind,
                                 severity, data, audience, seq, created_seq, created_at)
      SELECT ${p.tenant_id}, recipient, user_id, alert_id, created_by, dedupe_key, kind, severity, data, audience,
             coalesce(bumped.seq, 0), coalesce(bumped.seq, 0), ${p.now}
      FROM fresh LEFT JOIN bumped USING (user_id)
      ${again ? `WHERE (SELECT count(*) FROM withdrawn) >= 0` : ''}
      ON CONFLICT (tenant_id, recipient, dedupe_key) DO NOTHING
      RETURNING id, recipient, user_id, kind, severity, dedupe_key
    ),
    announced AS (
      ${
        addressed
          ? `SELECT i.*, f.address, f.channel, f.due_at FROM inserted i JOIN fresh f USING (recipient, dedupe_key)`
          : `SELECT *, ${Outbox.endpointSql('recipient')} AS address,
                    CASE WHEN user_id IS NULL THEN 'webhook' END AS channel, ${p.now} AS due_at FROM inserted`
      }
    ),
    created AS (SELECT * FROM announced WHERE channel IS DISTINCT FROM 'webhook'),
    ${Outbox.deliveriesSql('announced', p, only)}`;
}

/** The CTEs `known` and `fresh`: the facts of `everybody` that were not announced yet, or may be announced again. */
function freshSql(p: AnnouncementParameters, again: boolean): string {
  return `known AS MATERIALIZED (
      SELECT a.*, n.id AS earlier_id, ${again ? `CASE WHEN n.id IS NOT NULL THEN ${unsentSql(p.tenant_id, 'n')} END` : 'false'} AS unsent
      FROM everybody a
      -- The first key at or after ours is ours if it exists. Written so that only the unique index can answer it: for
      -- NOT EXISTS the planner read all notifications of the tenant, by another index that begins with tenant_id.
      LEFT JOIN LATERAL (
        SELECT k.id, k.dedupe_key FROM notifications k
        WHERE k.tenant_id = ${p.tenant_id} AND k.recipient = a.recipient AND k.dedupe_key >= a.dedupe_key
        ORDER BY k.dedupe_key LIMIT 1) n ON n.dedupe_key = a.dedupe_key
    ),
    fresh AS (
      SELECT * FROM known k
      WHERE (earlier_id IS NULL AND NOT ${announcedBeforeSql(p.tenant_id, 'k')}) OR unsent
    )`;
}

/** Frees the keys of notifications that are announced again, before the insert (which reads this) takes them. */
function withdrawnSql(p: AnnouncementParameters): string {
  return `withdrawn AS (
      UPDATE notifications n
      SET dedupe_key = n.dedupe_key || ':withdrawn:' || n.id, archived_at = coalesce(n.archived_at, ${p.now}),
          seq = coalesce(b.seq, n.seq)
      FROM fresh f LEFT JOIN bumped b USING (user_id)
      WHERE n.tenant_id = ${p.tenant_id} AND n.id = f.earlier_id
      RETURNING n.id
    ),`;
}
