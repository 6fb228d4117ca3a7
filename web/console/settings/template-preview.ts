import { html, nothing, type TemplateResult } from 'lit';
import '../../design/mail-frame.js';
import type { TemplateWords } from '../../words/console/settings-templates.js';
import type { ConsoleContext } from '../context.js';
import type { Preview, TemplateState } from './template-state.js';

export const PREVIEWS = ['mail', 'text', 'sms', 'feed'] as const;
export type PreviewKind = (typeof PREVIEWS)[number];

export interface PreviewView {
  context: ConsoleContext;
  words: TemplateWords;
  state: TemplateState;
  kind: PreviewKind;
  choose: (kind: PreviewKind) => void;
}

/** What a person receives, at the width of a phone. */
export function templatePreview(view: PreviewView): TemplateResult {
  const { words, state, kind, choose } = view;
  return html`<section class="preview" aria-labelledby="preview-title">
    <h2 id="preview-title">${words.preview}</h2>
    <div class="segmented" role="group" aria-label=${words.preview_as}>
      ${PREVIEWS.map(
        (one) =>
          html`<button
            type="button"
            aria-pressed=${one === kind ? 'true' : 'false'}
            @click=${() => choose(one)}
          >
            ${words.preview_kinds[one]}
          </button>`,
      )}
    </div>
    ${dataChoice(view)}
    <p class="note stale" role="status">
      ${state.isStale ? (state.preview === null ? words.no_preview : words.stale) : nothing}
    </p>
    ${state.preview === null ? nothing : html`<div class="phone">${shown(view, state.preview)}</div>`}
  </section>`;
}

function dataChoice({ context, words, state }: PreviewView): TemplateResult | typeof nothing {
  const { lastFact, usesLastFact } = state;
  if (lastFact.data === null || lastFact.at === null) return nothing;
  return html`<label class="data-choice"
    >${words.data}<select
      @change=${(event: Event) => state.useLastFact((event.target as HTMLSelectElement).value === 'last')}
    >
      <option value="last" ?selected=${usesLastFact}>
        ${words.data_last(context.format.full(lastFact.at))}
      </option>
      <option value="sample" ?selected=${!usesLastFact}>${words.data_sample}</option>
    </select></label
  >`;
}

function shown({ context, words, kind }: PreviewView, { email, sms, feed }: Preview): TemplateResult {
  const subject = html`<p class="subject">
    <span>${words.subject}</span><strong dir="auto">${email.subject}</strong>
  </p>`;
  switch (kind) {
    case 'mail':
      return html`${subject}<vigie-mail-frame
          .mail=${email.html}
          .label=${words.mail_label}
        ></vigie-mail-frame>`;
    case 'text':
      return html`${subject}
        <pre dir="auto" tabindex="0">${email.text}</pre>`;
    case 'sms':
      return html`<p class="bubble" dir="auto">${sms.text}</p>
        <p class="note">${words.segments(context.format.number(sms.segments), sms.segments === 1)}</p>`;
    case 'feed':
      return html`<div class="push">
        <strong dir="auto">${feed.title}</strong>
        <p dir="auto">${feed.body}</p>
      </div>`;
  }
}
