import { html, nothing, type TemplateResult } from 'lit';
import { RequestError } from '../../client/rest.js';
import { en, fr } from '../../words/console/sign-in.js';
import { wordsIn } from '../context.js';
import { textIn } from '../forms.js';
import { ConsolePage, pageHead } from '../page.js';

/** `/first-run#token=…`: creates the operator of a new installation, who is then signed in. */
export default class FirstRunPage extends ConsolePage {
  private isOpen: boolean | null = null;
  private fault: string | null = null;
  private isBusy = false;
  /** In the fragment, so that no log of a proxy has it. */
  private readonly token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';

  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  override get heading(): string {
    return this.words.first_run_title;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.token !== '') history.replaceState(null, '', location.pathname);
    void this.load();
  }

  protected override render(): TemplateResult {
    const { words } = this;
    return html`<div class="sheet">
      ${pageHead(words.first_run_title, { note: this.isOpen === false ? words.first_run_done : words.first_run_text })}
      ${this.isOpen === false ? html`<p><a href="/sign-in">${words.submit}</a></p>` : this.form()}
    </div>`;
  }

  private form(): TemplateResult {
    const { words, fault } = this;
    return html`<form class="sign-in" @submit=${(event: SubmitEvent) => void this.submit(event)}>
      ${fault === null ? nothing : html`<p class="fault" role="alert">${fault}</p>`}
      <label
        >${words.first_run_token}<input
          name="token"
          autocomplete="off"
          autocapitalize="none"
          spellcheck="false"
          required
          maxlength="200"
          .value=${this.token}
      /></label>
      <label
        >${words.email}<input name="email" type="email" autocomplete="username" required maxlength="254"
      /></label>
      <label
        >${words.password}<input
          name="password"
          type="password"
          autocomplete="new-password"
          required
          minlength="12"
          maxlength="200"
          aria-describedby="first-run-hint"
        /><small id="first-run-hint">${words.first_run_hint}</small></label
      >
      <button class="filled wide" aria-disabled=${this.isBusy ? 'true' : nothing}>
        ${words.first_run_submit}
      </button>
    </form>`;
  }

  private async load(): Promise<void> {
    try {
      this.isOpen = (await this.context.api.get('/api/v1/auth/first-run')).open;
    } catch {
      // The form says what is wrong when it is sent.
      this.isOpen = true;
    }
    this.requestUpdate();
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.isBusy) return;
    const form = event.target as HTMLFormElement;
    const email = textIn(form, 'email').trim();
    const password = textIn(form, 'password');
    const { api, session } = this.context;
    this.isBusy = true;
    this.requestUpdate();
    try {
      await api.post('/api/v1/auth/first-run', {
        body: { token: textIn(form, 'token').trim(), email, password },
      });
      const id = await session.signIn({ email, password });
      this.dispatchEvent(new CustomEvent('signed-in', { detail: id, bubbles: true }));
    } catch (error) {
      this.fault = this.reasonOf(error);
    } finally {
      this.isBusy = false;
      this.requestUpdate();
    }
  }

  private reasonOf(error: unknown): string {
    if (!(error instanceof RequestError)) return this.context.words.faultOf(error);
    if (error.reason === 'auth') return this.words.first_run_wrong;
    if (error.code === 'conflict') return this.words.first_run_done;
    // The browser checks the address. The server's details are English.
    if (error.problem?.errors?.some(({ pointer }) => pointer === '/password') === true)
      return this.words.first_run_hint;
    return this.context.words.faultOf(error);
  }
}
