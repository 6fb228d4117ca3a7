import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { ago } from '../../design/time.js';
import { filterBar } from '../list/filter-bar.js';
import { ListState } from '../list/list-state.js';
import { type Column, listTable } from '../list/table.js';
import { deliveryWords, runWords } from './foreign-words.js';
import { OperatorPage } from './operator-page.js';
import type { Queue } from './problems.js';
import { queueActs } from './queue-acts.js';
import { stateOf } from './queues-page.js';
import { Resource } from '../resource.js';

type Job = components['schemas']['QueueJobView'];
type QueueName = Queue['queue'];
const STATES = ['waiting', 'active', 'delayed', 'failed'] as const;
type State = (typeof STATES)[number];

/** `/operator/queues/:queue`: the work of a queue, from PostgreSQL. */
export default class QueuePage extends OperatorPage {
  protected readonly tab = 'queues';
  private readonly queues = new Resource<readonly Queue[]>(
    async (signal) => (await this.context.api.get('/api/v1/admin/queues', { signal })).data,
    () => this.requestUpdate(),
  );
  private readonly jobs = new ListState<Job>({
    load: ({ state, tenant }, { limit, cursor }, signal) =>
      this.context.api.get('/api/v1/admin/queues/{queue}/jobs', {
        params: {
          path: { queue: this.params.queue as QueueName },
          query: {
            limit,
            state: STATES.find((one) => one === state) ?? 'waiting',
            ...(tenant === undefined ? {} : { tenant }),
            ...(cursor === undefined ? {} : { cursor }),
          },
        },
        signal,
      }),
    idOf: ({ id }) => id,
    filters: ['state', 'tenant'],
    defaults: { state: 'waiting' },
    onChange: () => this.requestUpdate(),
  });
  private shownQueue = '';

  override get heading(): string {
    const { words } = this;
    const name = this.params.queue as QueueName;
    return words.jobs_of(Object.hasOwn(words.queues, name) ? words.queues[name] : name);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.queues.load();
  }

  protected override refresh(): Promise<unknown> {
    return Promise.all([this.queues.load(), this.jobs.refresh()]);
  }

  protected override willUpdate(changed: PropertyValues): void {
    const { queue = '' } = this.params;
    if (queue !== this.shownQueue && this.shownQueue !== '') void this.jobs.refresh();
    this.shownQueue = queue;
    if (changed.has('query')) this.jobs.read(this.query);
  }

  protected override render(): TemplateResult {
    // Rendered together: a part that arrives later would push the rest down.
    return html`${this.head()} ${this.shown(this.queues, (queues) => this.content(queues), { lines: 10 })}`;
  }

  private content(queues: readonly Queue[]): TemplateResult {
    const { words, context, acting, jobs, columns } = this;
    const queue = queues.find((one) => one.queue === this.params.queue);
    return html`${
      queue === undefined
        ? nothing
        : html`<div class="queue-head">
            <p class="note">${stateOf(queue, words)}</p>
            ${queueActs({ context, words, acting, queue, refresh: () => this.refresh() })}
          </div>`
    }
    ${filterBar({
      context,
      state: jobs,
      filters: [
        {
          kind: 'choice',
          name: 'state',
          label: words.state,
          choices: STATES.map((state) => [state, words.job_states[state]] as const),
        },
        { kind: 'search', name: 'tenant', label: words.tenant_slug },
      ],
      csv: { name: `queue-${this.params.queue ?? ''}.csv`, columns },
    })}
    ${listTable({
      context,
      state: jobs,
      columns,
      idOf: ({ id }) => id,
      caption: words.jobs_caption,
      empty: words.jobs_none,
      emptyFiltered: words.jobs_none,
    })}`;
  }

  private get state(): State {
    return STATES.find((state) => state === this.jobs.filters.state) ?? 'waiting';
  }

  private get columns(): Column<Job>[] {
    const { words, context } = this;
    const { format } = context;
    const isFailed = this.state === 'failed';
    const reasons = deliveryWords(context.locale).reasons;
    const when = ({ ended_at, due_at }: Job) => (isFailed ? (ended_at ?? due_at) : due_at);
    const jobs: Readonly<Record<string, string>> = runWords(context.locale).jobs;
    const queues: Readonly<Record<string, string>> = words.queues;
    // A queue of messages has one job, which sends them.
    const jobOf = ({ job }: Job) => jobs[job] ?? queues[this.params.queue ?? ''] ?? job;
    const why = ({ defer_reason: reason }: Job) => (reason === null ? '' : (reasons[reason] ?? reason));
    return [
      {
        label: isFailed ? words.ended_at : words.due_at,
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
      ...(this.state === 'delayed' ? [{ label: words.reason, cell: why, text: why }] : []),
      { label: words.id, cell: ({ id }) => html`<code>${id}</code>`, text: ({ id }) => id },
    ];
  }
}
