import { html, type TemplateResult } from 'lit';

/** Placeholders of the final size: the space is taken at once, and grey bars appear after 200 ms (styles/lists.css). */
export function skeleton(label: string, lines = 8): TemplateResult {
  return html`<div class="skeleton" role="status" aria-busy="true">
    <span class="sr-only">${label}</span>
    ${Array.from({ length: lines }, () => html`<div class="line"></div>`)}
  </div>`;
}
