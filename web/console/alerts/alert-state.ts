import { html, nothing, type TemplateResult } from 'lit';
import { badge, shape, type Tone } from '../../design/badge.js';
import type { AlertWords } from '../../words/console/alerts.js';
import type { ConsoleContext } from '../context.js';
import type { Alert } from './alert-acts.js';

const TONES: Readonly<Record<Alert['severity'], Tone>> = {
  critical: 'critical',
  warning: 'warning',
  info: 'info',
};

/** The state of an alert: a shape and a word. */
export function stateBadge({ state, severity }: Alert, words: AlertWords): TemplateResult {
  const tone = state === 'open' ? TONES[severity] : state === 'resolved' ? 'good' : 'waiting';
  return badge(tone, words.states[state]);
}

export function severityShape({ severity }: Alert, words: AlertWords): TemplateResult {
  return html`<span class="severity" title=${words.severities[severity]}
    >${shape(TONES[severity])}<span class="sr-only">${words.severities[severity]}</span></span
  >`;
}

/** Who takes care of it, as text. */
export function whoText(
  { acknowledged_at, acknowledged_by, state, resolved_by }: Alert,
  words: AlertWords,
): string {
  if (acknowledged_at !== null) return acknowledged_by ?? words.a_program;
  if (state === 'resolved') return resolved_by ?? '';
  return words.nobody;
}

/** Until when it is snoozed, or why it is resolved. */
export function stateNote(
  { state, snoozed_until, gone_at }: Alert,
  words: AlertWords,
  { format }: ConsoleContext,
): TemplateResult | typeof nothing {
  if (state === 'resolved') return html`<small>${gone_at === null ? words.silenced : words.ended}</small>`;
  if (snoozed_until === null) return nothing;
  return html`<small>${words.snoozed_until(format.full(snoozed_until))}</small>`;
}
