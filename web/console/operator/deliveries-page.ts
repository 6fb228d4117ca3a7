import { html, type PropertyValues, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { ago } from '../../design/time.js';
import { deadLetterActs, runningActs } from './dead-letter-acts.js';
import { jobsUrl } from './jobs-url.js';
import { OperatorPage } from './operator-page.js';
import { type Channel, endedIn, outcomeChart } from './outcome-chart.js';
import { Resource } from '../resource.js';

type Schemas = components['schemas'];

const CHANNELS: readonly Channel[] = ['email', 'sms', 'push', 'webhook'];
const QUEUES = { email: 'mail', sms: 'sms', push: 'push', webhook: 'webhook' } as const;
const DAYS = [1, 7, 30] as const;
const WITHIN_DAYS = { 1: '24h', 7: '7d', 30: '30d' } as const;

/** `/operator/deliveries`: how deliveries ended over time, and why they failed. */
export default class DeliveriesPage extends OperatorPage {
  protected readonly tab = 'deliveries';
  private readonly activity = new Resource<Schemas['Activity']>(
    (signal) =>
      this.context.api.get('/api/v1/admin/activity', { params: { query: { hours: this.hours } }, signal }),
    () => this.requestUpdate(),
  );
  private readonly dead = new Resource<Schemas['DeadLettersList']>(
    (signal) =>
      this.context.api.get('/api/v1/admin/dead-letters', { params: { query: { days: this.days } }, signal }),
    () => this.requestUpdate(),
  );
  private readonly acts = new Resource<Schemas['DeadLetterActList']>(
    (signal) => this.context.api.get('/api/v1/admin/dead-letters/acts', { signal }),
    () => this.requestUpdate(),
  );
  private asked = '';

  private get hours(): 24 | 168 {
    return this.query.get('hours') === '168' ? 168 : 24;
  }

  private get days(): (typeof DAYS)[number] {
    return DAYS.find((days) => String(days) === this.query.get('days')) ?? 7;
  }

  private get channel(): Channel | '' {
    return CHANNELS.find((channel) => channel === this.query.get('channel')) ?? '';
  }

  protected override refresh(): Promise<unknown> {
    return Promise.all([this.activity.load(), this.dead.load(), this.acts.load()]);
  }

  protected override willUpdate(changed: PropertyValues): void {
    const asked = `${this.hours} ${this.days}`;
    if (!changed.has('query') || asked === this.asked) return;
    this.asked = asked;
    void this.refresh();
  }

  private set(name: string, value: string): void {
    const query = new URLSearchParams(this.query);
    if (value === '') query.delete(name);
    else query.set(name, value);
    this.context.navigate(`?${query.toString()}`);
  }

  private choice(
    name: string,
    label: string,
    value: string,
    choices: readonly (readonly [string, string])[],
  ): TemplateResult {
    const change = (event: Event) => this.set(name, (event.target as HTMLSelectElement).value);
    return html`<label
      ><span>${label}</span
      ><select name=${name} .value=${value} @change=${change}>
        ${choices.map(([one, text]) => html`<option value=${one} ?selected=${one === value}>${text}</option>`)}
      </select></label
    >`;
  }

  protected override render(): TemplateResult {
    const { words, context, channel } = this;
    return html`${this.head()}
      <section>
        <h2 class="sr-only">${words.chart}</h2>
        <div class="filters">
          ${this.choice('channel', words.channel, channel, [
            ['', words.all_channels],
            ...CHANNELS.map((one) => [one, words.channels[one]] as const),
          ])}
          ${this.choice('hours', words.period, String(this.hours), Object.entries(words.periods))}
        </div>
        <div class="card chart-card">
          ${this.shown(this.activity, (activity) =>
            endedIn(activity, channel) === 0
              ? html`<p class="note">${words.no_deliveries(this.checkedAt(this.activity))}</p>`
              : outcomeChart(context, words, activity, channel),
          )}
        </div>
      </section>
      <section>
        <h2>${words.dead}</h2>
        <p class="note">${words.dead_note}</p>
        <div class="filters">
          ${this.choice(
            'days',
            words.days,
            String(this.days),
            DAYS.map((days) => [String(days), context.format.number(days)] as const),
          )}
        </div>
        ${runningActs({ context, words }, this.acts.value?.data ?? [])}
        ${this.shown(this.dead, ({ data }) => this.causes(data))}
      </section>`;
  }

  private causes(all: readonly Schemas['DeadLettersView'][]): TemplateResult {
    const { words, context, channel } = this;
    const { format } = context;
    const shown = all.filter((one) => channel === '' || one.channel === channel);
    if (shown.length === 0)
      return html`<p class="empty">
        ${words.dead_none(format.number(this.days), this.checkedAt(this.dead))}
      </p>`;
    return html`<div class="table-box" role="region" aria-label=${words.dead} tabindex="0">
      <table class="list">
        <caption class="sr-only">
          ${words.dead}
        </caption>
        <thead>
          <tr>
            <th scope="col" class="number">${words.count}</th>
            <th scope="col">${words.cause}</th>
            <th scope="col">${words.channel}</th>
            <th scope="col" class="number">${words.of_tenants}</th>
            <th scope="col">${words.last}</th>
            <th scope="col"><span class="sr-only">${words.dead_acts}</span></th>
          </tr>
        </thead>
        <tbody>
          ${shown.map((letters) => {
            const { channel: of, reason, cause, count, tenants, last_at: last } = letters;
            return html`<tr>
              <td class="number" data-label=${words.count}>
                <a
                  href=${jobsUrl(QUEUES[of], { state: 'failed', within: WITHIN_DAYS[this.days], cause, reason })}
                  >${format.number(count)}</a
                >
              </td>
              <th scope="row" class="main" data-label=${words.cause} dir="auto">
                ${reason === 'expired' ? html`<strong>${words.expired}</strong> ` : ''}${
                  cause === '' ? words.no_cause : cause
                }
              </th>
              <td data-label=${words.channel}>${words.channels[of]}</td>
              <td class="number" data-label=${words.of_tenants}>${format.number(tenants)}</td>
              <td data-label=${words.last}>${ago(format, last)}</td>
              <td>
                ${deadLetterActs({
                  context,
                  words,
                  acting: this.acting,
                  days: this.days,
                  letters,
                  refresh: () => this.refresh(),
                })}
              </td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>`;
  }
}
