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
   * Whether a request counts whose signature must count only once. Repetitions with the same body do, because the
   * process of the first one may have ended before it recorded the events.
   */
  async claim(provider: EventProviderName, requestKey: string, bodyKey: string): Promise<boolean> {
    return this.system.transaction(async (tx) => {
      const claimed = await tx.execute(
        `WITH claimed AS (
           INSERT INTO provider_event_ids (provider, event_key, received_at) VALUES ($1, $2, $4)
           ON CONFLICT DO NOTHING RETURNING provider)
         INSERT INTO provider_event_ids (provider, event_key, received_at)
         SELECT provider, $3, $4 FROM claimed`,
        [provider, requestKey, bodyKey, this.clock.now()],
      );
      if (claimed > 0) return true;
      const same = await tx.one(
        `SELECT event_key FROM provider_event_ids WHERE provider = $1 AND event_key = $2`,
        [provider, bodyKey],
      );
      return same !== null;
    });
  }

  /** Those of these keys whose events are not handled yet. */
  async unhandled(provider: EventProviderName, keys: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.system.query<{ event_key: string }>(
      `SELECT event_key FROM provider_event_ids WHERE provider = $1 AND event_key = ANY ($2::text[])`,
      [provider, keys],
    );
    const handled = new Set(rows.map(({ event_key }) => event_key));
    return new Set(keys.filter((key) => !handled.has(key)));
  }

  /**
   * Keeps the keys of recorded events. Call it after the recording: if the process ends before, the provider repeats
   * the request, and the recording skips what is already there.
   */
  async markHandled(provider: EventProviderName, keys: ReadonlySet<string>): Promise<void> {
    await this.system.query(
      `INSERT INTO provider_event_ids (provider, event_key, received_at)
       SELECT $1, k.event_key, $3::timestamptz FROM unnest($2::text[]) AS k (event_key)
       ORDER BY k.event_key
       ON CONFLICT DO NOTHING`,
      [provider, [...keys], this.clock.now()],
    );
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
