import { html, nothing, type TemplateResult } from 'lit';
import { badge, shape, type Tone } from '../../design/badge.js';
import { ago } from '../../design/time.js';
import * as deliveryWords from '../../words/console/deliveries.js';
import * as todayWords from '../../words/console/today.js';
import { en, fr, type WhyWords } from '../../words/console/why.js';
import { type ConsoleContext, wordsIn } from '../context.js';
import type { ChannelChain, TracedRun, TraceStep } from './why-state.js';

const TONES: Readonly<Record<TraceStep['outcome'], Tone>> = {
  arrives: 'good',
  waits: 'waiting',
  // Somebody chose it, or it is not due.
  ends: 'neutral',
  continues: 'info',
};
/** Steps at which an end is a fault. */
const FAULTS: readonly string[] = ['check', 'channel', 'attempt', 'report'];

function toneOf({ outcome, step }: Pick<TraceStep, 'outcome' | 'step'>): Tone {
  return outcome === 'ends' && FAULTS.includes(step) ? 'critical' : TONES[outcome];
}

/** Capitalises a text: reasons are written to follow a colon. */
export function sentence(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

/** The outcome of a case. @param steps include the one that decided */
export function outcomeBadge(
  words: WhyWords,
  { outcome, reason }: Pick<ChannelChain, 'outcome' | 'reason'>,
  steps: readonly TraceStep[],
): TemplateResult {
  const step = steps.find((one) => one.reason === reason);
  return badge(step === undefined ? TONES[outcome] : toneOf(step), words.outcomes[outcome] ?? outcome);
}

/** Steps in their order, each with what decided. @param label its name for screen readers */
export function stepList(
  context: ConsoleContext,
  steps: readonly TraceStep[],
  label: string,
): TemplateResult {
  const words = wordsIn(context.locale, { fr, en });
  return html`<ol class="trace chain" aria-label=${label}>
    ${steps.map((step) => line(context, words, step))}
  </ol>`;
}

/** A channel: its outcome and its steps. @param id unique on the page */
export function channelChain(context: ConsoleContext, chain: ChannelChain, id: string): TemplateResult {
  const words = wordsIn(context.locale, { fr, en });
  const codes = wordsIn(context.locale, deliveryWords);
  const channel = codes.channels[chain.channel] ?? chain.channel;
  return html`<section class="channel" aria-labelledby=${id}>
    <h3 id=${id}><span>${channel}</span> ${outcomeBadge(words, chain, chain.steps)}</h3>
    ${chain.address === null || chain.address === '' ? nothing : html`<p class="note address" dir="auto">${chain.address}</p>`}
    ${stepList(context, chain.steps, channel)}
  </section>`;
}

function line(context: ConsoleContext, words: WhyWords, step: TraceStep): TemplateResult {
  const { format } = context;
  const { at, until, by, attempt, count, detail, run } = step;
  const more = [
    by === null ? '' : words.by(by),
    attempt === null ? '' : words.attempt(format.number(attempt)),
    count === null || count < 2 || step.step !== 'alert' ? '' : words.seen(format.number(count)),
    run === null ? '' : runText(context, run),
    until === null ? '' : words.until(format.full(until)),
  ].filter((text) => text !== '');
  return html`<li>
    ${shape(toneOf(step))}
    <span class="step"
      ><span class="what">${words.steps[step.step] ?? step.step}</span> ${sentence(step.text)}${
        more.length === 0 ? nothing : html` <span class="why">${more.join(', ')}</span>`
      }${detail === null ? nothing : html`<span class="reply" dir="auto">${detail}</span>`}
      ${
        step.path === null || !isOpen(context, step.path)
          ? nothing
          : html` <a href=${step.path} aria-label=${context.words.labelled(words.setting, step.text)}
              >${words.setting}</a
            >`
      }</span
    >
    ${at === null ? nothing : html`<span class="at"><time datetime=${at}>${format.full(at)}</time><small>${ago(format, at)}</small></span>`}
  </li>`;
}

/** Whether the person may open the page: operators have their own, and no others. */
export function isOpen({ me }: ConsoleContext, path: string): boolean {
  return path.startsWith('/operator') === (me.role === 'operator');
}

/** The job and its counts: `Check of deadlines, documents and tasks: 13 facts, 2 new`. */
function runText(context: ConsoleContext, run: TracedRun): string {
  return `${wordsIn(context.locale, todayWords).jobs[run.job]} (${runCounts(context, run)})`;
}

/** How it ended, and what it found: `Done, 13 facts, 2 new`. */
export function runCounts({ locale }: ConsoleContext, { state, counts }: TracedRun): string {
  const words = wordsIn(locale, todayWords);
  const known = Object.entries(counts ?? {}).flatMap(([name, n]) =>
    n === 0 && name !== 'facts' ? [] : (words.counts[name]?.(n) ?? []),
  );
  return [words.run_states[state], ...known].join(', ');
}
