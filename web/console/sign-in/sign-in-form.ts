import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { en, fr } from '../../words/console/sign-in.js';
import { type ConsoleContext, wordsIn } from '../context.js';
import { textIn } from '../forms.js';
import { store, stored } from '../stored.js';

/** Who signs in again, where the console knows it. */
export interface Known {
  email: string | null;
  tenant: string | null;
}

/** The form that signs a person in. Fires `signed-in` with the id of who did. */
export class SignInForm extends LitElement {
  static override properties = {
    context: { attribute: false },
    known: { attribute: false },
    query: { attribute: false },
  };
  declare context: ConsoleContext;
  /** Set where a session has ended: that person's address cannot be changed. */
  declare known: Known | null;
  /** May name the office: `?tenant=martin`. */
  declare query: URLSearchParams | null;
  private fault: string | null = null;
  private isBusy = false;
  private isShown = false;

  constructor() {
    super();
    this.known = null;
    this.query = null;
  }

  protected override createRenderRoot(): this {
    return this;
  }

  protected override render(): TemplateResult {
    const words = wordsIn(this.context.locale, { fr, en });
    const { known, query, fault } = this;
    const email = known?.email ?? query?.get('email') ?? stored('email') ?? '';
    const tenant = known === null ? (tenantIn(query) ?? stored('tenant') ?? '') : (known.tenant ?? '');
    return html`<form class="sign-in" @submit=${(event: SubmitEvent) => void this.submit(event)}>
      ${fault === null ? nothing : html`<p class="fault" role="alert" id="sign-in-fault">${fault}</p>`}
      <label
        >${words.email}
        <input
          name="email"
          type="email"
          autocomplete="username"
          required
          maxlength="254"
          .value=${email}
          ?readonly=${known !== null && known.email !== null}
      /></label>
      <label
        >${words.password}
        <input
          name="password"
          type=${this.isShown ? 'text' : 'password'}
          autocomplete="current-password"
          required
          maxlength="200"
          aria-describedby=${fault === null ? nothing : 'sign-in-fault'}
          ?autofocus=${email !== ''}
      /></label>
      <label class="check"
        ><input
          type="checkbox"
          .checked=${this.isShown}
          @change=${(event: Event) => {
            this.isShown = (event.target as HTMLInputElement).checked;
            this.requestUpdate();
          }}
        />
        ${words.show}</label
      >
      ${
        known === null
          ? html`<label
              >${words.tenant}
              <input
                name="tenant"
                autocomplete="organization"
                autocapitalize="none"
                spellcheck="false"
                maxlength="63"
                aria-describedby="tenant-hint"
                .value=${tenant}
              /><small id="tenant-hint">${words.tenant_hint}</small></label
            >`
          : html`<input type="hidden" name="tenant" .value=${tenant} />`
      }
      <button class="filled wide" aria-disabled=${this.isBusy ? 'true' : nothing}>${words.submit}</button>
    </form>`;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.isBusy) return;
    const form = event.target as HTMLFormElement;
    const email = textIn(form, 'email').trim();
    const tenant = textIn(form, 'tenant').trim();
    this.isBusy = true;
    this.requestUpdate();
    try {
      const password = textIn(form, 'password');
      const id = await this.context.session.signIn({ email, password, ...(tenant === '' ? {} : { tenant }) });
      store('email', email);
      store('tenant', tenant);
      this.fault = null;
      this.dispatchEvent(new CustomEvent('signed-in', { detail: id, bubbles: true }));
    } catch (error) {
      this.fault = this.context.words.faultOf(error);
      this.querySelector<HTMLInputElement>('input[name=password]')?.select();
    } finally {
      this.isBusy = false;
      this.requestUpdate();
    }
  }
}

/** Links in mails name the office, also inside `next`. */
function tenantIn(query: URLSearchParams | null): string | null {
  const next = query?.get('next')?.split('?', 2)[1];
  return query?.get('tenant') ?? new URLSearchParams(next).get('tenant');
}

if (customElements.get('sign-in-form') === undefined) customElements.define('sign-in-form', SignInForm);
