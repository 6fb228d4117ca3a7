import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { skeleton } from '../../design/skeleton.js';
import { kindName } from '../../words/console/kinds.js';
import { en, fr } from '../../words/console/settings-templates.js';
import { type Locale, wordsIn } from '../context.js';
import { ConsolePage, failure } from '../page.js';
import { draftAt, keepDraft } from './drafts.js';
import { focusInvalid } from './fields.js';
import { saveBar } from './save-bar.js';
import { settingsHead, settingsWords } from './settings-head.js';
import { fieldList, insertAtCursor, partEditor } from './template-parts.js';
import { type PreviewKind, templatePreview } from './template-preview.js';
import { type Part, PARTS, TemplateState } from './template-state.js';

/** `/settings/templates/:kind/:locale`: the words of a kind in a language, and how they look. */
export default class TemplatePage extends ConsolePage {
  private state: TemplateState | null = null;
  private previewKind: PreviewKind = 'mail';
  private lastPart: Part = 'title';

  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  private get name(): string {
    const { kind = '' } = this.params;
    return kind.startsWith('message.') ? kind.slice('message.'.length) : kindName(this.context.locale, kind);
  }

  override get heading(): string {
    return this.name;
  }

  private get address(): string {
    return `/settings/templates/${this.params.kind ?? ''}/${this.params.locale ?? ''}`;
  }

  private get locale(): Locale {
    return this.params.locale === 'en' ? 'en' : 'fr';
  }

  protected override willUpdate(_changed: PropertyValues): void {
    const { kind = '' } = this.params;
    if (this.state?.kind === kind && this.state.locale === this.locale) return;
    this.leave();
    const kept = draftAt(this.address, TemplateState);
    this.state = kept ?? new TemplateState(this.context.api, kind, this.locale);
    this.state.onChange = () => this.requestUpdate();
    if (kept === null) void this.state.load();
  }

  protected override updated(): void {
    super.updated();
    if (this.state !== null) keepDraft(this.address, this.state, this.state.isDirty);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.leave();
  }

  /** Tells that the page that was left keeps an unsaved draft. */
  private leave(): void {
    const { state, context } = this;
    if (state === null || !state.isDirty) return;
    const words = settingsWords(context);
    const address = `/settings/templates/${state.kind}/${state.locale}`;
    context.toast({
      text: words.left,
      action: { label: words.go_back, act: () => context.navigate(address) },
    });
  }

  private async save(): Promise<void> {
    const { state, context } = this;
    if (state === null) return;
    try {
      if (await state.save()) context.toast({ text: this.words.saved, tone: 'good' });
      else if (state.faults.size > 0) {
        context.toast({ text: settingsWords(context).fix, tone: 'critical' });
        await this.updateComplete;
        focusInvalid(this);
      }
    } catch (error) {
      context.toast({ text: context.words.faultOf(error), tone: 'critical' });
    }
  }

  private async reset(): Promise<void> {
    const { state, context, words } = this;
    if (state === null) return;
    const isMessage = state.isMessage;
    const label = isMessage ? words.remove : words.reset;
    const isConfirmed = await context.confirm({
      title: isMessage ? words.remove_title : words.reset_title,
      text: words.reset_text(this.name, words.locales[state.locale]),
      confirm: label,
      isDangerous: true,
    });
    if (!isConfirmed) return;
    try {
      if (!(await state.reset())) return;
      context.toast({ text: isMessage ? words.removed : words.reset_done, tone: 'good' });
      if (isMessage) context.navigate('/settings/templates');
    } catch (error) {
      context.toast({ text: context.words.faultOf(error), tone: 'critical' });
    }
  }

  protected override render(): TemplateResult {
    const { words, state, locale } = this;
    const kind = this.params.kind ?? '';
    const other = locale === 'fr' ? 'en' : 'fr';
    const actions = html`<a
        class="button outlined"
        href="/settings/templates/${kind}/${other}"
        lang=${this.context.locale}
        >${words.locales[other]}</a
      >
      ${
        state?.isStored === true
          ? html`<button type="button" class="outlined danger" @click=${() => void this.reset()}>
              ${state.isMessage ? words.remove : words.reset}
            </button>`
          : nothing
      }`;
    return html`${settingsHead(this.context, 'templates', {
      heading: this.name,
      back: { href: '/settings/templates', text: words.back },
      note: words.locales[locale],
      actions,
    })}
    ${this.content()}`;
  }

  private content(): TemplateResult {
    const { state, context, words } = this;
    if (state === null || state.phase === 'loading') return skeleton(context.words.loading);
    if (state.phase === 'failed')
      return failure(context, state.fault, () => {
        state.phase = 'loading';
        void state.load();
      });
    return html`<div class="editor">
      <form
        class="parts"
        novalidate
        @submit=${(event: Event) => {
          event.preventDefault();
          void this.save();
        }}
      >
        ${PARTS.map((part) => partEditor({ context, words, state, part, onFocus: () => (this.lastPart = part) }))}
        ${fieldList(context, words, state, (name, type) => insertAtCursor(this, this.lastPart, name, type))}
        ${
          state.isDirty || state.isSaving
            ? saveBar(context, {
                changes: state.changes,
                isSaving: state.isSaving,
                discard: () => state.discard(),
              })
            : nothing
        }
      </form>
      ${templatePreview({
        context,
        words,
        state,
        kind: this.previewKind,
        choose: (kind) => {
          this.previewKind = kind;
          this.requestUpdate();
        },
      })}
    </div>`;
  }
}
