import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { SystemDatabase } from '../../platform/database/database.js';
import { hasAddressSql } from '../forgotten-address.sql.js';
import type { EventProviderName, ProviderEvent } from './provider-event.js';

/** A bundle has at most 100 deliveries; more would belong to other messages. */
const MAX_DELIVERIES = 200;
/** Tenants that have sent to one number. */
const MAX_TENANTS = 1_000;
const MAX_DELETED = 10_000;
/** Providers repeat an event for a day or two. */
const KEPT_MS = 30 * 24 * 60 * 60_000;

/** A delivery that an event is about. */
export interface Match {
  /** Of the event in its list. */
  place: number;
  tenant_id: string;
  delivery_id: string;
  /** The delivery's, lower case. */
  address: string;
}

/**
 * Finds the deliveries of events across all tenants, because providers know no tenants. Matches by our own id
 * of the message; by the provider's id if the address agrees, because not all providers' ids stay unique; and
 * for replies by the number alone, to the last message of each tenant.
 * $1 our ids, $2 the provider's, $3 channels, $4 addresses, $5 whether it is a reply
 */
const FIND = `
  WITH events AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[])
      WITH ORDINALITY AS e (message_id, provider_id, channel, address, is_reply, place)
  )
  SELECT (e.place - 1)::integer AS place, m.tenant_id, m.id AS delivery_id, lower(m.address) AS address
  FROM events e
  CROSS JOIN LATERAL (
    (SELECT d.tenant_id, d.id, d.address FROM deliveries d
     WHERE d.bundle_id = e.message_id AND d.channel = e.channel AND ${hasAddressSql('d')} LIMIT ${MAX_DELIVERIES})
    UNION
    (SELECT d.tenant_id, d.id, d.address FROM deliveries d
     WHERE d.provider_id = e.provider_id AND d.channel = e.channel AND lower(d.address) = e.address
     LIMIT ${MAX_DELIVERIES})
    UNION
    (SELECT r.tenant_id, r.id, r.address FROM (
       SELECT DISTINCT ON (d.tenant_id) d.tenant_id, d.id, d.address FROM deliveries d
       WHERE e.is_reply AND d.channel = 'sms' AND d.state = 'sent' AND d.address = e.address
       ORDER BY d.tenant_id, d.created_at DESC LIMIT ${MAX_TENANTS}) r)) m
  ORDER BY 1, 2, 3`;

/** Data across tenants: which deliveries an event is about, and which events were handled. */
@Injectable()
export class EventMatches {
  constructor(
    private readonly system: SystemDatabase,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async find(events: readonly ProviderEvent[]): Promise<Match[]> {
    if (events.length === 0) return [];
    return this.system.query<Match>(FIND, [
      events.map(({ message_id }) => message_id),
      events.map(({ provider_id }) => provider_id),
      events.map(({ channel }) => channel),
      events.map(({ address }) => address),
      events.map(({ message_id, provider_id }) => message_id === null && provider_id === null),
    ]);
  }

  /**
   * Handles events once. A second request with the same keys waits for this one; if `work` fails, its keys are not
   * kept, so that the provider's next attempt handles them.
   * @param work gets the keys that are new
   */
  async once(
    provider: EventProviderName,
    keys: readonly string[],
    work: (fresh: ReadonlySet<string>) => Promise<void>,
  ): Promise<void> {
    await this.system.transaction(async (tx) => {
      const rows = await tx.query<{ event_key: string }>(
        `INSERT INTO provider_event_ids (provider, event_key, received_at)
         SELECT DISTINCT $1, k.event_key, $3::timestamptz FROM unnest($2::text[]) AS k (event_key)
         ORDER BY k.event_key
         ON CONFLICT DO NOTHING RETURNING event_key`,
        [provider, keys, this.clock.now()],
      );
      await work(new Set(rows.map(({ event_key }) => event_key)));
    });
  }

  /** Deletes the keys of events that providers no longer repeat. */
  async clean(): Promise<void> {
    const before = new Date(this.clock.now().getTime() - KEPT_MS);
    await this.system.query(
      `DELETE FROM provider_event_ids WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM provider_event_ids WHERE received_at < $1 LIMIT ${MAX_DELETED}))`,
      [before],
    );
  }
}
