import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { badge, type Tone } from '../../design/badge.js';
import { ago } from '../../design/time.js';
import { en, fr, type OperatorRunWords } from '../../words/console/operator-runs.js';
import * as whyWords from '../../words/console/why.js';
import { wordsIn } from '../context.js';
import { filterBar } from '../list/filter-bar.js';
import { ListState } from '../list/list-state.js';
import { PERIOD, periodOf } from '../list/period.js';
import { periodFilters } from '../list/period-filters.js';
import { type Column, listTable } from '../list/table.js';
import { countTexts } from '../today/run-counts.js';
import { duration } from './durations.js';
import { runWords } from './foreign-words.js';
import { OperatorPage } from './operator-page.js';

type Run = components['schemas']['RunView'];
type State = Run['state'];
const TONES: Readonly<Record<State, Tone>> = {
  queued: 'waiting',
  running: 'info',
  succeeded: 'good',
  failed: 'critical',
  cancelled: 'neutral',
};
const STATES = Object.keys(TONES) as State[];

/** `/operator/runs/:tenant`: the runs of a tenant, and a button that runs a job now. */
export default class TenantRunsPage extends OperatorPage {
  protected readonly tab = 'runs';
  private readonly runs = new ListState<Run>({
    load: ({ job, state, ...days }, { limit, cursor }, signal) =>
      this.context.api.get('/api/v1/admin/runs', {
        params: {
          query: {
            limit,
            tenant: this.params.tenant ?? '',
            ...(job === undefined ? {} : { job: job as Run['job'] }),
            ...(state === undefined ? {} : { state: state as State }),
            ...periodOf(days, this.context.zone),
            ...(cursor === undefined ? {} : { cursor }),
          },
        },
        signal,
      }),
    idOf: ({ id }) => id,
    filters: ['job', 'state', ...PERIOD],
    onChange: () => this.requestUpdate(),
  });

  private get runWords(): OperatorRunWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  override get heading(): string {
    return this.runWords.runs_of(this.params.tenant ?? '');
  }

  protected override refresh(): Promise<void> {
    return this.runs.refresh();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('params') && changed.get('params') !== undefined) void this.runs.refresh();
    if (changed.has('query')) this.runs.read(this.query);
  }

  /** Runs the job of the filter. */
  private async runNow(job: Run['job']): Promise<void> {
    const { context } = this;
    const own = this.runWords;
    const tenant = this.params.tenant ?? '';
    const isConfirmed = await context.confirm({
      title: own.run_title(runWords(context.locale).jobs[job]),
      text: own.run_text(tenant),
      confirm: own.run_now,
    });
    if (!isConfirmed) return;
    await context.api.post('/api/v1/admin/scheduler/{job}/trigger', {
      params: { path: { job }, query: { tenant } },
    });
    context.toast({ text: own.run_done, tone: 'good' });
    await this.runs.refresh();
  }

  protected override render(): TemplateResult {
    const { context, runs, columns, acting } = this;
    const own = this.runWords;
    const words = runWords(context.locale);
    const job = runs.filters.job as Run['job'] | undefined;
    const run = html`<button
      type="button"
      class="outlined"
      aria-disabled=${acting.now ? 'true' : 'false'}
      @click=${() => {
        if (job !== undefined) void acting.run(context, () => this.runNow(job));
      }}
    >
      ${own.run_now}
    </button>`;
    return html`${this.head({
      back: { href: '/operator/runs', text: own.back },
      note: html`<a
          href=${`/preview?tenant=${this.params.tenant ?? ''}${job === undefined ? '' : `&job=${job}`}`}
          >${own.preview}</a
        >
        ·
        <a href=${`/why?tenant=${this.params.tenant ?? ''}`}
          >${wordsIn(this.context.locale, whyWords).link}</a
        >`,
      actions: job === undefined ? nothing : run,
    })}
    ${filterBar({
      context,
      state: runs,
      filters: [
        {
          kind: 'choice',
          name: 'job',
          label: own.job,
          choices: [['', own.all_jobs], ...Object.entries<string>(words.jobs)],
        },
        {
          kind: 'choice',
          name: 'state',
          label: own.state,
          choices: [
            ['', own.all_states],
            ...STATES.map((state) => [state, words.run_states[state]] as const),
          ],
        },
        ...periodFilters(context),
      ],
      csv: { name: `runs-${this.params.tenant ?? ''}.csv`, columns },
    })}
    ${listTable({
      context,
      state: runs,
      columns,
      idOf: ({ id }) => id,
      caption: own.runs_caption,
      empty: own.no_runs,
      emptyFiltered: own.no_runs_filtered,
    })}`;
  }

  private get columns(): Column<Run>[] {
    const { context } = this;
    const { format, locale } = context;
    const own = this.runWords;
    const words = runWords(locale);
    const took = ({ started_at: start, finished_at: end }: Run) =>
      start === null || end === null
        ? ''
        : duration(Math.max(0, Math.round((Date.parse(end) - Date.parse(start)) / 1_000)), locale);
    const counts = (run: Run) => countTexts(run.counts, words.counts).join(' · ');
    return [
      { label: own.slot, cell: (run) => ago(format, run.due_at), text: ({ due_at }) => due_at },
      {
        label: own.job,
        kind: 'main',
        cell: ({ job, slot, triggered_by: by }) =>
          html`${words.jobs[job]}${
            slot === null ? html` <small title=${by ?? ''}>(${own.manual})</small>` : nothing
          }`,
        text: ({ job }) => words.jobs[job],
      },
      {
        label: own.state,
        cell: ({ state }) => badge(TONES[state], words.run_states[state]),
        text: ({ state }) => words.run_states[state],
      },
      {
        label: own.started,
        cell: ({ started_at: start }) => (start === null ? '–' : format.time(start)),
        text: ({ started_at: start }) => start ?? '',
      },
      { label: own.took, kind: 'number', cell: took, text: took },
      {
        label: own.found,
        kind: 'wide',
        cell: (run) =>
          html`<small>${counts(run)}</small>${
              run.error === null ? nothing : html` <small class="critical" dir="auto">${run.error}</small>`
            }`,
        text: (run) => `${counts(run)} ${run.error ?? ''}`,
      },
    ];
  }
}
