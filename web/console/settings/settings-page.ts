import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import { skeleton } from '../../design/skeleton.js';
import { ConsolePage, failure } from '../page.js';
import { draftAt, keepDraft } from './drafts.js';
import { focusInvalid } from './fields.js';
import { officeSection, sendingSection } from './office-sections.js';
import { preferencesSection } from './preferences-section.js';
import { retentionSection } from './retention-section.js';
import { saveBar } from './save-bar.js';
import { settingsHead, settingsWords } from './settings-head.js';
import { SettingsState } from './settings-state.js';
import { backupsSection, scheduleSection, stagesSection } from './work-sections.js';

const ADDRESS = '/settings';

/** `/settings`: the tenant's settings and default preferences. */
export default class SettingsPage extends ConsolePage {
  private state: SettingsState | null = null;
  private isAtSection = false;

  override get heading(): string {
    return this.context.words.nav.settings;
  }

  protected override willUpdate(_changed: PropertyValues): void {
    if (this.state !== null) return;
    const kept = draftAt(ADDRESS, SettingsState);
    this.state = kept ?? new SettingsState(this.context.api);
    this.state.onChange = () => this.requestUpdate();
    if (kept === null) void this.state.load();
  }

  protected override updated(): void {
    super.updated();
    this.scrollToSection();
    if (this.state !== null) keepDraft(ADDRESS, this.state, this.state.isDirty);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.state?.isDirty !== true) return;
    const { context } = this;
    const words = settingsWords(context);
    context.toast({
      text: words.left,
      action: { label: words.go_back, act: () => context.navigate(ADDRESS) },
    });
  }

  /** Once, to the section that a link names: it arrives before the settings do. */
  private scrollToSection(): void {
    const name = this.isAtSection ? '' : location.hash.slice(1);
    if (name === '' || this.state?.phase === 'loading') return;
    this.isAtSection = true;
    this.querySelector(`#${CSS.escape(name)}`)?.scrollIntoView();
  }

  private async save(): Promise<void> {
    const { state, context } = this;
    if (state === null) return;
    const words = settingsWords(context);
    const before = context.me.tenant;
    try {
      const isSaved = await state.save();
      if (isSaved) {
        const isFrame =
          before !== null &&
          (['name', 'locale', 'time_zone'] as const).some((key) => before[key] !== state.draft?.[key]);
        context.toast({
          text: isFrame ? words.saved_frame : words.saved,
          tone: 'good',
          ...(isFrame ? { action: { label: words.reload, act: () => location.reload() } } : {}),
        });
      } else if (!state.isValid) {
        context.toast({ text: words.fix, tone: 'critical' });
        await this.updateComplete;
        focusInvalid(this);
      }
    } catch (error) {
      context.toast({ text: context.words.faultOf(error), tone: 'critical' });
    }
  }

  protected override render(): TemplateResult {
    const words = settingsWords(this.context);
    return html`${settingsHead(this.context, 'general', { heading: this.heading, note: words.note })}
    ${this.content()}`;
  }

  private content(): TemplateResult {
    const { state, context } = this;
    if (state === null || state.phase === 'loading') return skeleton(context.words.loading);
    const { draft } = state;
    if (state.phase === 'failed' || draft === null)
      return failure(context, state.fault, () => {
        state.phase = 'loading';
        void state.load();
      });
    const view = { context, words: settingsWords(context), state, draft };
    return html`<form
      class="settings-form"
      novalidate
      @submit=${(event: Event) => {
        event.preventDefault();
        void this.save();
      }}
    >
      ${keyed(
        state.version,
        html`${officeSection(view)} ${sendingSection(view)} ${stagesSection(view)} ${scheduleSection(view)}
        ${backupsSection(view)} ${retentionSection(view)} ${preferencesSection(view)}`,
      )}
      ${
        state.isDirty || state.isSaving
          ? saveBar(context, {
              changes: state.changes,
              isSaving: state.isSaving,
              discard: () => state.discard(),
            })
          : nothing
      }
    </form>`;
  }
}
