import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { DeliveryJob } from '../contracts/jobs.js';
import type { Channel } from '../contracts/notification-kinds.js';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { SystemDatabase } from '../platform/database/database.js';
import { Queues } from '../platform/queues/queues.js';
import { WakeUps } from '../platform/queues/wake-ups.js';
import { Admission, type Candidate, type Deferral } from './admission.js';
import { activeChannels, CHANNEL_TRAITS } from './channels/channels.js';
import { nextPermitted } from './hours.js';
import { Wakeable } from './wakeable.js';

/** What one round did. */
export interface Round {
  admitted: number;
  deferred: number;
}

const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;
/** Hours that never open are looked at again after this long. */
const NEVER_OPEN_MS = DAY_MS;
/** And so are hours that can't be worked out. */
const NOT_COMPUTABLE_MS = HOUR_MS;

/**
 * Admits due deliveries into Bull, in fair turns over tenants, as many as the living workers can take. Limits
 * and hours are decided here and nowhere else. A round admits and commits, then enqueues: what Redis does not
 * take comes back when its lease runs out.
 */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Dispatcher');
  private readonly loops: { wake: Wakeable; ended: Promise<void> }[] = [];
  private stopping = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
    private readonly database: SystemDatabase,
    private readonly admission: Admission,
    private readonly queues: Queues,
    private readonly wakeUps: WakeUps,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.config.roles.includes('scheduler')) return;
    for (const channel of activeChannels(this.config)) {
      const wake = new Wakeable();
      this.wakeUps.on('dispatch.kick', (kick) => {
        if (kick.channel === channel) wake.wake();
      });
      this.loops.push({ wake, ended: this.loop(channel, wake) });
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    for (const { wake } of this.loops) wake.wake();
    await Promise.all(this.loops.map(({ ended }) => ended));
  }

  /** Rounds follow each other while there is something to admit; else the next waits for a kick. */
  private async loop(channel: Channel, wake: Wakeable): Promise<void> {
    while (!this.stopping) {
      try {
        const { admitted, deferred } = await this.round(channel);
        if (admitted + deferred > 0) continue;
      } catch (error) {
        this.logger.error({ event: 'dispatch_failed', channel, err: error });
      }
      await wake.sleep(this.config.dispatchIntervalSeconds * 1_000);
    }
  }

  /** One round on one channel: at most DISPATCH_BATCH_SIZE deliveries, each admitted or deferred. */
  async round(channel: Channel): Promise<Round> {
    const now = this.clock.now();
    const { jobs, deferred } = await this.database.transaction(async (tx) => {
      const turn = await this.admission.begin(tx, channel);
      if (turn === null) return { jobs: [], deferred: 0 };
      const window = await this.admission.window(tx, channel);
      if (window.free < window.enough) return { jobs: [], deferred: 0 };
      const free = Math.min(
        window.free,
        await this.minuteBudget(tx, channel, now),
        this.config.dispatchBatchSize,
      );
      if (free <= 0) return { jobs: [], deferred: 0 };

      const candidates = await this.admission.candidates(
        tx,
        channel,
        now,
        turn.cursor_tenant_id,
        { free, whole: window.whole },
        { per_user_per_hour: this.config.limitPerUserHour, per_user_per_day: this.config.limitPerUserDay },
      );
      const { chosen, deferrals, over } = this.decide(candidates, now);
      const jobs = await this.admission.admit(tx, chosen, now);
      await this.admission.defer(tx, deferrals);
      await this.admission.deferOverLimit(tx, channel, over, now);
      const last = candidates.at(-1);
      if (last !== undefined) await this.admission.moveCursor(tx, channel, last.tenant_id);
      return { jobs, deferred: deferrals.length + over.length };
    });
    await this.enqueue(channel, jobs);
    return { admitted: jobs.length, deferred };
  }

  /** Who may leave now, who waits for which hour, and who is over a limit. Critical ones always may leave. */
  private decide(candidates: readonly Candidate[], now: Date) {
    const chosen: Candidate[] = [];
    const deferrals: Deferral[] = [];
    const over: Candidate[] = [];
    const admitted = new Map<string, Usage>();
    for (const candidate of candidates) {
      const { tenant_id, id, recipient, critical } = candidate;
      const deferral = critical ? null : this.hours(candidate, now);
      const person = `${tenant_id} ${recipient}`;
      const justNow = admitted.get(person) ?? { hour: 0, day: 0 };
      if (deferral !== null) deferrals.push({ tenant_id, id, ...deferral });
      else if (!critical && isOver(candidate, justNow)) over.push(candidate);
      else {
        chosen.push(candidate);
        admitted.set(person, withOneMore(justNow, candidate, now));
      }
    }
    return { chosen, deferrals, over };
  }

  /** What can't be worked out (a zone that this machine does not know) must not hold up everybody else. */
  private hours(candidate: Candidate, now: Date): Pick<Deferral, 'until' | 'reason'> | null {
    try {
      return deferral(candidate, now);
    } catch (error) {
      this.logger.error({ event: 'hours_not_computable', tenant_id: candidate.tenant_id, err: error });
      return { until: new Date(now.getTime() + NOT_COMPUTABLE_MS), reason: 'operating_hours' };
    }
  }

  private async minuteBudget(
    tx: Parameters<Admission['window']>[0],
    channel: Channel,
    now: Date,
  ): Promise<number> {
    if (this.config.limitPerMinute === 0) return Infinity;
    return this.config.limitPerMinute - (await this.admission.admittedLastMinute(tx, channel, now));
  }

  private async enqueue(channel: Channel, jobs: readonly DeliveryJob[]): Promise<void> {
    try {
      await this.queues.enqueue(
        CHANNEL_TRAITS[channel].job,
        jobs.map((job) => ({ id: job.lease_token, payload: job })),
      );
    } catch (error) {
      this.logger.warn({ event: 'enqueue_failed', channel, jobs: jobs.length, err: error });
    }
  }
}

/** Admitted to one recipient earlier in this round, and not counted by `used_hour` and `used_day`. */
interface Usage {
  hour: number;
  day: number;
}

function isOver(candidate: Candidate, justNow: Usage): boolean {
  const { per_user_per_hour: hour, per_user_per_day: day } = candidate;
  return (
    (hour > 0 && candidate.used_hour + justNow.hour >= hour) ||
    (day > 0 && candidate.used_day + justNow.day >= day)
  );
}

function withOneMore({ hour, day }: Usage, { admitted_at }: Candidate, now: Date): Usage {
  const age = admitted_at === null ? Infinity : now.getTime() - admitted_at.getTime();
  return { hour: hour + Number(age >= HOUR_MS), day: day + Number(age >= DAY_MS) };
}

/** When the hours let it leave, and whose they are; null when that is now. */
function deferral(candidate: Candidate, now: Date): Pick<Deferral, 'until' | 'reason'> | null {
  const { time_zone: zone, operating_hours, user_zone, quiet_hours } = candidate;
  if (operating_hours === null && quiet_hours === null) return null;
  const until = nextPermitted(now, { zone, operating_hours, user_zone: user_zone ?? zone, quiet_hours });
  if (until !== null && until.getTime() <= now.getTime()) return null;
  const open = nextPermitted(now, { zone, operating_hours, user_zone: zone, quiet_hours: null });
  return {
    until: until ?? new Date(now.getTime() + NEVER_OPEN_MS),
    reason: open !== null && open.getTime() <= now.getTime() ? 'quiet_hours' : 'operating_hours',
  };
}
