import { html, type TemplateResult } from 'lit';
import { en, fr } from '../../words/console/sign-in.js';
import { wordsIn } from '../context.js';
import { textIn } from '../forms.js';
import { ConsolePage, pageHead } from '../page.js';
import { Acting } from '../settings/acting.js';
import { store } from '../stored.js';
import './sign-in-form.js';

/** `/sign-in?next=/tasks/1`: signs in, and goes to where the person was sent from. `?forgotten` asks for a link. */
export default class SignInPage extends ConsolePage {
  private isSent = false;
  private readonly acting = new Acting(() => this.requestUpdate());

  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  override get heading(): string {
    return this.query.has('forgotten') ? this.words.forgotten_title : this.words.title;
  }

  protected override render(): TemplateResult {
    return html`<div class="sheet">${this.query.has('forgotten') ? this.forgotten() : this.signIn()}</div>`;
  }

  private signIn(): TemplateResult {
    const { words } = this;
    const forgotten = new URLSearchParams(this.query);
    forgotten.set('forgotten', '');
    return html`${pageHead(words.title)}
      <sign-in-form .context=${this.context} .query=${this.query}></sign-in-form>
      <p class="foot"><a href="/sign-in?${forgotten.toString()}">${words.forgotten}</a></p>`;
  }

  private forgotten(): TemplateResult {
    const { words } = this;
    const back = new URLSearchParams(this.query);
    back.delete('forgotten');
    return html`${pageHead(words.forgotten_title, { note: words.forgotten_text })}
      ${
        this.isSent
          ? html`<p role="status" class="note">${words.forgotten_sent}</p>`
          : html`<form class="sign-in" @submit=${(event: SubmitEvent) => void this.ask(event)}>
              <label
                >${words.email}<input
                  name="email"
                  type="email"
                  autocomplete="username"
                  required
                  maxlength="254"
              /></label>
              <label
                >${words.tenant}<input
                  name="tenant"
                  autocomplete="organization"
                  autocapitalize="none"
                  spellcheck="false"
                  required
                  maxlength="63"
                  .value=${this.query.get('tenant') ?? ''}
              /></label>
              <button class="filled wide">${words.forgotten_submit}</button>
            </form>`
      }
      <p class="foot"><a href="/sign-in?${back.toString()}">${words.back}</a></p>`;
  }

  private async ask(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const email = textIn(form, 'email').trim();
    const tenant = textIn(form, 'tenant').trim();
    await this.acting.run(this.context, async () => {
      await this.context.api.post('/api/v1/auth/password-reset', { body: { email, tenant } });
      store('tenant', tenant);
      this.isSent = true;
    });
  }
}
