import { html, nothing, type TemplateResult } from 'lit';
import type { RequestError } from '../../client/rest.js';
import { type BackupJobWords, en, fr } from '../../words/console/backup-jobs.js';
import { wordsIn } from '../context.js';
import { type DialogHead, FormDialog } from '../form-dialog.js';
import { boxesField, numberField, textField, type TextOptions } from '../settings/fields.js';
import { dayNames } from '../settings/office-sections.js';
import type { Job } from './backup-state.js';
import {
  draftOf,
  faultsIn,
  type JobDraft,
  type JobField,
  MAX_GRACE,
  MAX_NAME,
  NEW_JOB,
  newJob,
  patchOf,
  refusedRule,
} from './job-draft.js';

type TextName = Exclude<JobField, 'days_of_week' | 'grace_minutes'>;
const AGENTS = 'known-agents';

/** Creates an expected backup, or changes one. Sends `job-saved` with it, and `dialog-closed`. */
export class JobDialog extends FormDialog {
  static override properties = {
    job: { attribute: false },
    known: { attribute: false },
    agents: { attribute: false },
  };
  /** Null: a new one. */
  declare job: Job | null;
  /** What is known of a new one. */
  declare known: Partial<JobDraft>;
  /** Names that the form proposes. */
  declare agents: readonly string[];
  private draft: JobDraft = NEW_JOB;

  constructor() {
    super();
    Object.assign(this, { job: null, known: {}, agents: [] });
  }

  private get words(): BackupJobWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  protected override willUpdate(): void {
    if (this.hasUpdated) return;
    this.draft = this.job === null ? { ...NEW_JOB, ...this.known } : draftOf(this.job);
  }

  protected override get head(): DialogHead {
    const { job, words } = this;
    return job === null
      ? { name: 'job', title: words.add_title, submit: words.add }
      : { name: 'job', title: words.edit_title(job.database_name, job.agent_id), submit: words.save };
  }

  protected override check(): void {
    for (const [field, rule] of faultsIn(this.draft, this.words)) this.invalid.set(field, rule);
  }

  protected override refused(field: string, error: RequestError): string | null {
    return refusedRule(field, error, this.words);
  }

  protected override async save(): Promise<void> {
    const { context, job, draft } = this;
    const { api } = context;
    const detail: Job =
      job === null
        ? await api.post('/api/v1/backups/jobs', { body: newJob(draft) })
        : await api.patch('/api/v1/backups/jobs/{id}', {
            params: { path: { id: job.id } },
            body: patchOf(job, draft),
          });
    this.dispatchEvent(new CustomEvent('job-saved', { detail }));
  }

  private change(changes: Partial<JobDraft>): void {
    const [field = ''] = Object.keys(changes);
    this.set(field, () => (this.draft = { ...this.draft, ...changes }));
  }

  private text(name: TextName, { hint, ...options }: TextOptions & { hint?: string }): TemplateResult {
    return textField(
      this.field(name, this.words.fields[name], hint, name === 'neighborhood' ? 'wide' : 'half'),
      this.draft[name],
      (text) => this.change({ [name]: text }),
      options,
    );
  }

  protected override fields(): TemplateResult {
    const { words, draft, context, job } = this;
    const { fields, hints } = words;
    const zone = context.me.tenant?.time_zone ?? context.zone;
    const name = { maxlength: MAX_NAME, isRequired: true };
    return html`${
      job === null
        ? html`${this.text('agent_id', { ...name, hint: hints.agent_id, list: AGENTS })}
            <datalist id=${AGENTS}>
              ${this.agents.map((agent) => html`<option value=${agent}></option>`)}
            </datalist>
            ${this.text('database_name', { ...name, hint: hints.database_name })}`
        : nothing
    }
    ${this.text('company_name', name)} ${this.text('city', name)}
    ${this.text('neighborhood', { maxlength: MAX_NAME, hint: hints.neighborhood })}
    ${this.text('expected_time', {
      type: 'time',
      isRequired: true,
      hint: hints.expected_time(zone),
    })}
    ${numberField(
      this.field('grace_minutes', fields.grace_minutes, hints.grace_minutes, 'half'),
      draft.grace_minutes,
      { min: 0, max: MAX_GRACE, isRequired: true },
      (grace_minutes) => this.change({ grace_minutes }),
    )}
    ${boxesField(
      this.field('days_of_week', fields.days_of_week, undefined, 'short'),
      draft.days_of_week,
      dayNames(context.locale),
      (days_of_week) => this.change({ days_of_week }),
    )}`;
  }
}

if (customElements.get('job-dialog') === undefined) customElements.define('job-dialog', JobDialog);
