import { html, nothing, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { badge, type Tone } from '../../design/badge.js';
import { ago } from '../../design/time.js';
import { type AlertWords, en, fr } from '../../words/console/alerts.js';
import { type ConsoleContext, wordsIn } from '../context.js';

type Recipient = components['schemas']['AlertRecipient'];
type Delivery = components['schemas']['AlertDelivery'];

const TONES: Readonly<Record<Delivery['status'], Tone>> = {
  pending: 'waiting',
  sent: 'good',
  failed: 'critical',
};

/** Who was notified of an alert, and what happened to each message. */
export function notifiedList(context: ConsoleContext, notified: readonly Recipient[]): TemplateResult {
  const words = wordsIn(context.locale, { fr, en });
  if (notified.length === 0) return html`<p class="note">${words.nobody_notified}</p>`;
  return html`<ul class="notified">
    ${notified.map(
      (recipient) =>
        html`<li>
          <p>
            <strong>${nameOf(recipient, words)}</strong>
            <span class="note">${ago(context.format, recipient.notified_at)}</span>
          </p>
          <ul>
            ${
              recipient.deliveries.length === 0
                ? html`<li class="note">${words.feed_only}</li>`
                : recipient.deliveries.map((one) => html`<li>${delivery(context, words, one)}</li>`)
            }
          </ul>
        </li>`,
    )}
  </ul>`;
}

function nameOf({ name, recipient }: Recipient, words: AlertWords): string {
  return name ?? recipient?.replace(/^(mailto|tel|webhook):/, '') ?? words.address_hidden;
}

function delivery(
  { format, words: { labelled } }: ConsoleContext,
  words: AlertWords,
  one: Delivery,
): TemplateResult {
  const { channel, status, status_label, state, reason, error, due_at, sent_at, delivered_at } = one;
  const isSuppressed = state === 'suppressed';
  return html`${badge(isSuppressed ? 'neutral' : TONES[status], labelled(words.channels[channel], isSuppressed ? words.not_sent : status_label))}
  ${sent_at === null ? nothing : html`<span class="note">${format.full(sent_at)}</span>`}
  ${delivered_at === null ? nothing : html`<span class="note">${words.arrived(format.full(delivered_at))}</span>`}
  ${status === 'pending' ? html`<span class="note">${words.waits_until(format.full(due_at))}</span>` : nothing}
  ${reason === null ? nothing : html`<span class="note">${words.reasons[reason] ?? reason}</span>`}
  ${error === null ? nothing : html`<code>${error}</code>`}`;
}
