import { html, type PropertyValues, type TemplateResult } from 'lit';
import type { components, operations } from '../../client/api.js';
import { ago } from '../../design/time.js';
import { en, fr, type OperatorRunWords } from '../../words/console/operator-runs.js';
import { wordsIn } from '../context.js';
import { filterBar } from '../list/filter-bar.js';
import { ListState } from '../list/list-state.js';
import { type Column, listTable } from '../list/table.js';
import { duration } from './durations.js';
import { runWords } from './foreign-words.js';
import { OperatorPage } from './operator-page.js';
import { HOURS, hoursOf, MARKS, markShape } from './strip.js';

type Slot = components['schemas']['TimelineSlot'];
type Job = operations['Activity_slots']['parameters']['query']['job'];

/** `/operator/runs/:tenant/:job`: the runs and slots that one line of the timeline counts. */
export default class SlotsPage extends OperatorPage {
  protected readonly tab = 'runs';
  private readonly slots = new ListState<Slot>({
    load: async ({ mark, hours }, _part, signal) => {
      const known = MARKS.find((one) => one === mark);
      const { data } = await this.context.api.get('/api/v1/admin/timeline/slots', {
        params: {
          query: {
            tenant: this.params.tenant ?? '',
            job: this.params.job as Job,
            hours: hoursOf(hours),
            ...(known === undefined ? {} : { mark: known }),
          },
        },
        signal,
      });
      return { data, next_cursor: null, count: data.length };
    },
    idOf: ({ at, run_id }) => run_id ?? at,
    filters: ['mark', 'hours'],
    defaults: { hours: '24' },
    onChange: () => this.requestUpdate(),
  });

  private get runWords(): OperatorRunWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  override get heading(): string {
    const { tenant = '', job = '' } = this.params;
    const names: Readonly<Record<string, string>> = runWords(this.context.locale).jobs;
    return this.runWords.slots_of(names[job] ?? job, tenant);
  }

  protected override refresh(): Promise<void> {
    return this.slots.refresh();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('params') && changed.get('params') !== undefined) void this.slots.refresh();
    if (changed.has('query')) this.slots.read(this.query);
  }

  protected override render(): TemplateResult {
    const { context, slots, columns } = this;
    const own = this.runWords;
    const { tenant = '', job = '' } = this.params;
    return html`${this.head({
      back: { href: '/operator/runs', text: own.back },
      note: html`<a href=${`/operator/runs/${tenant}?job=${job}`}>${own.all_runs}</a>`,
    })}
    ${filterBar({
      context,
      state: slots,
      filters: [
        {
          kind: 'choice',
          name: 'mark',
          label: own.mark,
          choices: [['', own.all_states], ...MARKS.map((mark) => [mark, own.marks[mark]] as const)],
        },
        {
          kind: 'choice',
          name: 'hours',
          label: own.hours,
          choices: HOURS.map((hours) => [hours, own.periods[hours]]),
        },
      ],
      csv: { name: `timeline-${tenant}-${job}.csv`, columns },
    })}
    ${listTable({
      context,
      state: slots,
      columns,
      idOf: ({ at, run_id }) => run_id ?? at,
      caption: own.slots_caption,
      empty: own.no_slots,
      emptyFiltered: own.no_slots_filtered,
    })}`;
  }

  private get columns(): Column<Slot>[] {
    const { format, locale } = this.context;
    const own = this.runWords;
    const late = ({ mark, at, created_at: written }: Slot) =>
      mark !== 'caught_up' || written === null
        ? ''
        : own.late(duration(Math.round((Date.parse(written) - Date.parse(at)) / 1_000), locale));
    const markOf = ({ mark, is_manual: isManual }: Slot) =>
      own.marks[mark] + (isManual ? ` (${own.manual})` : '');
    return [
      {
        label: own.slot,
        kind: 'main',
        cell: ({ at }) => html`<span class="line">${format.full(at)}</span>`,
        text: ({ at }) => at,
      },
      {
        label: own.mark,
        cell: (slot) => html`<span class="badge">${markShape(slot.mark)} ${markOf(slot)}</span>`,
        text: markOf,
      },
      {
        label: own.started,
        cell: ({ started_at: start }) => (start === null ? '–' : ago(format, start)),
        text: ({ started_at: start }) => start ?? '',
      },
      {
        label: own.details,
        kind: 'wide',
        cell: (slot) =>
          html`<small>${late(slot)}</small>
            ${slot.error === null ? '' : html`<small class="critical" dir="auto">${slot.error}</small>`}`,
        text: (slot) => `${late(slot)} ${slot.error ?? ''}`.trim(),
      },
    ];
  }
}
