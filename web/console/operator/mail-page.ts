import { html, type PropertyValues, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { RequestError } from '../../client/rest.js';
import '../../design/mail-frame.js';
import { en, fr } from '../../words/console/operator-mails.js';
import { wordsIn } from '../context.js';
import { OperatorPage } from './operator-page.js';
import { Resource } from '../resource.js';

type Mail = components['schemas']['CaughtMailView'];
const VIEWS = ['html', 'text', 'headers'] as const;
type View = (typeof VIEWS)[number];

/** `/operator/mails/:id`: a caught mail as its reader sees it, its text, and its headers. */
export default class CaughtMailPage extends OperatorPage {
  protected readonly tab = 'connections';
  private view: View = 'html';
  /** Null: the mail is not here. */
  private readonly mail = new Resource<{ mail: Mail | null }>(
    async (signal) => ({ mail: await this.load(signal) }),
    () => this.requestUpdate(),
  );

  override get heading(): string {
    const { mailWords, mail } = this;
    if (mail.value === null) return mailWords.title;
    return mail.value.mail === null ? mailWords.gone : subjectOf(mail.value.mail, mailWords.no_subject);
  }

  private get mailWords() {
    return wordsIn(this.context.locale, { fr, en });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.mail.stop();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('params')) void this.mail.load();
  }

  /** A mail does not change. */
  protected override refresh(): Promise<void> {
    return Promise.resolve();
  }

  private async load(signal: AbortSignal): Promise<Mail | null> {
    const path = { id: this.params.id ?? '' };
    try {
      return await this.context.api.get('/api/v1/admin/caught-mails/{id}', { params: { path }, signal });
    } catch (error) {
      if (error instanceof RequestError && error.code === 'not_found') return null;
      throw error;
    }
  }

  protected override render(): TemplateResult {
    const { mailWords } = this;
    return html`${this.head({ back: { href: '/operator/mails', text: mailWords.back } })}
    ${this.shown(
      this.mail,
      ({ mail }) => (mail === null ? html`<p>${mailWords.gone_hint}</p>` : this.content(mail)),
      { lines: 10 },
    )}`;
  }

  private content(mail: Mail): TemplateResult {
    const { mailWords, context } = this;
    const views = mail.html === '' ? VIEWS.filter((view) => view !== 'html') : VIEWS;
    const view = views.find((one) => one === this.view) ?? 'text';
    return html`<dl class="facts">
        <dt>${mailWords.from}</dt>
        <dd dir="auto">${mail.from}</dd>
        <dt>${mailWords.to}</dt>
        <dd dir="auto">${mail.to.join(', ')}</dd>
        <dt>${mailWords.received_at}</dt>
        <dd>${context.format.full(mail.received_at)}</dd>
      </dl>
      <div class="segmented" role="group" aria-label=${mailWords.view}>
        ${views.map(
          (one) =>
            html`<button
              type="button"
              aria-pressed=${one === view ? 'true' : 'false'}
              @click=${() => {
                this.view = one;
                this.requestUpdate();
              }}
            >
              ${mailWords.views[one]}
            </button>`,
        )}
      </div>
      <div class="caught-mail">${this.shownAs(mail, view)}</div>`;
  }

  private shownAs(mail: Mail, view: View): TemplateResult {
    const { mailWords } = this;
    switch (view) {
      case 'html':
        return html`<vigie-mail-frame
          .mail=${mail.html}
          .label=${subjectOf(mail, mailWords.no_subject)}
        ></vigie-mail-frame>`;
      case 'text':
        return mail.text === ''
          ? html`<p class="note">${mailWords.no_text}</p>`
          : html`<pre dir="auto" tabindex="0">${mail.text}</pre>`;
      case 'headers':
        return html`<dl class="facts">
          ${Object.entries(mail.headers).map(
            ([name, value]) =>
              html`<dt>${name}</dt>
                <dd dir="auto">${value}</dd>`,
          )}
        </dl>`;
    }
  }
}

function subjectOf({ subject }: Mail, none: string): string {
  return subject === '' ? none : subject;
}
