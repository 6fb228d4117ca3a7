import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { RequestError } from '../../client/rest.js';
import { skeleton } from '../../design/skeleton.js';
import { en, fr } from '../../words/console/people.js';
import { wordsIn } from '../context.js';
import { whyLink } from '../why/why-link.js';
import { ConsolePage, failure, pageHead } from '../page.js';
import { ConsolePush } from '../push.js';
import '../reminders/reminders-section.js';
import { Acting } from '../settings/acting.js';
import { focusInvalid } from '../settings/fields.js';
import { accessSection, type AccessView, testSection } from './access-section.js';
import { type PersonRow, PersonState } from './person-state.js';
import { bodyOf, draftOf, faultsInDraft, type PreferencesDraft } from './preferences-draft.js';
import { choicesSection, hoursSection } from './preferences-form.js';
import { type Faults, faultsIn, faultsOf, NO_PROFILE, type Profile, profileFields } from './profile-form.js';

/** `/people/:id`: a person, for admins; everybody sees their own. */
export default class PersonPage extends ConsolePage {
  private state: PersonState | null = null;
  private profile: Profile = NO_PROFILE;
  private profileFaults: Faults = new Map();
  private draft: PreferencesDraft | null = null;
  private draftFaults: ReadonlySet<string> = new Set();
  private tests: ReadonlyMap<string, string> = new Map();
  private link: AccessView['link'] = null;
  private readonly acting = new Acting(() => this.requestUpdate());

