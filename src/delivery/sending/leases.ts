import { Inject, Injectable } from '@nestjs/common';
import { CHANNELS } from '../../contracts/channels.js';
import type { DeliveryJob } from '../../contracts/jobs.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { SystemDatabase } from '../../platform/database/database.js';
import { MicroBatch } from '../../platform/database/micro-batch.js';
import { prepared } from '../../platform/database/transaction.js';
import { CHANNEL_TRAITS } from '../channels/channels.js';
import type { ClaimedItem, ClaimedMessage } from '../channels/sender.js';
import { CLAIM, REAP, RECORD, RENEW } from '../transitions/leases.sql.js';
import type { Outcome } from './outcome.js';

/** How long a claim of a message lasts without renewal, in seconds. */
export const SENDING_LEASE_SECONDS = 15;
/**
 * Concurrent batches of claims and outcomes. More than one, so that a slow batch does not block the others; few, so
 * that later calls share a statement, and the pool (10 connections) keeps some for the dispatcher and the renewals. A
 * worker has as many callers as it sends mails concurrently: this bounds the waiting calls.
 */
const BATCHES_AT_ONCE = 3;
/** Expired deliveries that one call requeues, plus the rest of the last message. */
const MAX_REAPED = 500;
/** Longest stored subject and text, in characters. */
const MAX_SUBJECT = 1_000;
const MAX_TEXT = 50_000;

interface RecordedOutcome {
  job: DeliveryJob;
  outcome: Outcome;
}

type ClaimedRow = Omit<ClaimedMessage, 'items'> & Omit<ClaimedItem, 'id'>;

/** Another transaction has locked a delivery of the message: retry the same statement. */
export class MessageLocked extends Error {
  constructor() {
    super('a delivery of the message is locked by another transaction');
    this.name = 'MessageLocked';
  }
}

/**
 * The leases of messages, across tenants and in batches: claim, renew, record. Each statement matches bundle, token and
 * state, so a process that has lost the lease writes nothing.
 */
@Injectable()
export class Leases {
  private readonly claims = new MicroBatch((jobs: DeliveryJob[]) => this.claimAll(jobs), BATCHES_AT_ONCE);
  private readonly outcomes = new MicroBatch(
    (outcomes: RecordedOutcome[]) => this.recordAll(outcomes),
    BATCHES_AT_ONCE,
  );

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly database: SystemDatabase,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * `queued` → `sending`. False if the message no longer belongs to this job, its tenant is suspended, one of its rows
   * is locked (its lease expires, and it is admitted again), or the facts of all its items are gone (it then ends as
   * suppressed).
   */
  async claim(job: DeliveryJob): Promise<ClaimedMessage | false> {
    return this.claims.add(job);
  }

  /**
   * `sending` → its outcome; false if the lease was lost to another process.
   * @throws MessageLocked if one of its rows is locked: retry.
   */
  async record(job: DeliveryJob, outcome: Outcome): Promise<boolean> {
    const result = await this.outcomes.add({ job, outcome });
    if (result === 'locked') throw new MessageLocked();
    return result === 'recorded';
  }

  /** Renews leases in one statement. @returns the renewed ones, and those that are held but locked now */
  async renew(jobs: readonly DeliveryJob[]): Promise<{ renewed: Set<string>; locked: Set<string> }> {
    const held = await this.database.query<{ lease_token: string; renewed: boolean }>(prepared(RENEW), [
      ...columns(jobs),
      SENDING_LEASE_SECONDS,
    ]);
    const tokens = (which: boolean) =>
      new Set(held.filter(({ renewed }) => renewed === which).map(({ lease_token }) => lease_token));
    return { renewed: tokens(true), locked: tokens(false) };
  }

  /**
   * Requeues messages whose lease expired.
   * @returns how many of each there were.
   */
  async reap(): Promise<{ requeued: number; ambiguous: number }> {
    const retries = CHANNELS.map((channel) => CHANNEL_TRAITS[channel].retries(this.config));
    const rows = await this.database.query<{ was: string }>(REAP, [
      CHANNELS,
      retries.map(({ ambiguous_repeats }) => ambiguous_repeats),
      retries.map(({ delays_ms }) => delays_ms.length + 1),
      this.clock.now(),
      MAX_REAPED,
    ]);
    const requeued = rows.filter(({ was }) => was === 'queued').length;
    return { requeued, ambiguous: rows.length - requeued };
  }

