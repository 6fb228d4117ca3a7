import { html, nothing, type TemplateResult } from 'lit';
import { shape } from '../../design/badge.js';
import { ago } from '../../design/time.js';
import type { DeliveryWords } from '../../words/console/deliveries.js';
import type { NotificationWords } from '../../words/console/notifications.js';
import type { ConsoleContext } from '../context.js';
import { reasonOf, stateBadge, wordOf } from './delivery-view.js';
import type { TracedDelivery } from './trace-state.js';
import { type Step, stepsOf } from './trace-steps.js';

export interface DeliveryView {
  context: ConsoleContext;
  words: NotificationWords;
  codes: DeliveryWords;
}

/** One delivery: its state, what happened to it in order, and what was sent. */
export function deliverySection(view: DeliveryView, delivery: TracedDelivery): TemplateResult {
  const { context, words, codes } = view;
  const channel = wordOf(codes.channels, delivery.channel);
  const steps = stepsOf(delivery, words, codes, context);
  const reason = reasonOf(codes, delivery);
  return html`<section class="card delivery" aria-labelledby=${`delivery-${delivery.id}`}>
    <h3 id=${`delivery-${delivery.id}`}><span>${channel}</span> ${stateBadge(codes, delivery.state)}</h3>
    ${delivery.address === '' ? nothing : html`<p class="note address" dir="auto">${delivery.address}</p>`}
    ${reason === '' ? nothing : html`<p dir="auto">${reason}</p>`}
    <ol class="trace" aria-label=${words.trace_of(channel)}>
      ${steps.map((step) => stepLine(view, step))}
    </ol>
    ${facts(view, delivery)} ${sentText(words, delivery)}
  </section>`;
}

function stepLine({ context, words }: DeliveryView, step: Step): TemplateResult {
  const { format } = context;
  const until = step.until === null ? '' : words.until(format.full(step.until));
  const why = [step.why, until].filter((text) => text !== '').join(', ');
  return html`<li>
    ${shape(step.tone)}
    <span class="step"
      ><span class="what">${step.what}</span
      >${why === '' ? nothing : html` <span class="why">${why}</span>`}${
        step.reply === null ? nothing : html`<span class="reply" dir="auto">${step.reply}</span>`
      }</span
    >
    ${step.at === null ? nothing : html`<span class="at"><time datetime=${step.at}>${format.full(step.at)}</time><small>${ago(format, step.at)}</small></span>`}
  </li>`;
}

function facts({ words, context }: DeliveryView, delivery: TracedDelivery): TemplateResult | typeof nothing {
  const { bundle_id, bundle_size, segments, provider_id } = delivery;
  const isTogether = bundle_id !== null && bundle_size > 1;
  if (!isTogether && segments === null && provider_id === null) return nothing;
  return html`<ul class="delivery-facts">
    ${
      isTogether
        ? html`<li>
            <a href=${`/notifications?${new URLSearchParams({ bundle_id }).toString()}`}
              >${words.together(context.format.number(bundle_size))}</a
            >
          </li>`
        : nothing
    }
    ${segments === null ? nothing : html`<li>${words.segments(segments)}</li>`}
    ${provider_id === null ? nothing : html`<li class="provider-id">${context.words.labelled(words.provider_id, '')}<span dir="ltr">${provider_id}</span></li>`}
  </ul>`;
}

/** The subject and the text as text, in the width of a phone. */
function sentText(
  words: NotificationWords,
  { sent_subject, sent_text }: TracedDelivery,
): TemplateResult | typeof nothing {
  if (sent_subject === null && sent_text === null) return nothing;
  return html`<details class="sent-text">
    <summary>${words.sent_text}</summary>
    <div class="sent-phone" tabindex="0" role="group" aria-label=${words.sent_text}>
      ${sent_subject === null ? nothing : html`<p class="subject" dir="auto">${sent_subject}</p>`}
      ${sent_text === null ? nothing : html`<p class="text" dir="auto">${sent_text}</p>`}
    </div>
  </details>`;
}
