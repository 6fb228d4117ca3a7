import { html, nothing, type TemplateResult } from 'lit';
import { skeleton } from '../../design/skeleton.js';
import type { DueItemWords } from '../../words/console/due-items.js';
import type { ConsoleContext } from '../context.js';
import { failure } from '../page.js';
import { monthName } from './groups.js';
import { type Day, type MonthState, shiftDate, shiftMonth, weeksOf } from './month-state.js';

export interface MonthView {
  context: ConsoleContext;
  words: DueItemWords;
  state: MonthState;
  /** `2026-04` */
  month: string;
  urlOf: (changes: Readonly<Record<string, string | null>>) => string;
  retry: () => void;
}

/** A month as a table: each number leads to the list of its day. */
export function monthView(view: MonthView): TemplateResult {
  const { context, words, state, month, urlOf } = view;
  if (state.phase === 'failed') return failure(context, state.fault, view.retry);
  if (state.phase === 'loading' && state.days.length === 0) return skeleton(context.words.loading);
  const weeks = weeksOf(month, state.days);
  const days = weeks.flat().filter(({ isInMonth }) => isInMonth);
  const total = (isOpen: boolean) => {
    const sum = days.reduce((all, day) => all + (isOpen ? day.open : day.ended), 0);
    const shown = state.isCurrent ? context.format.number(sum) : '…';
    const text = (isOpen ? words.month.open : words.month.ended)(shown);
    const period = { due_after: shiftDate(`${month}-01`, -1), due_before: `${shiftMonth(month, 1)}-01` };
    return html`<a href=${urlOf({ view: null, month: null, open: isOpen ? null : 'false', ...period })}
      >${text}</a
    >`;
  };
  const today = context.format.civilDate();
  const name = monthName(month, context.locale);
  return html`<div class="month-head">
      <a
        class="button outlined"
        href=${urlOf({ month: shiftMonth(month, -1) })}
        aria-label=${words.month.previous}
        >‹</a
      >
      <a class="button outlined" href=${urlOf({ month: shiftMonth(month, 1) })} aria-label=${words.month.next}
        >›</a
      >
      <h2 aria-live="polite">${name}</h2>
      ${
        month === today.slice(0, 7)
          ? nothing
          : html`<a class="button" href=${urlOf({ month: null })}>${words.month.this_month}</a>`
      }
      <span class="note">${total(true)} · ${total(false)}</span>
    </div>
    <div class="table-box" aria-busy=${state.phase === 'loading' ? 'true' : 'false'}>
      <table class="month">
        <caption class="sr-only">
          ${name}
        </caption>
        <thead>
          <tr>
            ${weeks[0]?.map(({ date }) => weekday(date, context.locale))}
          </tr>
        </thead>
        <tbody>
          ${weeks.map(
            (week) =>
              html`<tr>
                ${week.map((day) => cell(view, day, today))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function weekday(date: string, locale: string): TemplateResult {
  const at = new Date(`${date}T00:00:00Z`);
  const name = (style: 'short' | 'long') =>
    new Intl.DateTimeFormat(locale, { weekday: style, timeZone: 'UTC' }).format(at);
  return html`<th scope="col"><abbr title=${name('long')}>${name('short')}</abbr></th>`;
}

function cell({ context, words, urlOf }: MonthView, day: Day, today: string): TemplateResult {
  const { date, isInMonth, open, ended } = day;
  const { format } = context;
  const link = (isOpen: boolean, count: number, tone: string) => {
    const text = isOpen ? words.month.open(format.number(count)) : words.month.ended(format.number(count));
    const url = urlOf({
      view: null,
      month: null,
      open: isOpen ? null : 'false',
      due_after: shiftDate(date, -1),
      due_before: shiftDate(date, 1),
    });
    return html`<a
      class="day-count ${tone}"
      href=${url}
      aria-label=${words.month.day(format.longDate(date), text)}
      ><b>${format.number(count)}</b> <span class="day-word">${text.replace(/^\S+\s/, '')}</span></a
    >`;
  };
  const classes = `${isInMonth ? '' : 'outside'} ${date === today ? 'is-today' : ''}`;
  return html`<td class=${classes}>
    <time class="day-number" datetime=${date} aria-current=${date === today ? 'date' : nothing}
      >${Number(date.slice(8))}</time
    >
    ${open > 0 ? link(true, open, date < today ? 'critical' : 'info') : nothing}
    ${ended > 0 ? link(false, ended, 'good') : nothing}
  </td>`;
}
