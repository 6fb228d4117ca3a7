import { html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import type { ConsoleContext } from '../context.js';
import './sign-in-form.js';

/** Asks to sign in again in a dialog over the page, which stays as it was. */
export class SessionExpired extends LitElement {
  static override properties = { context: { attribute: false }, isShown: { attribute: false } };
  declare context: ConsoleContext;
  declare isShown: boolean;

  protected override createRenderRoot(): this {
    return this;
  }

  protected override updated(changed: PropertyValues): void {
    if (!changed.has('isShown')) return;
    const dialog = this.querySelector('dialog');
    if (this.isShown && dialog?.open === false) dialog.showModal();
    else if (!this.isShown) dialog?.close();
  }

  protected override render(): TemplateResult {
    const { words, me } = this.context;
    const known = { email: me.email, tenant: me.tenant?.slug ?? null };
    return html`<dialog
      class="expired"
      aria-labelledby="expired-title"
      @cancel=${(event: Event) => event.preventDefault()}
    >
      ${
        this.isShown
          ? html`<h2 id="expired-title">${words.expired_title}</h2>
              <p>${words.expired_text}</p>
              <sign-in-form .context=${this.context} .known=${known}></sign-in-form>`
          : ''
      }
    </dialog>`;
  }
}

if (customElements.get('session-expired') === undefined)
  customElements.define('session-expired', SessionExpired);