  override get heading(): string {
    return this.state?.person?.name ?? (this.state?.isGone === true ? this.words.gone : this.words.title);
  }

  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('params') && this.params.id !== this.state?.id) void this.open(this.params.id ?? '');
  }

  private async open(id: string): Promise<void> {
    const { api, me } = this.context;
    const state = new PersonState(api, me, new ConsolePush(api, me), id, () => this.requestUpdate());
    Object.assign(this, { state, profile: NO_PROFILE, draft: null, link: null, tests: new Map() });
    Object.assign(this, { profileFaults: new Map(), draftFaults: new Set() });
    this.requestUpdate();
    await state.load();
    if (state !== this.state) return;
    if (state.person !== null) this.profile = profileOf(state.person);
    if (state.preferences !== null) this.draft = draftOf(state.preferences);
    this.requestUpdate();
  }

  private run(act: (state: PersonState) => Promise<void>): void {
    const { state } = this;
    if (state !== null) void this.acting.run(this.context, () => act(state)).then(() => this.focusFault());
  }

  private async focusFault(): Promise<void> {
    await this.updateComplete;
    focusInvalid(this);
  }

  private readonly saveProfile = (event: SubmitEvent): void => {
    event.preventDefault();
    this.run(async (state) => {
      const { words, context, profile } = this;
      this.profileFaults = faultsIn(profile, words);
      if (this.profileFaults.size > 0) return;
      try {
        await state.saveProfile(profile);
        // As the server writes it: a number without spaces.
        if (state.person !== null) this.profile = profileOf(state.person);
        context.toast({ text: words.saved, tone: 'good' });
      } catch (error) {
        const faults = faultsOf(error, words);
        const isConflict = error instanceof RequestError && error.code === 'conflict';
        if (faults === null && isConflict) context.toast({ text: words.last_admin, tone: 'critical' });
        else if (faults === null) throw error;
        else this.profileFaults = faults;
      }
    });
  };

  private readonly savePreferences = (event: SubmitEvent): void => {
    event.preventDefault();
    this.run(async (state) => {
      const { words, context, draft } = this;
      if (draft === null || state.preferences === null) return;
      this.draftFaults = faultsInDraft(draft, context.format.civilDate());
      if (this.draftFaults.size > 0) return;
      try {
        await state.savePreferences(bodyOf(draft, state.preferences));
        this.draft = draftOf(state.preferences);
        context.toast({ text: words.saved, tone: 'good' });
      } catch (error) {
        const faults = faultsOf(error, words);
        if (faults === null) throw error;
        this.draftFaults = new Set(faults.keys());
      }
    });
  };

  private readonly erase = (): void =>
    this.run(async (state) => {
      const { context, words } = this;
      const name = state.person?.name ?? '';
      const question = { title: words.erase_title(name), text: words.erase_text, confirm: words.erase };
      if (!(await context.confirm({ ...question, isDangerous: true }))) return;
      await state.erase();
      context.toast({ text: words.erased(name), tone: 'good' });
      context.navigate('/people', { replace: true });
    });

  protected override render(): TemplateResult {
    const { context, words, state } = this;
    const back = context.me.role === 'admin' ? { href: '/people', text: words.back } : null;
    if (state?.isGone === true) return pageHead(words.gone, { back, note: words.gone_hint });
    if (state?.person == null)
      return html`${pageHead(words.title, { back })}
      ${state?.fault == null ? skeleton(context.words.loading) : failure(context, state.fault, () => void this.open(state.id))}`;
    return html`${pageHead(state.person.name, { back, ...this.head(state) })}
      <div class="person">
        <div class="column">
          ${this.profileForm(state)} ${this.preferencesForm(state)}
          <reminders-section .context=${context} .userId=${state.id}></reminders-section>
        </div>
        <div class="column">${this.side(state)}</div>
      </div>`;
  }

  private head({ id, isSelf, isAdmin, person }: PersonState) {
    const { words } = this;
    const history = html`<a
      class="button outlined"
      href=${isAdmin ? `/notifications?${new URLSearchParams({ user_id: id }).toString()}` : '/notifications'}
      >${isSelf ? words.history_self : words.history}</a
    >`;
    const erase = html`<button type="button" class="outlined danger" @click=${this.erase}>
      ${words.erase}
    </button>`;
    return {
      note: person?.email,
      actions: html`${history}${whyLink(this.context, { user: id })}${isAdmin && !isSelf ? erase : nothing}`,
    };
  }

  private profileForm({ isAdmin }: PersonState): TemplateResult {
    const { context, words, profile, profileFaults: faults } = this;
    const set = (changes: Partial<Profile>) => {
      this.profile = { ...this.profile, ...changes };
      this.requestUpdate();
    };
    return html`<form class="settings-form" novalidate @submit=${this.saveProfile}>
      <section class="card form-section">
        <h2>${words.profile}</h2>
        ${profileFields({ context, words, profile, faults, isAdmin, emailHint: words.email_hint, set })}
        <p class="wide-row">${this.saveButton()}</p>
      </section>
    </form>`;
  }

  private preferencesForm({ preferences: stored, isSelf }: PersonState): TemplateResult | typeof nothing {
    const { context, words, draft, draftFaults: faults } = this;
    if (stored === null || draft === null) return nothing;
    const set = (changes: Partial<PreferencesDraft>) => {
      this.draft = { ...draft, ...changes };
      this.requestUpdate();
    };
    const view = { context, words, isSelf, stored, draft, faults, set };
    return html`<form class="settings-form" novalidate @submit=${this.savePreferences}>
      ${hoursSection(view)} ${choicesSection(view)}
      <p>${this.saveButton()}</p>
    </form>`;
  }

  private saveButton(): TemplateResult {
    return html`<button class="filled" aria-disabled=${this.acting.now ? 'true' : 'false'}>
      ${this.words.save}
    </button>`;
  }

  private side(state: PersonState): TemplateResult {
    const { context, words, tests, link } = this;
    const view: AccessView = {
      context,
      words,
      state,
      tests,
      link,
      run: (act) => this.run(act),
      onTest: (channel) =>
        this.run(async () => {
          const id = await state.test(channel, { subject: words.test_subject, message: words.test_text });
          if (id !== null) this.tests = new Map([...this.tests, [channel, id]]);
          context.toast({ text: words.test_done, tone: 'good' });
        }),
      onLink: () =>
        this.run(async () => {
          this.link = await state.passwordLink();
        }),
    };
    return html`${testSection(view)} ${accessSection(view)}`;
  }
}

function profileOf({ name, email, role, phone, locale, time_zone }: PersonRow): Profile {
  return { name, email, role, phone: phone ?? '', locale: locale ?? '', time_zone: time_zone ?? '' };
}
