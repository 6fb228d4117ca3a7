import { html, nothing, type TemplateResult } from 'lit';
import { badge } from '../../design/badge.js';
import { ago } from '../../design/time.js';
import type { ProgramWords } from '../../words/console/settings-programs.js';
import type { ConsoleContext } from '../context.js';
import type { Column } from '../list/table.js';
import { type Attempt, faultOf, type TestAnswer } from './webhook-state.js';

/** The result of each call. */
export function attemptColumns({ format }: ConsoleContext, words: ProgramWords): Column<Attempt>[] {
  const number = ({ attempt }: Attempt) => (attempt === null ? words.a_test : format.number(attempt));
  return [
    { label: words.at, kind: 'main', cell: ({ at }) => ago(format, at), text: ({ at }) => at },
    {
      label: words.outcome,
      cell: ({ delivered, status }) =>
        html`<span
          >${delivered ? badge('good', words.delivered) : badge('critical', words.failed)}${
            status === null ? nothing : html` <code>${status}</code>`
          }</span
        >`,
      text: ({ delivered, status }) => `${delivered ? words.delivered : words.failed} ${status ?? ''}`,
    },
    { label: words.attempt, kind: 'number', cell: number, text: number },
    {
      label: words.duration,
      kind: 'number',
      cell: ({ duration_ms }) => `${format.number(duration_ms)} ms`,
      text: ({ duration_ms }) => String(duration_ms),
    },
    {
      label: words.answer,
      kind: 'wide',
      cell: (attempt) => answerOf(words, attempt),
      text: ({ answer, error }) => answer ?? error ?? '',
    },
  ];
}

/** What a test was answered. */
export function testResult(
  { format }: ConsoleContext,
  words: ProgramWords,
  answer: TestAnswer,
): TemplateResult {
  const ms = format.number(answer.duration_ms);
  const status = String(answer.status ?? '');
  const text =
    answer.status === null
      ? (faultOf(answer, words) ?? words.test_none)
      : answer.delivered
        ? words.test_good(status, ms)
        : words.test_bad(status, ms);
  return html`<section class="card test-result" role="status">
    <h2>${words.test_title}</h2>
    <p>${badge(answer.delivered ? 'good' : 'critical', text)}</p>
    ${answerOf(words, { ...answer, fault: null })}
  </section>`;
}

/** The body of the answer, as text; without one why there was none. */
function answerOf(
  words: ProgramWords,
  attempt: Pick<Attempt, 'answer' | 'error' | 'fault'>,
): TemplateResult | typeof nothing {
  const { answer, error } = attempt;
  if (answer !== null && answer !== '') return html`<code class="answer" dir="auto">${answer}</code>`;
  const fault = faultOf(attempt, words);
  if (fault !== null) return html`<span title=${error ?? nothing}>${fault}</span>`;
  return error === null ? nothing : html`<span lang="en" dir="auto">${error}</span>`;
}
