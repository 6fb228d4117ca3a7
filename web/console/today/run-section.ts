import { html, nothing, type TemplateResult } from 'lit';
import { badge, type Tone } from '../../design/badge.js';
import { ago } from '../../design/time.js';
import type { Overview } from './overview-state.js';
import { countTexts } from './run-counts.js';
import { messagesUrl } from './links.js';
import { linked, type TodayView } from './sections.js';

type Run = Overview['runs'][number];

const TONES: Readonly<Record<Run['state'], Tone>> = {
  queued: 'waiting',
  running: 'info',
  succeeded: 'good',
  failed: 'critical',
  cancelled: 'neutral',
};
/** Counts that are shown even if zero: the check ran and found nothing. */
const ALWAYS_SHOWN = ['facts'];

/** What Vigie did: the last run of each job, and the messages by state. */
export function runSection({ context, words, data }: TodayView): TemplateResult {
  const { format } = context;
  const { runs, messages } = data;
  const sum = messages.not_sent.reduce((all, { count }) => all + count, 0);
  return html`<section class="card" aria-labelledby="runs">
    <h2 id="runs">${words.sections.runs}</h2>
    ${
      runs.length === 0
        ? html`<p class="checked">${words.empty.runs}</p>`
        : html`<ul class="lines">
            ${runs.map(
              (run) =>
                html`<li>
                  <span class="name"
                    >${words.jobs[run.job]}<span class="meta">${countsOf(run, words)}</span></span
                  >
                  <span class="when"
                    >${badge(TONES[run.state], words.run_states[run.state])}<span class="meta"
                      >${ago(format, run.finished_at ?? run.due_at)}</span
                    ></span
                  >
                </li>`,
            )}
          </ul>`
    }
    <h3>${words.messages}</h3>
    <p>
      ${linked(messages.sent === 0 ? null : messagesUrl('sent'), words.sent(messages.sent))}${
        sum > 0 ? html` · ${linked(messagesUrl('not_sent'), words.not_sent(sum))}` : nothing
      }
    </p>
    ${
      sum === 0
        ? nothing
        : html`<ul class="reasons">
            ${messages.not_sent.map(
              ({ state, reason, count }) =>
                html`<li>
                  ${linked(messagesUrl(state, reason), format.number(count))}${context.words.labelled(
                    '',
                    words.reasons[reason ?? state] ?? words.reasons[state] ?? reason ?? state,
                  )}
                </li>`,
            )}
          </ul>`
    }
  </section>`;
}

/** `13 facts · 2 new · 11 known already`; "nothing new" where a check announced nothing. */
function countsOf({ counts, state }: Run, words: TodayView['words']): string {
  const shown = countTexts(counts, words.counts, ALWAYS_SHOWN);
  const { opened, staged } = counts ?? {};
  const isQuiet = state === 'succeeded' && opened === 0 && (staged ?? 0) === 0;
  return [...shown, ...(isQuiet ? [words.nothing_new] : [])].join(' · ');
}
