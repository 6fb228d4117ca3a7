import { html, nothing, type TemplateResult } from 'lit';
import { badge, shape } from '../../design/badge.js';
import { ago } from '../../design/time.js';
import { duration, percent } from './durations.js';
import { installationOf } from './installation.js';
import { dueUrl, jobsUrl, type Within } from './jobs-url.js';
import { OperatorPage } from './operator-page.js';
import { endedIn, outcomeChart } from './outcome-chart.js';
import { type Facts, problemsOf } from './problems.js';
import { countsOf } from './queue-counts.js';

/** The periods of the failure rates, with their names in the lists of jobs. */
const PERIODS: readonly (readonly ['last_hour' | 'last_day', Within])[] = [
  ['last_hour', '1h'],
  ['last_day', '24h'],
];

/** `/operator`: what is wrong, and how the work of all tenants goes. */
export default class OverviewPage extends OperatorPage {
  protected readonly tab = 'overview_tab';
  private stop: (() => void) | null = null;

  private get facts() {
    return installationOf(this.context.api).facts;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const installation = installationOf(this.context.api);
    this.stop = installation.subscribe(() => this.requestUpdate());
    installation.open();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop?.();
  }

  /** `Installation` already reloads the facts on every page. */
  protected override refresh(): Promise<void> {
    return Promise.resolve();
  }

  protected override render(): TemplateResult {
    return html`${this.head()}
    ${this.shown(this.facts, (facts) => html`${this.wrong(facts)} ${this.figures(facts)} ${this.chart(facts)}`)}`;
  }

  private wrong(facts: Facts): TemplateResult {
    const { words } = this;
    const problems = problemsOf(facts, this.context);
    return html`<section class="operator-wrong">
      <h2>${words.wrong}</h2>
      ${
        problems.length === 0
          ? html`<p class="card">${badge('good', words.nothing_wrong(this.checkedAt(this.facts)))}</p>`
          : html`<ul class="card problems">
              ${problems.map(
                ({ tone, text, href }) => html`<li>${shape(tone)}<a href=${href} dir="auto">${text}</a></li>`,
              )}
            </ul>`
      }
    </section>`;
  }

  private figures({ queues, activity, scheduler }: Facts): TemplateResult {
    const { words } = this;
    const { format, locale } = this.context;
    const waiting = queues
      .map((queue) => ({ queue, seconds: countsOf(queue).oldest }))
      .sort((one, other) => (other.seconds ?? -1) - (one.seconds ?? -1));
    const [oldest] = waiting;
    return html`<section>
      <h2 class="sr-only">${words.figures}</h2>
      <dl class="figures">
        ${
          oldest === undefined || oldest.seconds === null
            ? figure(words.oldest_due, words.oldest_none, '/operator/queues', '')
            : figure(
                words.oldest_due,
                duration(oldest.seconds, locale),
                dueUrl(oldest.queue.queue),
                words.queues[oldest.queue.queue],
              )
        }
        ${PERIODS.map(([period, within]) => {
          const { failure_rate: rate, sent, failed, unknown } = activity.deliveries[period];
          return figure(
            `${words.failures}, ${words[period]}`,
            rate === null ? words.none_ended : percent(rate, locale),
            '/operator/deliveries',
            rate === null
              ? ''
              : html`<a href=${jobsUrl('deliveries', { state: 'failed', within })}
                    >${words.failed_of(format.number(failed))}</a
                  >,
                  <a href=${jobsUrl('deliveries', { state: 'unknown', within })}
                    >${words.unknown_of(format.number(unknown))}</a
                  >, ${words.of_ended(format.number(sent + failed + unknown))}`,
          );
        })}
        ${PERIODS.map(([period, within]) => {
          const { failure_rate: rate, succeeded, failed } = activity.runs[period];
          return figure(
            `${words.failed_runs}, ${words[period]}`,
            rate === null ? words.none_ended : percent(rate, locale),
            '/operator/runs',
            rate === null
              ? ''
              : html`<a href=${jobsUrl('runs', { state: 'failed', within })}
                    >${words.failed_of(format.number(failed))}</a
                  >, ${words.of_ended(format.number(succeeded + failed))}`,
          );
        })}
        ${figure(
          words.scheduler,
          !scheduler.enabled
            ? words.scheduler_off
            : scheduler.last_poll_at === null
              ? words.scheduler_never
              : ago(format, scheduler.last_poll_at),
          '/operator/runs',
          '',
        )}
      </dl>
    </section>`;
  }

  private chart({ activity }: Facts): TemplateResult {
    const { words, context } = this;
    return html`<section>
      <h2 class="sr-only">${words.chart}</h2>
      <div class="card chart-card">
        ${
          endedIn(activity, '') === 0
            ? html`<p class="note">${words.no_deliveries(this.checkedAt(this.facts))}</p>`
            : outcomeChart(context, words, activity)
        }
      </div>
    </section>`;
  }
}

/** A figure whose link opens the page that explains it. @param detail its counts, linked to their lists */
function figure(name: string, value: unknown, href: string, detail: unknown): TemplateResult {
  return html`<div>
    <dt>${name}</dt>
    <dd><a href=${href}>${value}</a>${detail === '' ? nothing : html`<small>${detail}</small>`}</dd>
  </div>`;
}
