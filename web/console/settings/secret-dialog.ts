import { html, nothing, type TemplateResult } from 'lit';
import { ref } from 'lit/directives/ref.js';
import type { ProgramWords } from '../../words/console/settings-programs.js';
import type { ConsoleContext } from '../context.js';
import { copy, settingsWords } from './settings-head.js';

export interface Secret {
  title: string;
  value: string;
  /** What happens to the previous secret. */
  note?: string;
}

/** A secret that the server shows only once. Closing the dialog discards it. */
export function secretDialog(
  context: ConsoleContext,
  words: ProgramWords,
  secret: Secret | null,
  onClose: () => void,
): TemplateResult | typeof nothing {
  if (secret === null) return nothing;
  return html`<dialog
    class="secret"
    aria-labelledby="secret-title"
    ${ref((dialog) => {
      if (dialog instanceof HTMLDialogElement && !dialog.open) queueMicrotask(() => dialog.showModal());
    })}
    @cancel=${(event: Event) => event.preventDefault()}
    @close=${onClose}
  >
    <h2 id="secret-title">${secret.title}</h2>
    <p>${words.secret_text} ${secret.note ?? nothing}</p>
    <p class="secret-value">
      <input
        class="mono"
        readonly
        aria-label=${secret.title}
        .value=${secret.value}
        @focus=${(event: Event) => (event.target as HTMLInputElement).select()}
      />
      <button type="button" class="outlined" @click=${() => void copy(context, secret.value)}>
        ${settingsWords(context).copy}
      </button>
    </p>
    <form method="dialog" class="buttons"><button class="filled">${words.done}</button></form>
  </dialog>`;
}
