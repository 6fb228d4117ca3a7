import { Inject, Injectable } from '@nestjs/common';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import {
  DeliveryOutcomes,
  type Outcome,
  type OutcomeCount,
  OUTCOMES,
} from '../../delivery/admin/delivery-outcomes.js';
import { Clock } from '../../platform/clock/clock.js';
import { type EndedRuns, RunHistory } from '../../runs/run-history.js';
import {
  type Activity,
  ACTIVITY_STEPS,
  type ActivityHours,
  type ChannelSeries,
  type DeliveryRate,
  type RunRate,
} from './activity.dto.js';

const HOUR_MS = 60 * 60 * 1_000;

/** The outcomes of the work of all tenants, for operators. */
@Injectable()
export class ActivityReader {
  constructor(
    private readonly outcomes: DeliveryOutcomes,
    private readonly runs: RunHistory,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** Rates of the last hour and day, and a series whose last interval is the running one. */
  async read(hours: ActivityHours): Promise<Activity> {
    const at = this.clock.now();
    const stepMs = ACTIVITY_STEPS[hours] * HOUR_MS;
    const length = (hours * HOUR_MS) / stepMs + 1;
    const from = new Date((Math.floor(at.getTime() / stepMs) + 1 - length) * stepMs);
    const [counts, ended] = await Promise.all([this.outcomes.series(from, stepMs), this.runs.ended()]);
    return {
      at,
      deliveries: { last_hour: rateOf(counts, 'last_hour'), last_day: rateOf(counts, 'last_day') },
      runs: { last_hour: runRateOf(ended.last_hour), last_day: runRateOf(ended.last_day) },
      from,
      step_seconds: stepMs / 1_000,
      series: CHANNELS.map((channel) => seriesOf(channel, counts, { from, stepMs, length })),
    };
  }
}

function rateOf(counts: readonly OutcomeCount[], period: 'last_hour' | 'last_day'): DeliveryRate {
  const sum = (state: Outcome) =>
    counts.filter((one) => one.state === state).reduce((all, one) => all + one[period], 0);
  const [sent, failed, unknown] = [sum('sent'), sum('failed'), sum('unknown')];
  return { sent, failed, unknown, failure_rate: share(failed + unknown, sent) };
}

function runRateOf({ succeeded, failed }: EndedRuns): RunRate {
  return { succeeded, failed, failure_rate: share(failed, succeeded) };
}

function share(bad: number, good: number): number | null {
  return bad + good === 0 ? null : bad / (bad + good);
}

function seriesOf(
  channel: Channel,
  counts: readonly OutcomeCount[],
  { from, stepMs, length }: { from: Date; stepMs: number; length: number },
): ChannelSeries {
  const series: Record<Outcome, number[]> = { sent: [], failed: [], unknown: [] };
  for (const state of OUTCOMES) series[state] = new Array<number>(length).fill(0);
  for (const { channel: of, state, at, count } of counts) {
    const place = Math.round((at.getTime() - from.getTime()) / stepMs);
    if (of === channel && place >= 0 && place < length) series[state][place] = count;
  }
  return { channel, ...series };
}
