import { html, LitElement, type TemplateResult } from 'lit';
import type { Formats } from './formats.js';

const TICK_MS = 30_000;

/** One timer updates all relative times of a page. */
const shown = new Set<VigieTime>();
let timer: ReturnType<typeof setInterval> | null = null;

function tick(): void {
  if (document.visibilityState === 'hidden') return;
  for (const element of shown) element.requestUpdate();
}

/** `5 min. ago`, with the absolute time as its title and for screen readers. */
export class VigieTime extends LitElement {
  static override properties = { iso: { attribute: false }, format: { attribute: false } };
  declare iso: string;
  declare format: Formats;

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    shown.add(this);
    timer ??= setInterval(tick, TICK_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    shown.delete(this);
    if (shown.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  }

  protected override render(): TemplateResult {
    const full = this.format.full(this.iso);
    return html`<time datetime=${this.iso} title=${full}
      >${this.format.ago(this.iso)}<span class="sr-only"> (${full})</span></time
    >`;
  }
}

if (customElements.get('vigie-time') === undefined) customElements.define('vigie-time', VigieTime);

/** @param iso an instant */
export function ago(format: Formats, iso: string): TemplateResult {
  return html`<vigie-time .format=${format} .iso=${iso}></vigie-time>`;
}

declare global {
  interface HTMLElementTagNameMap {
    'vigie-time': VigieTime;
  }
}
