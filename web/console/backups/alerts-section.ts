import { html, nothing, type TemplateResult } from 'lit';
import { ago } from '../../design/time.js';
import { en as enAlerts, fr as frAlerts } from '../../words/console/alerts.js';
import type { BackupWords } from '../../words/console/backups.js';
import { actButtons } from '../alerts/act-buttons.js';
import type { AlertActs, AlertDetail } from '../alerts/alert-acts.js';
import { stateBadge, stateNote, whoText } from '../alerts/alert-state.js';
import { notifiedList } from '../alerts/notified.js';
import { type ConsoleContext, wordsIn } from '../context.js';

/** The alerts of a backup: open ones with who was notified and who handles them, ended ones folded. */
export function alertsSection(
  context: ConsoleContext,
  words: BackupWords,
  alerts: readonly AlertDetail[],
  acts: AlertActs,
): TemplateResult {
  const standing = alerts.filter(({ gone_at }) => gone_at === null);
  const ended = alerts.filter(({ gone_at }) => gone_at !== null);
  return html`<section>
    <h2>${words.alerts}</h2>
    ${alerts.length === 0 ? html`<p class="note">${words.no_alerts}</p>` : nothing}
    ${standing.map((alert) => html`<article class="card">${one(context, alert, acts)}</article>`)}
    ${
      ended.length === 0
        ? nothing
        : html`<details class="folded">
            <summary>${words.earlier_alerts(context.format.number(ended.length))}</summary>
            ${ended.map((alert) => html`<article class="card">${one(context, alert, acts)}</article>`)}
          </details>`
    }
  </section>`;
}

function one(context: ConsoleContext, alert: AlertDetail, acts: AlertActs): TemplateResult {
  const words = wordsIn(context.locale, { fr: frAlerts, en: enAlerts });
  return html`<div class="card-head">
      <div>
        <h3><a href=${`/alerts/${alert.id}`}>${alert.title}</a></h3>
        <p class="state-line">
          ${stateBadge(alert, words)} ${stateNote(alert, words, context)}
          <span class="note">${ago(context.format, alert.first_seen_at)}</span>
          <span>${context.words.labelled(words.columns.who, whoText(alert, words))}</span>
        </p>
      </div>
      ${actButtons(context, acts, alert)}
    </div>
    <details>
      <summary>${words.notified} (${context.format.number(alert.notified.length)})</summary>
      ${notifiedList(context, alert.notified)}
    </details>`;
}
