import { html, type TemplateResult } from 'lit';
import { en, fr } from '../../words/console/people.js';
import { wordsIn } from '../context.js';
import { ConsolePage, pageHead } from '../page.js';
import { Acting } from '../settings/acting.js';
import { focusInvalid } from '../settings/fields.js';
import {
  type Faults,
  faultsIn,
  faultsOf,
  NO_PROFILE,
  type Profile,
  profileBody,
  profileFields,
} from './profile-form.js';

/** `/people/new`: adds a person. */
export default class NewPersonPage extends ConsolePage {
  private profile: Profile = NO_PROFILE;
  private isWelcome = true;
  private faults: Faults = new Map();
  private readonly acting = new Acting(() => this.requestUpdate());

  override get heading(): string {
    return this.words.add_title;
  }

  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { context, words, profile, isWelcome } = this;
    await this.acting.run(context, async () => {
      this.faults = faultsIn(profile, words);
      if (this.faults.size > 0) return;
      try {
        const { email, role } = profile;
        const body = { ...profileBody(profile), email: email.trim(), role, welcome: isWelcome };
        const { id, name } = await context.api.post('/api/v1/users', { body });
        context.toast({ text: words.created(name), tone: 'good' });
        context.navigate(`/people/${id}`, { replace: true });
      } catch (error) {
        const faults = faultsOf(error, words);
        if (faults === null) throw error;
        this.faults = faults;
      }
    });
    await this.updateComplete;
    focusInvalid(this);
  }

  protected override render(): TemplateResult {
    const { context, words, profile, faults } = this;
    const set = (changes: Partial<Profile>) => {
      this.profile = { ...this.profile, ...changes };
      this.requestUpdate();
    };
    return html`${pageHead(words.add_title, { back: { href: '/people', text: words.back } })}
      <form class="settings-form" novalidate @submit=${(event: SubmitEvent) => void this.submit(event)}>
        <section class="card form-section">
          ${profileFields({ context, words, profile, faults, isAdmin: true, set })}
          <label class="box wide"
            ><input
              type="checkbox"
              name="welcome"
              .checked=${this.isWelcome}
              @change=${(event: Event) => {
                this.isWelcome = (event.target as HTMLInputElement).checked;
              }}
            />${words.welcome}</label
          >
        </section>
        <p>
          <button class="filled" aria-disabled=${this.acting.now ? 'true' : 'false'}>${words.create}</button>
        </p>
      </form>`;
  }
}
