import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import { EventMatches, type Match } from './event-matches.js';
import { EventRecord, type MatchedEvent } from './event-record.js';
import { keyOf } from './fields.js';
import { type Hook, hooksOf } from './hook-providers.js';
import {
  type EventProviderName,
  ForgedEvent,
  type HookRequest,
  type ProviderEvent,
  type ProviderReport,
} from './provider-event.js';
import { isSame } from './signatures.js';

/**
 * A receipt of a text message may arrive before the provider's id of the message is stored: the lookup is
 * repeated once after this delay.
 */
const SECOND_LOOK_MS = 1_000;

const NONE: ReadonlySet<string> = new Set();

/** The results for the events of a request. */
export interface HookOutcome {
  recorded: number;
  duplicate: number;
  unmatched: number;
  ignored: number;
}

/** Records the events of providers: each once, with its delivery. */
@Injectable()
export class Hooks {
  private readonly logger = new Logger('ProviderEvents');
  private readonly hooks: ReadonlyMap<string, Hook>;

  constructor(
    @Inject(CONFIG) config: Config,
    @Inject(Clock) clock: Clock,
    private readonly matches: EventMatches,
    private readonly record: EventRecord,
    private readonly metrics: Metrics,
  ) {
    this.hooks = hooksOf(config, clock);
  }

  /** The hook with this URL; null for an unknown provider or a wrong token. */
  at(provider: string, token: string): Hook | null {
    const hook = this.hooks.get(provider);
    return hook !== undefined && isSame(hook.token, token) ? hook : null;
  }

  /**
   * Verifies a request and records its events.
   * @throws ForgedEvent, Problem as `EventProvider.read`
   */
  async take(name: EventProviderName, { provider }: Hook, request: HookRequest): Promise<HookOutcome> {
    let report: ProviderReport;
    try {
      report = await provider.read(request);
    } catch (error) {
      if (error instanceof ForgedEvent) {
        this.metrics.count('vigie_provider_requests_refused_total', { provider: name, reason: error.reason });
        this.logger.warn({ event: 'provider_request_refused', provider: name, reason: error.reason });
      }
      throw error;
    }
    const outcome = await this.handle(name, report, request.body);
    for (const [what, events] of Object.entries<number>({ ...outcome }))
      if (events > 0)
        this.metrics.count('vigie_provider_events_total', { provider: name, outcome: what }, events);
    this.logger.log({ event: 'provider_events', provider: name, ...outcome });
    return outcome;
  }

  private async handle(
    name: EventProviderName,
    { request_key, events, ignored }: ProviderReport,
    body: Buffer,
  ): Promise<HookOutcome> {
    const matches = await this.matchesOf(events);
    const places = new Set(matches.map(({ place }) => place));
    const outcome = { recorded: 0, duplicate: 0, unmatched: events.length - places.size, ignored };
    if (matches.length === 0) return outcome;
    const keys = [...places].flatMap((place) => events[place]?.key ?? []);
    // Each statement uses one connection of one pool: recording waits for the pool of tenants, and a request that held a
    // connection of the other pool meanwhile would block transactions that need both.
    const fresh =
      request_key === null || (await this.matches.claim(name, request_key, bodyKey(request_key, body)))
        ? await this.matches.unhandled(name, keys)
        : NONE;
    if (fresh.size > 0) {
      outcome.recorded = await this.recordFresh(name, events, matches, fresh);
      await this.matches.markHandled(name, fresh);
    }
    outcome.duplicate = places.size - outcome.recorded;
    return outcome;
  }

  private async matchesOf(events: readonly ProviderEvent[]): Promise<Match[]> {
    const matches = await this.matches.find(events);
    const found = new Set(matches.map(({ place }) => place));
    const early = events.some(
      ({ channel, provider_id }, place) => channel === 'sms' && provider_id !== null && !found.has(place),
    );
    if (!early) return matches;
    await delay(SECOND_LOOK_MS);
    return this.matches.find(events);
  }

  private async recordFresh(
    name: EventProviderName,
    events: readonly ProviderEvent[],
    matches: readonly Match[],
    fresh: ReadonlySet<string>,
  ): Promise<number> {
    const byTenant = new Map<string, MatchedEvent[]>();
    for (const match of matches) {
      const event = events[match.place];
      if (event === undefined || !fresh.has(event.key)) continue;
      byTenant.set(match.tenant_id, [...(byTenant.get(match.tenant_id) ?? []), { ...match, event }]);
    }
    const recorded = new Set<number>();
    for (const [tenantId, matched] of byTenant)
      for (const place of await this.record.add(tenantId, name, matched)) recorded.add(place);
    return recorded.size;
  }
}

function bodyKey(requestKey: string, body: Buffer): string {
  return keyOf(requestKey, createHash('sha256').update(body).digest('hex'));
}
