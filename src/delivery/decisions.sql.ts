import { type Channel, CHANNELS, PEOPLE_CHANNELS } from '../contracts/channels.js';
import { BUNDLED_KINDS, KIND_CHANNELS, OPTIONAL_KINDS, URGENT_KINDS } from '../contracts/kind-lists.js';
import type { NotificationKind } from '../contracts/kinds.js';
import { CHANNEL_TRAITS } from './channels/channels.js';
import { names } from './names.sql.js';
import { isStoppedSql } from './transitions/addresses.sql.js';

/*
 * On which channels and to which addresses a notification is sent, and why not. This is the only place of the
 * rule, in SQL. The outbox creates deliveries by it, and `admin/why` asks it about notifications that were
 * not created.
 */

/** Parameters of a statement, as SQL expressions with their types. */
export type DecisionParameters = Readonly<Record<'tenant_id' | 'channels', string>>;

/** The CTE `suits`: the channels of these kinds, with the tenant's choice for each. */
export function suitsSql(p: DecisionParameters, only: readonly NotificationKind[]): string {
  return `
      suits AS MATERIALIZED (
        SELECT s.*, t.enabled AS tenant_on
        FROM (VALUES ${kindChannelRows(only)}) AS s (kind, channel, default_on, optional, urgent, bundles)
        LEFT JOIN tenant_preferences t ON t.tenant_id = ${p.tenant_id} AND t.kind = s.kind AND t.channel = s.channel
                                      AND s.optional
      )`;
}

/**
 * Joins to each row of `created (user_id, kind, severity, address, channel)`, aliased as `c`, the channels of its kind:
 * `suits`, the user `u` and their choice `p`, each address `reached`, and `s.reason`: why nothing is sent to it, or
 * null.
 * The address is the row's own, or else each of the user's; a null channel means all that people have. The user's choice
 * applies, else the tenant's, else the kind's default; critical ones ignore an "off" on a channel that the kind's
 * default turns on (`effectivePreferences` in `users/preferences` shows the same).
 */
export function decisionJoins(p: DecisionParameters): string {
  return `
        JOIN suits
          ON suits.kind = c.kind AND CASE WHEN c.channel IS NULL THEN suits.channel IN (${names(PEOPLE_CHANNELS)})
                                          ELSE c.channel = suits.channel END
        LEFT JOIN users u ON u.tenant_id = ${p.tenant_id} AND u.id = c.user_id
        LEFT JOIN preferences p ON p.tenant_id = ${p.tenant_id} AND p.user_id = c.user_id AND p.kind = c.kind
                               AND p.channel = suits.channel AND suits.optional
        CROSS JOIN LATERAL unnest(CASE WHEN c.address IS NULL THEN ${USER_ADDRESSES} ELSE ARRAY[c.address] END)
          AS reached (address)
        CROSS JOIN LATERAL (SELECT CASE
          WHEN NOT coalesce(p.enabled, suits.tenant_on) AND NOT (c.severity = 'critical' AND suits.default_on)
            THEN CASE WHEN p.enabled IS NULL THEN 'tenant_preference' ELSE 'preference' END
          WHEN suits.channel <> ALL (${p.channels}) THEN 'channel_not_configured'
          -- Recorded for a later replay.
          WHEN c.channel = 'webhook' AND c.address NOT IN (
            SELECT id::text FROM webhook_endpoints WHERE tenant_id = ${p.tenant_id} AND state = 'enabled')
            THEN 'endpoint_disabled'
          WHEN reached.address IS NULL THEN 'no_address'
          WHEN ${isStoppedSql(p.tenant_id, 'suits.channel', 'reached.address')} THEN 'address_stopped'
        -- OFFSET 0: without it the planner copies this expression, with its subqueries, to each use of \`reason\`.
        END AS reason OFFSET 0) s`;
}

/**
 * Whether a delivery is created, sent or not, for a row of `decisionJoins`: for users who have chosen the channel, or who
 * have an address on it if the tenant or the kind turns it on.
 */
export const RECORDED = `((suits.default_on OR suits.tenant_on) AND reached.address IS NOT NULL) OR p.enabled
           OR c.channel IS NOT NULL`;

/**
 * Deliveries with the same key leave together: all bundled kinds that are not critical, and critical ones of one kind.
 */
export const BUNDLE_KEY = `CASE WHEN c.kind IN (${names(BUNDLED_KINDS)})
  THEN CASE WHEN c.severity = 'critical' THEN c.kind ELSE 'together' END END`;

/** What would be decided now for one channel and address of a notification. */
export interface DeliveryDecision {
  channel: Channel;
  address: string | null;
  /** Whether a delivery would be created, sent or not. */
  recorded: boolean;
  /** Why nothing would be sent; null where it would, or where no delivery would be created. */
  reason: string | null;
  own_choice: boolean | null;
  tenant_choice: boolean | null;
  default_on: boolean;
  /** Whether people may turn the kind off. */
  optional: boolean;
}

/**
 * The `DeliveryDecision`s of one notification of this kind, as if it were created now.
 * Parameters: $1 tenant id, $2 configured channels, $3 user id or null, $4 severity, $5 address, or null: the user's, $6
 * channel, or null: all that people have
 */
export function decisionsStatement(kind: NotificationKind): string {
  const p = { tenant_id: '$1::uuid', channels: '$2::text[]' };
  return `
  WITH created AS (
    SELECT $3::uuid AS user_id, '${kind}' AS kind, $4::text AS severity, $5::text AS address, $6::text AS channel
  ),
  ${suitsSql(p, [kind])}
  SELECT suits.channel, reached.address, coalesce(${RECORDED}, false) AS recorded, s.reason, p.enabled AS own_choice,
         suits.tenant_on AS tenant_choice, suits.default_on, suits.optional
  FROM created c ${decisionJoins(p)}
  ORDER BY array_position(ARRAY[${names(CHANNELS)}], suits.channel), reached.address LIMIT 100`;
}

/** The addresses of the user `u` on a channel; a null one without any. */
const USER_ADDRESSES = `coalesce(nullif(CASE suits.channel ${CHANNELS.map(
  (channel) => `WHEN '${channel}' THEN ${CHANNEL_TRAITS[channel].userAddresses}`,
).join(' ')} END, '{}'), ARRAY[NULL])`;

const OPTIONAL: readonly NotificationKind[] = OPTIONAL_KINDS;

/**
 * The declarations of these kinds in `kinds.ts` as rows: kind, channel, whether it is on by default, may be turned off,
 * is urgent, and may share a message on this channel.
 */
function kindChannelRows(kinds: readonly NotificationKind[]): string {
  return KIND_CHANNELS.filter(({ kind }) => kinds.includes(kind))
    .map(
      ({ kind, channel, default_on }) =>
        `('${kind}', '${channel}', ${default_on}, ${OPTIONAL.includes(kind)}, ${URGENT_KINDS.includes(kind)}, ${CHANNEL_TRAITS[channel].bundles})`,
    )
    .join(', ');
}
