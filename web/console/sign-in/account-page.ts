import { html, nothing, type TemplateResult } from 'lit';
import { en, fr } from '../../words/console/sign-in.js';
import { wordsIn } from '../context.js';
import { ConsolePage, pageHead } from '../page.js';

/** `/account`: who is signed in. */
export default class AccountPage extends ConsolePage {
  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  override get heading(): string {
    return this.words.account_title;
  }

  protected override render(): TemplateResult {
    const { words } = this;
    const { me } = this.context;
    const line = (term: string, value: string | null | undefined) =>
      value === null || value === undefined
        ? nothing
        : html`<dt>${term}</dt>
            <dd dir="auto">${value}</dd>`;
    return html`${pageHead(words.account_title)}
      <dl class="facts">
        ${line(words.account_name, me.name)} ${line(words.email, me.email)}
        ${line(words.account_role, words.roles[me.role])} ${line(words.account_tenant, me.tenant?.name)}
        ${line(words.account_zone, me.time_zone ?? me.tenant?.time_zone)}
      </dl>
      ${
        me.role === 'operator'
          ? nothing
          : html`<p>
              <a class="button outlined" href=${`/people/${me.id}`}>${words.account_preferences}</a>
            </p>`
      }
      <p>
        <button
          type="button"
          class="outlined"
          @click=${() => this.dispatchEvent(new CustomEvent('sign-out', { bubbles: true }))}
        >
          ${this.context.words.sign_out}
        </button>
      </p>`;
  }
}
