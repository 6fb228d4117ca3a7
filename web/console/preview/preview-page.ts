import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { en, fr } from '../../words/console/preview.js';
import * as todayWords from '../../words/console/today.js';
import { wordsIn } from '../context.js';
import { type Filter, filterBar } from '../list/filter-bar.js';
import { ListState } from '../list/list-state.js';
import { listTable } from '../list/table.js';
import { ConsolePage, pageHead } from '../page.js';
import { loadTenantChoices, type TenantChoice, withNamed } from '../tenant-choices.js';
import { previewColumns } from './preview-rows.js';
import { emptyPreview, previewNotes, previewSummary } from './preview-summary.js';
import {
  type Entry,
  isCompared,
  type Job,
  keyOf,
  matching,
  MAX_ENTRIES,
  peopleOf,
  type Preview,
} from './preview-state.js';

const DEFAULT_JOB: Job = 'check-notifications';

/** Read at each use: the present day changes at midnight. */
function defaultsOf(today: () => string): Readonly<Record<'date' | 'job', string>> {
  return {
    get date() {
      return today();
    },
    job: DEFAULT_JOB,
  };
}

/** `/preview`: who would be notified on a day, how, when and why not; for a past day, beside what ran. */
export default class PreviewPage extends ConsolePage {
  private answer: Preview | null = null;
  /** What the answer is of: a preview runs for seconds, so that other filters use the same answer. */
  private answerOf = '';
  private tenants: readonly TenantChoice[] = [];
  private readonly list = new ListState<Entry>({
    load: (filters, _part, signal) => this.load(filters, signal),
    idOf: keyOf,
    filters: ['date', 'job', 'tenant', 'person', 'outcome'],
    defaults: defaultsOf(() => this.context.format.civilDate()),
    onChange: () => this.requestUpdate(),
  });

  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  private get jobWords() {
    return wordsIn(this.context.locale, todayWords);
  }

  override get heading(): string {
    return this.words.title;
  }

  private get isOperator(): boolean {
    return this.context.me.role === 'operator';
  }

  private get job(): Job {
    const { job } = this.list.filters;
    return job !== undefined && job in this.jobWords.jobs ? (job as Job) : DEFAULT_JOB;
  }

  private get date(): string {
    return this.list.filters.date ?? this.context.format.civilDate();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.isOperator) void this.loadTenants();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('query')) this.list.read(this.query);
  }

  private async load(filters: Readonly<Record<string, string>>, signal: AbortSignal) {
    const { tenant } = filters;
    if (this.isOperator && tenant === undefined) {
      this.answer = null;
      return { data: [], next_cursor: null };
    }
    const path = { job: this.job };
    const query = {
      date: this.date,
      limit: MAX_ENTRIES,
      ...(this.isOperator && tenant !== undefined ? { tenant } : {}),
    };
    const answerOf = JSON.stringify([path, query]);
    if (this.answer === null || answerOf !== this.answerOf) {
      this.answer = await this.context.api.get('/api/v1/admin/scheduler/{job}/preview', {
        params: { path, query },
        signal,
      });
      this.answerOf = answerOf;
    }
    const data = matching(this.answer.entries, filters);
    return { data, next_cursor: null, count: data.length };
  }

  private async loadTenants(): Promise<void> {
    this.tenants = await loadTenantChoices(this.context.api);
    this.requestUpdate();
  }

  private get filters(): Filter[] {
    const { words, list, tenants } = this;
    const { filters } = words;
    const all = ['', filters.all] as const;
    return [
      ...(this.isOperator
        ? ([
            {
              kind: 'choice',
              name: 'tenant',
              label: filters.tenant,
              choices: [['', '–'], ...withNamed(tenants, list.filters.tenant)],
            },
          ] as const)
        : []),
      { kind: 'date', name: 'date', label: filters.date },
      {
        kind: 'choice',
        name: 'job',
        label: filters.job,
        choices: Object.entries<string>(this.jobWords.jobs),
      },
      {
        kind: 'choice',
        name: 'person',
        label: filters.person,
        choices: [all, ...peopleOf(this.answer?.entries ?? [], words.nobody)],
      },
      {
        kind: 'choice',
        name: 'outcome',
        label: filters.outcome,
        choices: [all, ...Object.entries(words.outcomes), ['not_previewed', words.not_previewed]],
      },
    ];
  }

  protected override render(): TemplateResult {
    const { context, words, list, answer } = this;
    const { tenant } = list.filters;
    const back = this.isOperator
      ? tenant === undefined
        ? null
        : { href: `/operator/runs/${tenant}`, text: words.back_runs }
      : { href: '/notifications', text: words.back };
    const view =
      answer === null || list.phase === 'failed'
        ? null
        : {
            ...{ context, words, jobs: this.jobWords, answer, date: context.format.date(this.date) },
            url: (outcome: string) => list.url({ outcome }),
          };
    const empty = view === null ? html`<p>${words.choose_tenant}</p>` : emptyPreview(view);
    const columns = previewColumns(context, words, answer !== null && isCompared(answer));
    return html`${pageHead(words.title, { back, note: words.note })}
    ${filterBar({
      context,
      state: list,
      filters: this.filters,
      csv: { name: `${words.file}-${this.date}.csv`, columns },
    })}
    ${view === null ? nothing : previewSummary(view)}
    ${listTable({
      context,
      state: list,
      columns,
      idOf: keyOf,
      caption: words.caption,
      empty,
      emptyFiltered:
        answer === null || answer.entries.length === 0 ? empty : html`<p>${words.empty_filtered}</p>`,
    })}
    ${view === null ? nothing : previewNotes(view)}`;
  }
}
