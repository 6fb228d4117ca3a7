import { html, type TemplateResult } from 'lit';
import { badge } from '../../design/badge.js';
import type { OperatorWords } from '../../words/console/operator.js';
import { duration } from './durations.js';
import { OperatorPage } from './operator-page.js';
import { dueUrl, type JobsChoice, jobsUrl } from './jobs-url.js';
import { queueActs } from './queue-acts.js';
import { countsOf, type Queue } from './queue-counts.js';
import { Resource } from '../resource.js';

/** `/operator/queues`: what waits and runs, in PostgreSQL and in Bull. */
export default class QueuesPage extends OperatorPage {
  protected readonly tab = 'queues';
  private readonly queues = new Resource<readonly Queue[]>(
    async (signal) => (await this.context.api.get('/api/v1/admin/queues', { signal })).data,
    () => this.requestUpdate(),
  );

  override connectedCallback(): void {
    super.connectedCallback();
    void this.refresh();
  }

  protected override refresh(): Promise<void> {
    return this.queues.load();
  }

  protected override render(): TemplateResult {
    const { words } = this;
    return html`${this.head()}
      <p class="card board-note">
        <span>${words.board_why}</span>
        <a class="button outlined" href="/ops/queues" target="_blank" rel="noopener">${words.board_open}</a>
      </p>
      ${this.shown(this.queues, (queues) => this.table(queues), { lines: 7 })}`;
  }

  private table(queues: readonly Queue[]): TemplateResult {
    const { words } = this;
    const number = (label: string) => html`<th scope="col" class="number">${label}</th>`;
    return html`<div class="table-box" role="region" aria-label=${this.heading} tabindex="0">
        <table class="list queues">
          <caption class="sr-only">
            ${this.heading}
          </caption>
          <thead>
            <tr>
              <th scope="col">${words.queue}</th>
              <th scope="col">${words.state}</th>
              ${number(words.oldest_due)} ${number(words.waiting)} ${number(words.deferred)}
              ${number(words.in_work)} ${number(words.done_24h)} ${number(words.failed_24h)}
              ${number(words.in_bull)} ${number(words.workers)}
              <th scope="col"><span class="sr-only">${words.acts}</span></th>
            </tr>
          </thead>
          <tbody>
            ${queues.map((queue) => this.row(queue))}
          </tbody>
        </table>
      </div>
      <p class="list-foot"><span>${words.checked(this.checkedAt(this.queues))}</span></p>`;
  }

  private row(queue: Queue): TemplateResult {
    const { words, context, acting } = this;
    const { format, locale } = context;
    const { due, deferred, inWork, done, failed, oldest } = countsOf(queue);
    const { bull, workers } = queue;
    const link = (count: number, choice: JobsChoice) =>
      html`<a href=${jobsUrl(queue.queue, choice)}>${format.number(count)}</a>`;
    const cell = (label: string, content: unknown) =>
      html`<td class="number" data-label=${label}>${content}</td>`;
    const inBull = bull === null ? null : bull.active + bull.waiting + bull.delayed + bull.failed;
    return html`<tr>
      <th scope="row" class="main" data-label=${words.queue}>
        <a href=${dueUrl(queue.queue)}>${words.queues[queue.queue]}</a>
      </th>
      <td data-label=${words.state}>${stateOf(queue, words)}</td>
      ${cell(words.oldest_due, oldest === null ? '–' : duration(oldest, locale))}
      ${cell(words.waiting, html`<a href=${dueUrl(queue.queue)}>${format.number(due)}</a>`)}
      ${cell(words.deferred, deferred === null ? '–' : link(deferred, { state: 'delayed' }))}
      ${cell(words.in_work, link(inWork, { state: 'active' }))}
      ${cell(words.done_24h, link(done, { state: 'completed', within: '24h' }))}
      ${cell(words.failed_24h, link(failed, { state: 'failed', within: '24h' }))}
      ${cell(
        words.in_bull,
        inBull === null
          ? words.bull_none
          : html`<a href="/ops/queues" target="_blank" rel="noopener">${format.number(inBull)}</a>`,
      )}
      ${cell(
        words.workers,
        workers === null
          ? '–'
          : words.workers_of(format.number(workers.processes), format.number(workers.concurrency)),
      )}
      <td class="row-actions">
        ${queueActs({ context, words, acting, queue, refresh: () => this.refresh() })}
      </td>
    </tr>`;
  }
}

/** A queue's state in a shape and a word, the worst first. */
export function stateOf(
  { paused, channel }: Pick<Queue, 'paused' | 'channel'>,
  words: OperatorWords,
): TemplateResult {
  if (channel?.state === 'down') return badge('critical', words.down);
  return paused ? badge('warning', words.paused) : badge('good', words.running);
}
