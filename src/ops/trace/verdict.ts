import type { ChannelChain, TraceStep } from '../../notifications/trace/trace-step.dto.js';
import type { WhyFact } from './why.dto.js';

export type ChannelOutcome = ChannelChain;
type Verdict = Pick<WhyFact, 'outcome' | 'reason' | 'text' | 'until' | 'path'>;

/**
 * The outcome of a case: the first channel on which it arrived, else one on which it waits, else the inbox,
 * else the first that ended. Channels without a delivery do not count.
 * @param steps before the channels, at least one
 * @param inbox the step of a user's feed; null for other recipients
 */
export function decides(
  steps: readonly TraceStep[],
  channels: readonly ChannelChain[],
  inbox: TraceStep | null = null,
): Verdict {
  const created = channels.filter(({ address }) => address !== null);
  const deciding =
    created.find(({ outcome }) => outcome === 'arrives') ??
    created.find(({ outcome }) => outcome === 'waits') ??
    created.find(({ outcome }) => outcome === 'ends');
  const step = deciding === undefined ? (inbox ?? lastDecided(steps)) : stepOf(deciding);
  if (step === undefined) throw new Error('a case has no step');
  const { outcome, reason, text, until, path } = step;
  return { outcome, reason, text, until, path };
}

/** The step that gives a channel its outcome. */
function stepOf({ steps, reason, outcome, text, until }: ChannelChain): Verdict {
  const path = steps.findLast((step) => step.reason === reason)?.path ?? null;
  return { outcome, reason, text, until, path };
}

/** The step at which it ended or waits. */
function lastDecided(steps: readonly TraceStep[]): TraceStep | undefined {
  return steps.findLast(({ outcome }) => outcome !== 'continues') ?? steps.at(-1);
}
