import { html, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { skeleton } from '../../design/skeleton.js';
import { ago } from '../../design/time.js';
import { en as alertsEn, fr as alertsFr } from '../../words/console/alerts.js';
import type { DueItemWords } from '../../words/console/due-items.js';
import { severityShape, stateBadge, stateNote, whoText } from '../alerts/alert-state.js';
import { type ConsoleContext, wordsIn } from '../context.js';
import { failure } from '../page.js';

export type Alert = components['schemas']['AlertView'];

/** The alerts about an item, newest first, and who handles each. */
export function itemAlerts({
  context,
  words,
  alerts,
  fault,
  retry,
}: {
  context: ConsoleContext;
  words: DueItemWords;
  /** Null: not loaded yet. */
  alerts: readonly Alert[] | null;
  fault: unknown;
  retry: () => void;
}): TemplateResult {
  if (fault !== null) return failure(context, fault, retry);
  if (alerts === null) return skeleton(context.words.loading, 2);
  if (alerts.length === 0) return html`<p class="note">${words.detail.no_alerts}</p>`;
  const alertWords = wordsIn(context.locale, { fr: alertsFr, en: alertsEn });
  const { columns } = alertWords;
  return html`<div class="table-box">
    <table class="list">
      <caption class="sr-only">
        ${words.detail.alerts}
      </caption>
      <thead>
        <tr>
          <th scope="col">${columns.title}</th>
          <th scope="col">${columns.first_seen}</th>
          <th scope="col">${columns.state}</th>
          <th scope="col">${columns.who}</th>
        </tr>
      </thead>
      <tbody>
        ${alerts.map(
          (alert) =>
            html`<tr>
              <th scope="row" class="main">
                <span class="alert-name"
                  >${severityShape(alert, alertWords)}<a href="/alerts/${alert.id}">${alert.title}</a></span
                >
              </th>
              <td data-label=${columns.first_seen}>${ago(context.format, alert.first_seen_at)}</td>
              <td data-label=${columns.state}>
                ${stateBadge(alert, alertWords)} ${stateNote(alert, alertWords, context)}
              </td>
              <td data-label=${columns.who}>${whoText(alert, alertWords)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
