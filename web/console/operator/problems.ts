import type { components } from '../../client/api.js';
import { en, fr, type OperatorWords } from '../../words/console/operator.js';
import { type ConsoleContext, wordsIn } from '../context.js';
import { duration } from './durations.js';
import { dueUrl, jobsUrl } from './jobs-url.js';
import { countsOf, type Queue } from './queue-counts.js';

type Schemas = components['schemas'];

/** Work that is due for longer than this is late: the dispatcher polls every few seconds. */
const LATE_S = 5 * 60;
/** A scheduler ticks every minute or more often; a stopped one shows within 2 minutes. */
const SCHEDULER_LATE_MS = 95_000;

export interface Problem {
  /** Stays the same while the problem lasts, even if its text changes. */
  id: string;
  tone: 'critical' | 'warning';
  text: string;
  /** Where to see it and act. */
  href: string;
}

const SCHEDULER = { id: 'scheduler', href: '/operator/runs' };

export interface Facts {
  queues: readonly Queue[];
  activity: Schemas['Activity'];
  scheduler: { enabled: boolean; last_poll_at: string | null };
}

interface Texts {
  words: OperatorWords;
  /** Seconds as people read them. */
  duration: (seconds: number) => string;
  ago: (iso: string) => string;
  number: (value: number) => string;
}

/** What is wrong in an installation, worst first. */
export function problemsOf(facts: Facts, { locale, format }: ConsoleContext): Problem[] {
  const texts: Texts = {
    words: wordsIn(locale, { fr, en }),
    duration: (seconds) => duration(seconds, locale),
    ago: (iso) => format.ago(iso),
    number: (value) => format.number(value),
  };
  const problems = [...servicesOf(facts, texts), ...queuesOf(facts, texts), ...outcomesOf(facts, texts)];
  const rank = ({ tone }: Problem) => (tone === 'critical' ? 0 : 1);
  return problems.sort((one, other) => rank(one) - rank(other));
}

function servicesOf({ queues, scheduler, activity }: Facts, { words, ago }: Texts): Problem[] {
  const { problem, causes, channels } = words;
  const redis = queues.find(({ bull_error: error }) => error !== null)?.bull_error;
  const now = Date.parse(activity.at);
  const isLate =
    scheduler.last_poll_at !== null && now - Date.parse(scheduler.last_poll_at) > SCHEDULER_LATE_MS;
  return [
    ...(redis === undefined || redis === null
      ? []
      : [
          {
            ...{ id: 'redis', tone: 'critical' as const },
            ...{ text: problem.redis(redis), href: '/operator/connections' },
          },
        ]),
    ...queues.flatMap(({ queue, channel }): Problem[] => {
      if (channel?.state !== 'down') return [];
      const name = queue === 'mail' ? channels.email : words.queues[queue];
      const text = problem.channel(name, causes[channel.cause ?? 'unreachable']);
      return [{ id: `channel ${queue}`, tone: 'critical', text, href: '/operator/connections' }];
    }),
    ...(scheduler.enabled && scheduler.last_poll_at === null
      ? [{ ...SCHEDULER, tone: 'critical' as const, text: problem.scheduler_never }]
      : []),
    ...(!scheduler.enabled
      ? [{ ...SCHEDULER, tone: 'warning' as const, text: problem.scheduler_off }]
      : isLate && scheduler.last_poll_at !== null
        ? [
            {
              ...SCHEDULER,
              tone: 'critical' as const,
              text: problem.scheduler_late(ago(scheduler.last_poll_at)),
            },
          ]
        : []),
  ];
}

function queuesOf({ queues }: Facts, { words, duration }: Texts): Problem[] {
  const { problem } = words;
  return queues.flatMap((queue): Problem[] => {
    const name = words.queues[queue.queue];
    const { due, oldest } = countsOf(queue);
    const href = dueUrl(queue.queue);
    const found: Problem[] = [];
    const add = (what: string, tone: Problem['tone'], text: string) =>
      found.push({ id: `${what} ${queue.queue}`, tone, text, href });
    if (queue.paused) add('paused', 'warning', problem.paused(name));
    if (due > 0 && queue.workers?.processes === 0) add('no workers', 'critical', problem.no_workers(name));
    else if (oldest !== null && oldest > LATE_S && !queue.paused)
      add('oldest', 'critical', problem.oldest(name, duration(oldest)));
    return found;
  });
}

function outcomesOf({ activity }: Facts, { words, number }: Texts): Problem[] {
  const { problem } = words;
  const { failed, unknown } = activity.deliveries.last_hour;
  const runs = activity.runs.last_hour.failed;
  const found: Problem[] = [];
  const hour = { within: '1h' } as const;
  if (failed > 0)
    found.push({
      ...{ id: 'failed', tone: 'warning' },
      text: problem.failed(number(failed)),
      href: jobsUrl('deliveries', { state: 'failed', ...hour }),
    });
  if (unknown > 0)
    found.push({
      ...{ id: 'unknown', tone: 'warning' },
      text: problem.unknown(number(unknown)),
      href: jobsUrl('deliveries', { state: 'unknown', ...hour }),
    });
  if (runs > 0)
    found.push({
      ...{ id: 'failed runs', tone: 'warning' },
      text: problem.failed_runs(number(runs)),
      href: jobsUrl('runs', { state: 'failed', ...hour }),
    });
  return found;
}
