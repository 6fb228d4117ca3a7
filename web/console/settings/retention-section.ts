import { html, type TemplateResult } from 'lit';
import { numberField } from './fields.js';
import { fieldOf, type FormView, take } from './office-sections.js';
import type { Settings } from './settings-state.js';

const MAX_DAYS = 3_650;

/** How long notifications are kept. */
export function retentionSection(view: FormView): TemplateResult {
  const { words, draft } = view;
  const days = (key: keyof Settings['retention'], label: string) => {
    const name = `/retention/${key}`;
    return numberField(
      fieldOf(view, name, label, words.days_kept_rule, { hint: words.days_kept_hint }),
      draft.retention[key],
      { min: 1, max: MAX_DAYS },
      (value, isValid) =>
        take(view, name, isValid, (old) => ({ ...old, retention: { ...old.retention, [key]: value } })),
    );
  };
  return html`<section class="card form-section">
    <h2>${words.kept}</h2>
    <p class="note">${words.kept_hint}</p>
    ${days('sent_days', words.sent_days)} ${days('failed_days', words.failed_days)}
    ${days('unread_days', words.unread_days)}
  </section>`;
}
