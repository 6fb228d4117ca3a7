import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { ago } from '../../design/time.js';
import { type Filter, filterBar } from '../list/filter-bar.js';
import { ListState } from '../list/list-state.js';
import { periodFilters } from '../list/period-filters.js';
import { type Column, listTable } from '../list/table.js';
import { deliveryWords, runWords } from './foreign-words.js';
import { jobsQuery } from './jobs-query.js';
import {
  hasCauses,
  isOfDeliveries,
  JOB_FILTERS,
  NO_CAUSE,
  NO_REASON,
  reasonsOf,
  STANDARD_STATE,
  type State,
  STATES,
} from './jobs-url.js';
import { OperatorPage } from './operator-page.js';
import { queueActs } from './queue-acts.js';
import type { Queue } from './queue-counts.js';
import { stateOf } from './queues-page.js';
import { Resource } from '../resource.js';

type Job = components['schemas']['QueueJobView'];
type QueueName = Queue['queue'];
const ENDED: ReadonlySet<State> = new Set(['completed', 'failed', 'unknown']);
const HAS_REASONS: ReadonlySet<State> = new Set(['waiting', 'delayed', 'pending', 'failed', 'unknown']);
/** In place of a queue: all deliveries, or all runs. */
const ALL = ['deliveries', 'runs'] as const;

/** `/operator/queues/:queue`: the work of a queue, all deliveries or all runs, from PostgreSQL. */
export default class QueuePage extends OperatorPage {
  protected readonly tab = 'queues';
  private readonly queues = new Resource<readonly Queue[]>(
    async (signal) => (await this.context.api.get('/api/v1/admin/queues', { signal })).data,
    () => this.requestUpdate(),
  );
  private readonly jobs = new ListState<Job>({
    load: (filters, part, signal) => {
      const { api, zone } = this.context;
      const query = { ...jobsQuery(filters, zone, api.now(), this.isOfDeliveries), ...part };
      const { all } = this;
      return all === undefined
        ? api.get('/api/v1/admin/queues/{queue}/jobs', {
            params: { path: { queue: this.params.queue as QueueName }, query },
            signal,
          })
        : api.get('/api/v1/admin/queues/jobs', { params: { query: { ...query, of: all } }, signal });
    },
    idOf: ({ id }) => id,
    filters: JOB_FILTERS,
    defaults: { state: STANDARD_STATE },
    hasDays: true,
    onChange: () => this.requestUpdate(),
  });
  private shownQueue = '';

  override get heading(): string {
    const { words } = this;
    if (this.all !== undefined) return words.jobs_of_all[this.all];
    const name = this.params.queue as QueueName;
    return words.jobs_of(Object.hasOwn(words.queues, name) ? words.queues[name] : name);
  }

  private get all(): (typeof ALL)[number] | undefined {
    return ALL.find((one) => one === this.params.queue);
  }

  /** Lists of runs have no filters by reason or cause. */
  private get isOfDeliveries(): boolean {
    return isOfDeliveries(this.params.queue ?? '');
  }

  protected override refresh(): Promise<unknown> {
    return Promise.all([this.loadQueue(), this.jobs.refresh()]);
  }

  /** Only the page of one queue shows its state and actions. */
  private loadQueue(): Promise<void> {
    return this.all === undefined ? this.queues.load() : Promise.resolve();
  }

  protected override willUpdate(changed: PropertyValues): void {
    const { queue = '' } = this.params;
    if (queue !== this.shownQueue) {
      if (this.shownQueue !== '') void this.jobs.refresh();
      void this.loadQueue();
    }
    this.shownQueue = queue;
    if (changed.has('query')) this.jobs.read(this.query);
  }

  protected override render(): TemplateResult {
    if (this.all !== undefined) return html`${this.head()} ${this.list}`;
    // Rendered together: a part that arrives later would push the rest down.
    return html`${this.head()}
    ${this.shown(this.queues, (queues) => html`${this.queueHead(queues)} ${this.list}`, { lines: 10 })}`;
  }

  private queueHead(queues: readonly Queue[]): TemplateResult | typeof nothing {
    const { words, context, acting } = this;
    const queue = queues.find((one) => one.queue === this.params.queue);
    if (queue === undefined) return nothing;
    return html`<div class="queue-head">
      <p class="note">${stateOf(queue, words)}</p>
      ${queueActs({ context, words, acting, queue, refresh: () => this.refresh() })}
    </div>`;
  }

