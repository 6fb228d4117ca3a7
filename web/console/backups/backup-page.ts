import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { skeleton } from '../../design/skeleton.js';
import * as jobWords from '../../words/console/backup-jobs.js';
import { type BackupWords, en, fr } from '../../words/console/backups.js';
import { AlertActs } from '../alerts/alert-acts.js';
import { wordsIn } from '../context.js';
import { textIn } from '../forms.js';
import { ListState } from '../list/list-state.js';
import { PERIOD, periodOf } from '../list/period.js';
import { ConsolePage, failure, pageHead } from '../page.js';
import { Acting } from '../settings/acting.js';
import { alertsSection } from './alerts-section.js';
import { type Entry, BackupState, type Job, type Sizes, sizesOf, type Which } from './backup-state.js';
import { entriesSection, verdictQuery } from './entries-section.js';
import './job-dialog.js';
import type { JobDraft } from './job-draft.js';
import { jobFacts } from './job-facts.js';
import { notesSection } from './notes-section.js';
import { sizesSection } from './sizes-section.js';
import { resultOf } from './verdict.js';

const REFRESH_MS = 60_000;
/** The chart shows as many as a page of the API has. */
const ENTRIES = 200;

/** `/backups/:id`, and `/backups/unexpected?agent=…&database=…` for a database that no job expects. */
export default class BackupPage extends ConsolePage {
  private state: BackupState | null = null;
  private knownActs: AlertActs | null = null;
  private stopLive: (() => void) | null = null;
  private readonly opened = new Set<string>();
  private isEditing = false;
  private readonly acting = new Acting(() => this.requestUpdate());
  private sizes: { entries: readonly Entry[]; points: Sizes } | null = null;
  private readonly entries = new ListState<Entry>({
    load: ({ verdict, ...days }, part, signal) => {
      const filters = { ...verdictQuery(verdict), ...periodOf(days, this.context.zone) };
      return this.backup.entries(filters, part, signal);
    },
    idOf: (entry) => entry.id,
    filters: ['verdict', ...PERIOD],
    limit: ENTRIES,
    onChange: () => this.requestUpdate(),
  });

  override get heading(): string {
    return this.backup.status?.database_name ?? this.query.get('database') ?? this.words.title;
  }

  private get words(): BackupWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  private get backup(): BackupState {
    return (this.state ??= new BackupState(this.context.api, () => this.requestUpdate()));
  }

