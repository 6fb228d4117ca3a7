import { html, nothing, type TemplateResult } from 'lit';
import { badge } from '../../design/badge.js';
import type { PreviewWords } from '../../words/console/preview.js';
import type { TodayWords } from '../../words/console/today.js';
import type { ConsoleContext } from '../context.js';
import { itemUrl } from '../item-links.js';
import { wordOf } from '../notifications/delivery-view.js';
import { countTexts } from '../today/run-counts.js';
import { isCompared, type Preview, type Slot, slotsToShow, sumOfCounts } from './preview-state.js';

export interface PreviewView {
  context: ConsoleContext;
  words: PreviewWords;
  jobs: Pick<TodayWords, 'jobs' | 'counts'>;
  answer: Preview;
  /** In words. */
  date: string;
  /** The address with a filter by outcome. */
  url: (outcome: string) => string;
}

/** How many messages there are, compared with what ran, and the runs of the day. */
export function previewSummary(view: PreviewView): TemplateResult {
  const { words, answer } = view;
  const { totals, slots } = answer;
  const { figures } = words;
  const told = (['messages', 'recipients', 'waits', 'not_sent'] as const).filter(
    (name) => name === 'messages' || totals[name] > 0,
  );
  const compared = isCompared(answer) ? (['both', 'only_previewed', 'only_ran'] as const) : [];
  const shown = slotsToShow(answer);
  return html`<section class="card preview-summary" aria-label=${words.slots}>
    <p class="totals">
      ${[...told, ...compared].map((name) => {
        const outcome = outcomeOf(name, answer);
        const text = figures[name](totals[name]);
        return html`<span
          >${outcome === null || totals[name] === 0 ? text : html`<a href=${view.url(outcome)}>${text}</a>`}</span
        >`;
      })}
    </p>
    ${shown.length === slots.length ? nothing : html`<p class="note">${words.slot_count(slots.length)}</p>`}
    ${
      shown.length === 0
        ? nothing
        : html`<ul class="preview-slots">
            ${shown.map((slot) => slotLine(view, slot))}
          </ul>`
    }
  </section>`;
}

/** The filter that leaves what a number counts; null: none does. */
function outcomeOf(name: keyof Preview['totals'], { totals }: Preview): string | null {
  if (name === 'only_ran') return 'not_previewed';
  // What only ran is counted by how it ended, and is found by itself.
  return totals.only_ran === 0 && (name === 'waits' || name === 'not_sent') ? name : null;
}

function slotLine(view: PreviewView, slot: Slot): TemplateResult {
  const { words, context, answer } = view;
  const counts = countsText(view, slot.counts ?? {});
  const isAhead = Date.parse(slot.instant) > Date.parse(answer.now);
  const state =
    slot.run_id !== null
      ? badge('good', words.ran_at)
      : slot.will_run
        ? badge('waiting', words.would_run)
        : isAhead
          ? badge('neutral', words.schedule_off)
          : nothing;
  return html`<li>
    <b>${context.format.time(slot.instant)}</b>
    <span>${slot.counts === null ? nothing : counts === '' ? words.nothing_found : counts}</span>
    <span>${state}</span>
  </li>`;
}

function countsText({ jobs }: PreviewView, counts: Readonly<Record<string, number>>): string {
  // The messages are listed below.
  return countTexts({ ...counts, deliveries: 0 }, jobs.counts).join(' · ');
}

/** What was checked, where nobody would be notified. */
export function emptyPreview(view: PreviewView): TemplateResult {
  const { words, jobs, answer, date } = view;
  const job = jobs.jobs[answer.job];
  if (answer.slots.length === 0) return html`<p>${words.no_slots(job, date)}</p>`;
  const counts = countsText(view, sumOfCounts(answer));
  return html`<p>${words.empty(job, date)}</p>
    ${counts === '' ? nothing : html`<p class="note">${words.empty_counts(counts)}</p>`}`;
}

/** Below the messages: items that change, backups that are expected, and what the preview supposes. */
export function previewNotes(view: PreviewView): TemplateResult {
  const { words, answer } = view;
  const { truncated, changes, backups, assumptions } = answer;
  return html`${truncated ? html`<p class="note">${words.truncated}</p>` : nothing}
    ${changes.length === 0 ? nothing : changedItems(view)}
    ${
      backups === undefined || backups.data.length === 0
        ? nothing
        : html`<p class="note">${words.expected(backups.data.length)}</p>`
    }
    <details class="preview-supposes" open>
      <summary>${words.supposes}</summary>
      <ul>
        ${assumptions.map((assumption) => html`<li>${wordOf(words.assumptions, assumption)}</li>`)}
      </ul>
    </details>`;
}

function changedItems({ words, context, answer }: PreviewView): TemplateResult {
  const { changes_columns: columns } = words;
  const isLinked = context.me.role === 'admin';
  return html`<h2>${words.changes}</h2>
    <div class="table-box">
      <table class="list">
        <thead>
          <tr>
            <th scope="col">${columns.item}</th>
            <th scope="col">${columns.due}</th>
            <th scope="col">${columns.status}</th>
          </tr>
        </thead>
        <tbody>
          ${answer.changes.map(({ item, title, client_name: client, due_on, status }) => {
            const url = isLinked ? itemUrl(item.type, item.id) : null;
            return html`<tr>
              <th scope="row" class="main" data-label=${columns.item}>
                <span class="two-lines"
                  >${url === null ? html`<span dir="auto">${title}</span>` : html`<a href=${url} dir="auto">${title}</a>`}${
                    client === null ? nothing : html`<small dir="auto">${client}</small>`
                  }</span
                >
              </th>
              <td data-label=${columns.due}>${context.format.date(due_on)}</td>
              <td data-label=${columns.status}>${wordOf(words.statuses, status)}</td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>`;
}
