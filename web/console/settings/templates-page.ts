import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { badge } from '../../design/badge.js';
import { skeleton } from '../../design/skeleton.js';
import { kindName } from '../../words/console/kinds.js';
import { en, fr } from '../../words/console/settings-templates.js';
import { type Locale, wordsIn } from '../context.js';
import { textIn } from '../forms.js';
import { ConsolePage, failure } from '../page.js';
import { settingsHead, settingsWords } from './settings-head.js';
import { PARTS, type TemplateView } from './template-state.js';

const LOCALES = ['fr', 'en'] as const;
const NAME = /^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$/;

/** `/settings/templates`: for each kind and language, whether the tenant changed the words. */
export default class TemplatesPage extends ConsolePage {
  private views: readonly TemplateView[] | null = null;
  private fault: unknown = null;
  private isNameInvalid = false;

  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  override get heading(): string {
    return settingsWords(this.context).tabs.templates;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) void this.load();
  }

  protected override firstUpdated(changed: PropertyValues): void {
    super.firstUpdated(changed);
    void this.load();
  }

  private async load(): Promise<void> {
    try {
      const { data } = await this.context.api.get('/api/v1/tenant/templates');
      this.views = data;
      this.fault = null;
    } catch (error) {
      this.fault = error;
    }
    this.requestUpdate();
  }

  /** Filters are in the address. */
  private filter(name: string, value: string): void {
    const query = new URLSearchParams(this.query);
    if (value === '') query.delete(name);
    else query.set(name, value);
    this.context.navigate(`?${query.toString()}`, { replace: true });
  }

  private create(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const name = textIn(form, 'name').trim();
    this.isNameInvalid = !NAME.test(name);
    this.requestUpdate();
    if (this.isNameInvalid) form.querySelector('input')?.focus();
    else this.context.navigate(`/settings/templates/message.${name}/${textIn(form, 'locale')}`);
  }

  protected override render(): TemplateResult {
    return html`${settingsHead(this.context, 'templates', { note: this.words.note })} ${this.content()}`;
  }

  private content(): TemplateResult {
    const { views, words, context } = this;
    if (views === null)
      return this.fault === null
        ? skeleton(context.words.loading)
        : failure(context, this.fault, () => void this.load());
    const kinds = [...new Set(views.map(({ kind }) => kind))];
    const messages = kinds.filter((kind) => kind.startsWith('message.'));
    const text = (this.query.get('q') ?? '').toLowerCase();
    const shown = kinds.filter(
      (kind) =>
        !messages.includes(kind) &&
        `${kindName(context.locale, kind)} ${kind}`.toLowerCase().includes(text) &&
        (this.query.get('own') === null || this.isOwn(kind)),
    );
    return html`${this.filters()}
      ${
        shown.length > 0
          ? this.table(shown, words.kind, (kind) => kindName(context.locale, kind))
          : html`<div class="empty">${text === '' ? words.empty : words.none_found}</div>`
      }
      <section class="below">
        <h2>${words.messages}</h2>
        <p class="note">${words.messages_note}</p>
        ${
          messages.length > 0
            ? this.table(messages, words.messages, (kind) => kind.slice('message.'.length))
            : html`<p>${words.no_messages}</p>`
        }
        ${this.newMessage()}
      </section>`;
  }

  private isOwn(kind: string): boolean {
    return (this.views ?? []).some(
      (view) => view.kind === kind && PARTS.some((part) => view.parts[part].adapted),
    );
  }

  private filters(): TemplateResult {
    const { words, query } = this;
    const valueOf = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value;
    return html`<form
      class="filters"
      role="search"
      aria-label=${this.context.words.list.filters}
      @submit=${(event: Event) => event.preventDefault()}
    >
      <label class="search-filter"
        ><span class="sr-only">${words.search}</span
        ><input
          type="search"
          name="q"
          maxlength="100"
          placeholder=${words.search}
          .value=${query.get('q') ?? ''}
          @input=${(event: Event) => this.filter('q', valueOf(event))}
      /></label>
      <label
        ><span>${words.filter}</span
        ><select name="own" @change=${(event: Event) => this.filter('own', valueOf(event))}>
          <option value="" ?selected=${query.get('own') === null}>${words.all}</option>
          <option value="1" ?selected=${query.get('own') !== null}>${words.own_only}</option>
        </select></label
      >
    </form>`;
  }

  private table(kinds: readonly string[], caption: string, nameOf: (kind: string) => string): TemplateResult {
    const { words } = this;
    return html`<div class="table-box">
      <table class="list">
        <caption class="sr-only">
          ${caption}
        </caption>
        <thead>
          <tr>
            <th scope="col">${words.kind}</th>
            ${LOCALES.map((locale) => html`<th scope="col">${words.locales[locale]}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${kinds.map(
            (kind) =>
              html`<tr>
                <th scope="row" class="main">${nameOf(kind)}</th>
                ${LOCALES.map((locale) => html`<td data-label=${words.locales[locale]}>${this.cell(kind, locale)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  private cell(kind: string, locale: Locale): TemplateResult {
    const { words } = this;
    const view = this.views?.find((one) => one.kind === kind && one.locale === locale);
    const own = PARTS.filter((part) => view?.parts[part].adapted === true);
    const isBroken = own.some((part) => view?.parts[part].broken !== null);
    const name = kind.startsWith('message.')
      ? kind.slice('message.'.length)
      : kindName(this.context.locale, kind);
    const what =
      own.length > 0
        ? words.own(own.map((part) => words.parts[part]).join(', '))
        : view === undefined
          ? words.create
          : words.built_in;
    return html`<a
        class="own-words ${own.length > 0 ? 'is-own' : ''}"
        href="/settings/templates/${kind}/${locale}"
        aria-label="${name}, ${words.locales[locale]}: ${what}"
        >${what}</a
      >${isBroken ? badge('critical', words.broken) : nothing}`;
  }

  private newMessage(): TemplateResult {
    const { words, isNameInvalid } = this;
    return html`<form class="inline-form" novalidate @submit=${(event: SubmitEvent) => this.create(event)}>
      <label class="field"
        ><span>${words.new_name}</span
        ><input
          name="name"
          class="mono"
          maxlength="60"
          autocomplete="off"
          aria-invalid=${isNameInvalid ? 'true' : nothing}
          aria-describedby="new-name-rule"
      /></label>
      <label class="field"
        ><span>${words.new_locale}</span
        ><select name="locale">
          ${LOCALES.map(
            (locale) =>
              html`<option value=${locale} ?selected=${locale === this.context.locale}>
                ${words.locales[locale]}
              </option>`,
          )}
        </select></label
      >
      <button class="outlined">${words.create}</button>
      <small
        id="new-name-rule"
        class=${isNameInvalid ? 'critical' : ''}
        role=${isNameInvalid ? 'alert' : nothing}
        >${words.new_name_rule}</small
      >
    </form>`;
  }
}
