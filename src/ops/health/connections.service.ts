import { Inject, Injectable } from '@nestjs/common';
import { CHANNELS } from '../../contracts/channels.js';
import { CHANNEL_TRAITS } from '../../delivery/channels/channels.js';
import { ChannelHealth, type ChannelState } from '../../delivery/channel-health/channel-health.js';
import { type ChannelSender, SENDERS, type Senders } from '../../delivery/channels/sender.js';
import { withTimeout } from '../../platform/clock/timeout.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Database, SystemDatabase } from '../../platform/database/database.js';
import { Queues } from '../../platform/queues/queues.js';
import { SchedulerWatch } from '../../scheduler/scheduler-watch.js';

export const SERVICES = [
  'postgresql_app',
  'postgresql_system',
  'redis',
  'scheduler',
  ...CHANNELS.map((channel) => CHANNEL_TRAITS[channel].service),
];

/** The test result of one service. */
export interface ConnectionTest {
  service: string;
  /** False: not configured, so not tested. */
  configured: boolean;
  /** Null if it was not tested. */
  ok: boolean | null;
  latency_ms: number | null;
  error: string | null;
  /** Recent state of this channel; null without a channel. */
  channel: ChannelState | null;
}

type Probe = () => Promise<unknown>;

/** Time limit for PostgreSQL and Redis, in ms. Senders have their own limits, from their settings. */
const DEADLINE_MS = 5_000;
const MAX_ERROR_LENGTH = 300;

/**
 * Tests the services that Vigie needs, as it would use them: writes a key to Redis, sends no mail. The service
 * `scheduler` is a process of Vigie: it works if one has polled lately.
 */
@Injectable()
export class Connections {
  /** In the order of SERVICES; null if one is not configured. */
  private readonly probes: ReadonlyMap<string, Probe | null>;

  constructor(
    database: Database,
    system: SystemDatabase,
    queues: Queues,
    watch: SchedulerWatch,
    @Inject(CONFIG) { schedulerEnabled }: Config,
    @Inject(SENDERS) senders: Senders,
    private readonly health: ChannelHealth,
  ) {
    this.probes = new Map<string, Probe | null>([
      ['postgresql_app', withinDeadline(() => database.ping())],
      ['postgresql_system', withinDeadline(() => system.query('SELECT 1'))],
      ['redis', withinDeadline(() => queues.probe())],
      ['scheduler', schedulerEnabled ? withinDeadline(() => seenBy(watch)) : null],
      ...CHANNELS.map((channel) => [CHANNEL_TRAITS[channel].service, probeOf(senders.get(channel))] as const),
    ]);
  }

  /** Tests all concurrently. Takes 5 s at most, or as long as a sender gives its server to greet and log in. */
  async test(): Promise<ConnectionTest[]> {
    const [tests, states] = await Promise.all([
      Promise.all([...this.probes].map(([service, probe]) => testOne(service, probe))),
      withTimeout(this.health.states(CHANNELS), DEADLINE_MS, 'no answer').catch(() => null),
    ]);
    return tests.map((test) => {
      const channel = CHANNELS.find((each) => CHANNEL_TRAITS[each].service === test.service);
      return { ...test, channel: channel === undefined ? null : (states?.get(channel) ?? null) };
    });
  }
}

/** @throws Error if no process polls. */
async function seenBy(watch: SchedulerWatch): Promise<void> {
  await watch.look();
  const { state, last_poll_at } = watch.current();
  const since = last_poll_at === null ? 'the start' : last_poll_at.toISOString();
  if (state === 'silent') throw new Error(`no scheduler has polled since ${since}`);
}

function probeOf(sender: ChannelSender | undefined): Probe | null {
  return sender === undefined ? null : () => sender.verify();
}

function withinDeadline(probe: Probe): Probe {
  return () => withTimeout(probe(), DEADLINE_MS, `no answer within ${DEADLINE_MS / 1_000} s`);
}

async function testOne(service: string, probe: Probe | null): Promise<Omit<ConnectionTest, 'channel'>> {
  if (probe === null) return { service, configured: false, ok: null, latency_ms: null, error: null };
  const began = performance.now();
  const error = await probe().then(() => null, wordsOf);
  const latency_ms = Math.round((performance.now() - began) * 10) / 10;
  return { service, configured: true, ok: error === null, latency_ms, error };
}

/** The client library's error message, which contains no password. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, MAX_ERROR_LENGTH);
  // A name with several addresses fails with an AggregateError that has no message.
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return (error.message || code).slice(0, MAX_ERROR_LENGTH);
}
