import { html, nothing, type TemplateResult } from 'lit';
import type { Count } from '../client/types.js';
import { ICONS } from '../design/icons.js';
import type { Words } from '../words/en.js';

/** The second click of a double click would close what the first one opened. */
function keepOpen(event: MouseEvent): void {
  if (event.detail > 1) event.preventDefault();
}

/**
 * The button that opens the panel, with the exact number of unread; above `max` it shows `99+`.
 * @param prepare called when it will probably be clicked.
 */
export function bellTemplate(
  words: Words,
  count: Count | null,
  max: number,
  prepare: () => void,
): TemplateResult {
  const { unread_count: unread = 0, unseen = 0 } = count ?? {};
  const shown = unread > max ? `${max}+` : String(unread);
  // People who speak to their browser say what they see: the name contains the text of the badge.
  const label = unread > 0 ? `${words.open_inbox}, ${words.unread_count(unread, shown)}` : words.open_inbox;
  return html`<button
    class="bell"
    part="bell"
    popovertarget="panel"
    aria-label=${label}
    aria-haspopup="dialog"
    @click=${keepOpen}
    @pointerenter=${prepare}
    @focus=${prepare}
  >
    <slot name="bell">${ICONS.bell}</slot>
    ${unread > 0 ? html`<span class="badge" part="badge">${shown}</span>` : nothing}
    ${unseen > 0 ? html`<span class="unseen"></span>` : nothing}
  </button>`;
}
