import { html, type TemplateResult } from 'lit';
import type { ConsoleContext } from '../context.js';
import { settingsWords } from './settings-head.js';

/** The number of unsaved changes, a submit button of the form, and a button that discards them. */
export function saveBar(
  context: ConsoleContext,
  { changes, isSaving, discard }: { changes: number; isSaving: boolean; discard: () => void },
): TemplateResult {
  const words = settingsWords(context);
  return html`<div class="bulk save-bar">
    <strong role="status">${words.unsaved(context.format.number(changes), changes === 1)}</strong>
    <span class="bulk-acts">
      <button type="button" class="outlined" @click=${discard}>${words.discard}</button>
      <button class="filled" aria-disabled=${isSaving ? 'true' : 'false'}>${words.save}</button>
    </span>
  </div>`;
}