  private async claimAll(jobs: DeliveryJob[]): Promise<(ClaimedMessage | false)[]> {
    const rows = await this.database.query<ClaimedRow>(prepared(CLAIM), [
      ...columns(jobs),
      SENDING_LEASE_SECONDS,
      this.clock.now(),
    ]);
    const byToken = new Map(jobs.map(({ lease_token }): [string, ClaimedRow[]] => [lease_token, []]));
    for (const row of rows) byToken.get(row.lease_token)?.push(row);
    return jobs.map(({ lease_token }) => {
      const message = messageOf(byToken.get(lease_token) ?? []);
      // A caller that asks twice in one batch gets it once.
      byToken.delete(lease_token);
      return message;
    });
  }

  private async recordAll(outcomes: RecordedOutcome[]): Promise<('recorded' | 'locked' | 'lost')[]> {
    const held = await this.database.query<{ lease_token: string; recorded: boolean }>(prepared(RECORD), [
      ...columns(outcomes.map(({ job }) => job)),
      ...this.outcomeColumns(outcomes),
    ]);
    const byToken = new Map(held.map(({ lease_token, recorded }) => [lease_token, recorded]));
    return outcomes.map(({ job }) => {
      const recorded = byToken.get(job.lease_token);
      return recorded === undefined ? 'lost' : recorded ? 'recorded' : 'locked';
    });
  }

  private outcomeColumns(outcomes: readonly RecordedOutcome[]) {
    const now = this.clock.now();
    const all = outcomes.map(({ outcome }) => outcome);
    return [
      all.map(({ state }) => state),
      all.map((outcome) => ('error' in outcome ? outcome.error : null)),
      all.map((outcome) => ('provider_id' in outcome ? outcome.provider_id : null)),
      all.map((outcome) => 'ambiguous' in outcome && outcome.ambiguous),
      all.map((outcome) => {
        const delay_ms = 'delay_ms' in outcome ? outcome.delay_ms : undefined;
        return delay_ms === undefined ? null : new Date(now.getTime() + delay_ms);
      }),
      all.map((outcome) => 'channel_down' in outcome),
      all.map((outcome) => ('reason' in outcome ? (outcome.reason ?? null) : null)),
      all.map((outcome) => ('subject' in outcome ? (outcome.subject?.slice(0, MAX_SUBJECT) ?? null) : null)),
      all.map((outcome) => ('text' in outcome ? (outcome.text?.slice(0, MAX_TEXT) ?? null) : null)),
      now,
      all.map((outcome) => ('segments' in outcome ? (outcome.segments ?? null) : null)),
    ];
  }
}

/** The rows of one message, or false if there are none. */
function messageOf(rows: readonly ClaimedRow[]): ClaimedMessage | false {
  const [first] = rows;
  if (first === undefined) return false;
  const { tenant_id, bundle_id, lease_token, channel, address, ambiguities } = first;
  const { tenant_name, tenant_slug, time_zone, wording_version, locale, recipient_id, recipient_name } =
    first;
  return {
    ...{ tenant_id, bundle_id, lease_token, channel, address, ambiguities },
    ...{ tenant_name, tenant_slug, time_zone, wording_version, locale, recipient_id, recipient_name },
    attempts: Math.max(...rows.map(({ attempts }) => attempts)),
    due_since: new Date(Math.max(...rows.map(({ due_since }) => due_since.getTime()))),
    traceparent: first.traceparent,
    items: rows.map(itemOf),
  };
}

function itemOf(row: ClaimedRow): ClaimedItem {
  const { delivery_id, notification_id, alert_id, kind, severity, data, created_at } = row;
  const { audience, author_name, author_email } = row;
  return {
    ...{ id: notification_id, delivery_id, notification_id, alert_id, kind, severity, data },
    ...{ created_at, audience, author_name, author_email },
  };
}

function columns(jobs: readonly DeliveryJob[]): [string[], string[], string[]] {
  return [
    jobs.map(({ tenant_id }) => tenant_id),
    jobs.map(({ bundle_id }) => bundle_id),
    jobs.map(({ lease_token }) => lease_token),
  ];
}