  private get list(): TemplateResult {
    const { words, context, jobs, columns } = this;
    return html`${filterBar({
      context,
      state: jobs,
      filters: this.filters,
      csv: { name: `queue-${this.params.queue ?? ''}.csv`, columns },
    })}
    ${listTable({
      context,
      state: jobs,
      columns,
      idOf: ({ id }) => id,
      caption: this.heading,
      empty: words.jobs_none,
      emptyFiltered: words.jobs_none,
    })}`;
  }

  private get state(): State {
    return STATES.find((state) => state === this.jobs.filters.state) ?? STANDARD_STATE;
  }

  private get filters(): Filter[] {
    const { words, context, jobs, state } = this;
    const { cause, reason, [NO_CAUSE]: without } = jobs.filters;
    const allCauses = ['', words.all_causes] as const;
    const states: Readonly<Record<string, string>> =
      words.job_states[this.isOfDeliveries ? 'deliveries' : 'runs'];
    // A newer server may have more reasons.
    const reasons = new Set([...reasonsOf(state), ...jobs.rows.flatMap((job) => codeOf(job) ?? [])]);
    if (reason !== undefined && reason !== NO_REASON) reasons.add(reason);
    return [
      {
        kind: 'choice',
        name: 'state',
        label: words.state,
        choices: Object.entries(states),
      },
      { kind: 'search', name: 'tenant', label: words.tenant_slug },
      ...(this.isOfDeliveries && reasonsOf(state).length > 0
        ? ([
            {
              kind: 'choice',
              name: 'reason',
              label: words.reason,
              choices: [
                ['', words.all_reasons],
                [NO_REASON, words.no_reason],
                ...[...reasons].map((code) => [code, this.reasonOf(code)] as const),
              ],
            },
          ] as const)
        : []),
      ...(cause === undefined || !hasCauses(state)
        ? []
        : ([
            { kind: 'choice', name: 'cause', label: words.cause, choices: [allCauses, [cause, cause]] },
          ] as const)),
      ...(without === undefined || !hasCauses(state)
        ? []
        : ([
            {
              kind: 'choice',
              name: NO_CAUSE,
              label: words.cause,
              choices: [allCauses, [without, words.no_cause]],
            },
          ] as const)),
      {
        kind: 'choice',
        name: 'within',
        label: words.within,
        choices: [['', words.any_time], ...Object.entries(words.withins)],
      },
      ...periodFilters(context),
    ];
  }

  private reasonOf(code: string): string {
    return code === 'expired'
      ? this.words.expired
      : (deliveryWords(this.context.locale).reasons[code] ?? code);
  }

  private get columns(): Column<Job>[] {
    const { words, context } = this;
    const { format } = context;
    const isEnded = ENDED.has(this.state);
    const when = ({ ended_at, due_at }: Job) => (isEnded ? (ended_at ?? due_at) : due_at);
    const jobs: Readonly<Record<string, string>> = runWords(context.locale).jobs;
    const queues: Readonly<Record<string, string>> = words.queues;
    // A queue of messages has one job, which sends them.
    const jobOf = ({ job }: Job) => jobs[job] ?? queues[job.replace(/^send-/, '')] ?? job;
    const why = (job: Job) => {
      const code = codeOf(job);
      return [
        ...(code === null ? [] : [this.reasonOf(code)]),
        ...(job.cause === null ? [] : [job.cause]),
      ].join(' · ');
    };
    return [
      {
        label: isEnded ? words.ended_at : words.due_at,
        cell: (job) => ago(format, when(job)),
        text: when,
      },
      {
        label: words.tenant,
        kind: 'main',
        cell: ({ tenant }) => html`<a href=${this.jobs.url({ tenant })}>${tenant}</a>`,
        text: ({ tenant }) => tenant,
      },
      { label: words.job, cell: jobOf, text: jobOf },
      {
        label: words.attempts,
        kind: 'number',
        cell: ({ attempts }) => format.number(attempts),
        text: ({ attempts }) => String(attempts),
      },
      ...(HAS_REASONS.has(this.state)
        ? [
            {
              label: words.reason,
              kind: 'wide' as const,
              cell: (job: Job) => html`<small dir="auto">${why(job)}</small>`,
              text: why,
            },
          ]
        : []),
      { label: words.id, cell: ({ id }) => html`<code>${id}</code>`, text: ({ id }) => id },
    ];
  }
}

/** Why it waits or has failed, as the API names it. */
function codeOf({ defer_reason, reason }: Job): string | null {
  return reason ?? defer_reason;
}
