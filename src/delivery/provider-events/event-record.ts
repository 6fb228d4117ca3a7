import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { NewStop, StopReason } from '../stopped-addresses/stopped-address.js';
import { StoppedAddresses } from '../stopped-addresses/stopped-addresses.service.js';
import type { Match } from './event-matches.js';
import type { EventProviderName, ProviderEvent } from './provider-event.js';

/** An event about a delivery of the tenant. */
export type MatchedEvent = Match & { event: ProviderEvent };

/** Adds events to a tenant's deliveries. The outcomes of the deliveries do not change. */
@Injectable()
export class EventRecord {
  constructor(
    private readonly database: Database,
    private readonly stopped: StoppedAddresses,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @returns the places of the events that were new */
  async add(
    tenantId: string,
    provider: EventProviderName,
    matched: readonly MatchedEvent[],
  ): Promise<ReadonlySet<number>> {
    return this.database.tenant(tenantId, async (tx) => {
      const now = this.clock.now();
      const rows = await tx.query<{ delivery_id: string; event_key: string }>(
        `INSERT INTO provider_events (tenant_id, delivery_id, provider, event_key, event, bounce, detail, at, received_at)
         SELECT $1, e.delivery_id, $2, e.event_key, e.event, e.bounce, e.detail, e.at, $3
         FROM unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[])
           AS e (delivery_id, event_key, event, bounce, detail, at)
         -- Skips deliveries that were deleted in the meantime.
         WHERE EXISTS (SELECT FROM deliveries d WHERE d.tenant_id = $1 AND d.id = e.delivery_id)
         ORDER BY e.delivery_id, e.event_key
         ON CONFLICT DO NOTHING RETURNING delivery_id, event_key`,
        [
          tenantId,
          provider,
          now,
          matched.map(({ delivery_id }) => delivery_id),
          matched.map(({ event }) => event.key),
          matched.map(({ event }) => event.name),
          matched.map(({ event }) => event.bounce),
          matched.map(({ event }) => event.detail),
          matched.map(({ event }) => event.at ?? now),
        ],
      );
      const added = new Set(rows.map(({ delivery_id, event_key }) => `${delivery_id} ${event_key}`));
      const fresh = matched.filter(({ delivery_id, event }) => added.has(`${delivery_id} ${event.key}`));
      const last = lastActs(fresh);
      await this.stopped.stop(
        tx,
        last.flatMap((one) => stopOf(one, provider) ?? []),
      );
      await this.stopped.restart(
        tx,
        last.flatMap(({ event, address }) =>
          event.name === 'started' ? [{ channel: event.channel, address }] : [],
        ),
      );
      return new Set(fresh.map(({ place }) => place));
    });
  }
}

/** The last event of each address that stops or restarts it: providers list events in their order. */
function lastActs(fresh: readonly MatchedEvent[]): MatchedEvent[] {
  const acts = fresh.filter((one) => one.event.name === 'started' || reasonOf(one.event) !== null);
  return [
    ...new Map(
      acts
        .toSorted((one, other) => one.place - other.place)
        // An event about another address, such as that of a forwarded mail, stops none of ours.
        .filter(({ event, address }) => event.address === null || event.address === address)
        .map((one) => [`${one.event.channel} ${one.address}`, one]),
    ).values(),
  ];
}

function stopOf({ event, address, delivery_id }: MatchedEvent, provider: string): NewStop | null {
  const reason = reasonOf(event);
  return reason === null ? null : { channel: event.channel, address, reason, provider, delivery_id };
}

/** Why this event stops its address; null if it does not. */
function reasonOf({ name, bounce }: ProviderEvent): StopReason | null {
  if (name === 'bounced' && bounce === 'hard') return 'hard_bounce';
  if (name === 'complained') return 'complaint';
  return name === 'stopped' ? 'stop' : null;
}