  private get acts(): AlertActs {
    const { api, me } = this.context;
    return (this.knownActs ??= new AlertActs(api, me.name, (id, changes) =>
      this.backup.patchAlert(id, changes),
    ));
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.stopLive ??= this.context.live.subscribe(() => this.refresh(), { everyMs: REFRESH_MS });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stopLive?.();
    this.stopLive = null;
    this.state?.stop();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has('params') && !changed.has('query')) return;
    const { id = '' } = this.params;
    const which: Which =
      id === 'unexpected'
        ? { agent_id: this.query.get('agent') ?? '', database_name: this.query.get('database') ?? '' }
        : { job_id: id };
    this.backup.open(which);
    this.entries.read(this.query);
    if (changed.get('params') !== undefined) void this.entries.refresh();
  }

  private refresh(): void {
    void this.backup.refresh();
    void this.entries.refresh();
  }

  protected override render(): TemplateResult {
    const { words } = this;
    const back = { href: '/backups', text: words.back };
    return html`${pageHead(this.heading, { back, note: this.note(), actions: this.actions() })}
    ${this.content()} ${this.isEditing ? this.dialog() : nothing}`;
  }

  /** What an admin may do with the job, or with a database that no job expects. */
  private actions(): unknown {
    const { backup, context } = this;
    const words = wordsIn(context.locale, jobWords);
    if (context.me.role !== 'admin' || backup.phase !== 'shown') return nothing;
    if (backup.job === null)
      return html`<button type="button" class="filled" @click=${() => this.setEditing(true)}>
        ${words.expect}
      </button>`;
    const { job } = backup;
    return html`<button type="button" class="outlined" @click=${() => this.setEditing(true)}>
        ${words.edit}
      </button>
      <button
        type="button"
        class="outlined danger"
        aria-disabled=${this.acting.now ? 'true' : 'false'}
        @click=${() => void this.removeJob(job)}
      >
        ${words.remove}
      </button>`;
  }

  private setEditing(isEditing: boolean): void {
    this.isEditing = isEditing;
    this.requestUpdate();
  }

  private dialog(): TemplateResult {
    const { context, backup } = this;
    const words = wordsIn(context.locale, jobWords);
    const isNew = backup.job === null;
    return html`<job-dialog
      .context=${context}
      .job=${backup.job}
      .known=${this.known()}
      @dialog-closed=${() => this.setEditing(false)}
      @job-saved=${({ detail }: CustomEvent<Job>) => {
        this.setEditing(false);
        context.toast({ text: isNew ? words.created(detail.database_name) : words.saved, tone: 'good' });
        if (isNew) context.navigate(`/backups/${detail.id}`, { replace: true });
        else this.refresh();
      }}
    ></job-dialog>`;
  }

  /** Of a database that no job expects: what the agent reported. */
  private known(): Partial<JobDraft> {
    const { status } = this.backup;
    return {
      agent_id: this.query.get('agent') ?? '',
      database_name: this.query.get('database') ?? '',
      company_name: status?.company_name ?? '',
      city: status?.city ?? '',
      neighborhood: status?.neighborhood ?? '',
    };
  }

  private removeJob({ id, database_name: name }: Job): Promise<void> {
    const { context } = this;
    const words = wordsIn(context.locale, jobWords);
    return this.acting.run(context, async () => {
      const question = { title: words.remove_title(name), text: words.remove_text, confirm: words.remove };
      if (!(await context.confirm({ ...question, isDangerous: true }))) return;
      await context.api.delete('/api/v1/backups/jobs/{id}', { params: { path: { id } } });
      context.toast({ text: words.removed(name), tone: 'good' });
      context.navigate('/backups', { replace: true });
    });
  }

  /** Below the head, which stays the same element: it has the focus. */
  private content(): unknown {
    const { context, words, backup, entries } = this;
    if (backup.phase === 'failed') return failure(context, backup.fault, () => this.refresh());
    if (backup.phase === 'loading') return skeleton(context.words.loading);
    const { status, job } = backup;
    return html`${jobFacts(context, words, status, job)}
    ${job === null ? nothing : alertsSection(context, words, backup.alerts, this.acts)}
    ${
      job === null
        ? nothing
        : notesSection(context, words, backup, {
            add: (form) => void this.addNote(form),
            remove: (id) => void this.removeNote(id),
          })
    }
    ${sizesSection(context, words, this.points())}
    ${entriesSection(context, words, entries, this.opened, () => this.requestUpdate())}`;
  }

  private note(): unknown {
    const { status } = this.backup;
    if (status === null) return nothing;
    const { verdict, warnings, waiting, agent_id, company_name, city, neighborhood } = status;
    const place = [agent_id, company_name, city, neighborhood].filter((part) => part !== null).join(' · ');
    return html`<span class="state-line"
      >${resultOf(verdict === 'unknown' && waiting ? null : verdict, warnings, this.words)}
      <span>${place}</span></span
    >`;
  }

  /** The same list for the same entries: the chart is drawn again for others only. */
  private points(): Sizes {
    const { rows } = this.entries;
    if (this.sizes?.entries !== rows) this.sizes = { entries: rows, points: sizesOf(rows) };
    return this.sizes.points;
  }

  private async addNote(form: HTMLFormElement): Promise<void> {
    const { context, words, backup } = this;
    try {
      if (!(await backup.addNote(textIn(form, 'text')))) return;
      form.reset();
      context.toast({ text: words.note_added, tone: 'good' });
    } catch (error) {
      context.toast({ text: context.words.faultOf(error), tone: 'critical' });
    }
  }

  private async removeNote(id: string): Promise<void> {
    const { context, words, backup } = this;
    const { note_remove_title: title, note_remove_text: text, note_remove: confirm } = words;
    if (!(await context.confirm({ title, text, confirm, isDangerous: true }))) return;
    try {
      if (await backup.removeNote(id)) context.toast({ text: words.note_removed });
    } catch (error) {
      context.toast({ text: context.words.faultOf(error), tone: 'critical' });
    }
  }
}
