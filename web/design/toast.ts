import { html, LitElement, nothing, type TemplateResult } from 'lit';

/** Long enough to read a sentence; longer where there is something to press. */
const SHOWN_MS = 6_000;
const WITH_ACTION_MS = 12_000;

export interface Toast {
  text: string;
  tone?: 'good' | 'critical';
  action?: { label: string; act: () => void };
}

/** What has just happened, in a corner. Screen readers announce it; nothing moves. */
export class VigieToasts extends LitElement {
  static override properties = { closeLabel: { attribute: false } };
  declare closeLabel: string;
  private toast: Toast | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor() {
    super();
    this.closeLabel = '';
  }

  protected override createRenderRoot(): this {
    return this;
  }

  /** Replaces the one that is shown. */
  show(toast: Toast): void {
    this.toast = toast;
    this.requestUpdate();
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => this.hide(), toast.action === undefined ? SHOWN_MS : WITH_ACTION_MS);
  }

  private hide(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.toast = null;
    this.requestUpdate();
  }

  protected override render(): TemplateResult {
    const { toast } = this;
    return html`<div role="status" class="toasts">
      ${
        toast === null
          ? nothing
          : html`<div class="toast ${toast.tone ?? ''}">
              <span>${toast.text}</span>
              ${
                toast.action === undefined
                  ? nothing
                  : html`<button
                      type="button"
                      @click=${() => {
                        toast.action?.act();
                        this.hide();
                      }}
                    >
                      ${toast.action.label}
                    </button>`
              }
              <button type="button" aria-label=${this.closeLabel} @click=${() => this.hide()}>×</button>
            </div>`
      }
    </div>`;
  }
}

if (customElements.get('vigie-toasts') === undefined) customElements.define('vigie-toasts', VigieToasts);

declare global {
  interface HTMLElementTagNameMap {
    'vigie-toasts': VigieToasts;
  }
}
