import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { badge } from '../../design/badge.js';
import { en, fr, type OperatorRunWords } from '../../words/console/operator-runs.js';
import { wordsIn } from '../context.js';
import { filterBar } from '../list/filter-bar.js';
import { ListState } from '../list/list-state.js';
import { type Column, listTable } from '../list/table.js';
import { runWords } from './foreign-words.js';
import { OperatorPage } from './operator-page.js';
import { hoursOf, type Mark, MARKS, markShape, strip } from './strip.js';
import { worstFirst } from './worst-first.js';

type Schemas = components['schemas'];
type Strip = Schemas['TimelineStrip'];
type Job = Strip['job'];

/** Tenants a page: each has a row for every job. */
const TENANTS = 10;
/** Those with a column of their own. */
const COUNTED: readonly Mark[] = ['missed', 'failed', 'caught_up', 'ran', 'planned'];

/** `/operator/runs`: what ran, was caught up, was missed and is planned, by tenant and job. */
export default class RunsPage extends OperatorPage {
  protected readonly tab = 'runs';
  private frame: Pick<Schemas['Timeline'], 'at' | 'from' | 'enabled'> | null = null;
  private readonly strips = new ListState<Strip>({
    load: async ({ job, tenant, hours }, { cursor }, signal) => {
      const page = await this.context.api.get('/api/v1/admin/timeline', {
        params: {
          query: {
            limit: TENANTS,
            hours: hoursOf(hours),
            ...(job === undefined ? {} : { job: job as Job }),
            ...(tenant === undefined ? {} : { tenant }),
            ...(cursor === undefined ? {} : { cursor }),
          },
        },
        signal,
      });
      this.frame = page;
      return { data: page.data.toSorted(worstFirst), next_cursor: page.next_cursor };
    },
    idOf: ({ tenant, job }) => `${tenant.id} ${job}`,
    filters: ['job', 'tenant', 'hours'],
    defaults: { hours: '24' },
    onChange: () => this.requestUpdate(),
  });

  private get runWords(): OperatorRunWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  protected override refresh(): Promise<void> {
    return this.strips.refresh();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('query')) this.strips.read(this.query);
  }

  protected override render(): TemplateResult {
    const { context, strips, columns, words } = this;
    const own = this.runWords;
    const { jobs } = runWords(context.locale);
    return html`${this.head({ note: own.note })}
      ${
        this.frame?.enabled === false
          ? html`<p class="card problems">${badge('warning', words.problem.scheduler_off)}</p>`
          : nothing
      }
      ${filterBar({
        context,
        state: strips,
        filters: [
          {
            kind: 'choice',
            name: 'job',
            label: own.job,
            choices: [['', own.all_jobs], ...Object.entries<string>(jobs)],
          },
          { kind: 'choice', name: 'hours', label: own.hours, choices: Object.entries(own.periods) },
          { kind: 'search', name: 'tenant', label: own.tenant },
        ],
        csv: { name: 'timeline.csv', columns },
      })}
      <ul class="legend marks">
        ${MARKS.map((mark) => html`<li>${markShape(mark)} ${own.marks[mark]}</li>`)}
      </ul>
      ${listTable({
        context,
        state: strips,
        columns,
        idOf: ({ tenant, job }) => `${tenant.id} ${job}`,
        caption: own.caption,
        className: 'timeline',
        empty: own.none,
        emptyFiltered: own.none_filtered,
      })}`;
  }

  private get columns(): Column<Strip>[] {
    const { context } = this;
    const { format } = context;
    const own = this.runWords;
    const { jobs } = runWords(context.locale);
    const hours = hoursOf(this.strips.filters.hours);
    const counted = ({ tenant, job }: Strip, mark: Mark) =>
      `/operator/runs/${tenant.slug}/${job}?mark=${mark}${hours === 24 ? '' : `&hours=${hours}`}`;
    return [
      {
        label: own.office,
        kind: 'main',
        cell: ({ tenant: { slug, name, suspended } }) =>
          html`<a class="clamp" href="/operator/runs/${slug}" dir="auto" title=${name}>${name}</a>${
              suspended ? html` <small>(${own.suspended})</small>` : nothing
            }`,
        text: ({ tenant }) => tenant.name,
      },
      {
        label: own.job,
        className: 'job-name',
        cell: (one) =>
          html`<a href=${`/operator/runs/${one.tenant.slug}?job=${one.job}`}>${jobs[one.job]}</a>`,
        text: ({ job }) => jobs[job],
      },
      { label: own.timeline, cell: (one) => this.strip(one), text: ({ hours }) => hours },
      ...COUNTED.map((mark): Column<Strip> => ({
        label: own.marks[mark],
        kind: 'number',
        cell: (one) => {
          const count = one.counts[mark] ?? 0;
          if (count === 0) return html`<span class="zero">0</span>`;
          return html`<a href=${counted(one, mark)}>${format.number(count)}</a>`;
        },
        text: ({ counts }) => String(counts[mark] ?? 0),
      })),
      {
        label: own.next,
        cell: ({ next_at: next }) =>
          html`<span class="line">${next === null ? '–' : format.time(next)}</span>`,
        text: ({ next_at: next }) => next ?? '',
      },
    ];
  }

  private strip({ hours, counts }: Strip): unknown {
    const { frame, context } = this;
    if (frame === null) return nothing;
    const own = this.runWords;
    const parts = MARKS.flatMap((mark) => {
      const count = counts[mark] ?? 0;
      return count === 0 ? [] : [`${own.marks[mark]} ${context.format.number(count)}`];
    });
    return strip({
      hours,
      from: Date.parse(frame.from),
      now: Date.parse(frame.at),
      words: own,
      time: (ms) => context.format.full(new Date(ms).toISOString()),
      summary: parts.length === 0 ? own.nothing : parts.join(', '),
    });
  }
}
