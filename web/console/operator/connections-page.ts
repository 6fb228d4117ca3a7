import { html, nothing, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { badge } from '../../design/badge.js';
import { ago } from '../../design/time.js';
import * as mailWords from '../../words/console/operator-mails.js';
import { wordsIn } from '../context.js';
import { OperatorPage } from './operator-page.js';
import { Resource } from '../resource.js';

type Schemas = components['schemas'];
type Connections = Schemas['ConnectionList'];
type Connection = Schemas['ConnectionView'];
/** A mail server has its own time to greet, plus 25 s. */
const TIMEOUT_MS = 90_000;

/** `/operator/connections`: whether each service answers, tested when the page is opened and on request. */
export default class ConnectionsPage extends OperatorPage {
  protected readonly tab = 'connections';
  private readonly connections = new Resource<Connections>(
    (signal) => this.context.api.get('/api/v1/admin/connections', { signal }),
    () => this.requestUpdate(),
    TIMEOUT_MS,
  );

  override connectedCallback(): void {
    super.connectedCallback();
    void this.connections.load();
  }

  /** Each test logs in to every service: not every few seconds. */
  protected override refresh(): Promise<void> {
    return Promise.resolve();
  }

  protected override render(): TemplateResult {
    const { words, connections } = this;
    const test = html`<button
      type="button"
      class="outlined"
      aria-disabled=${connections.isLoading ? 'true' : 'false'}
      @click=${() => {
        if (!connections.isLoading) void connections.load();
      }}
    >
      ${connections.isLoading ? words.testing : words.test_again}
    </button>`;
    return html`${this.head({ note: words.connections_note, actions: test })}
    ${this.shown(connections, (all) => this.content(all), { lines: 8 })}`;
  }

  private content({ catches_mails: catches, data }: Connections): TemplateResult {
    const { title } = wordsIn(this.context.locale, mailWords);
    return html`${this.table(data)} ${catches ? html`<p><a href="/operator/mails">${title}</a></p>` : nothing}`;
  }

  private table(all: readonly Connection[]): TemplateResult {
    const { words } = this;
    return html`<div class="table-box" role="region" aria-label=${this.heading} tabindex="0">
        <table class="list">
          <caption class="sr-only">
            ${this.heading}
          </caption>
          <thead>
            <tr>
              <th scope="col">${words.service}</th>
              <th scope="col">${words.state}</th>
              <th scope="col" class="number">${words.latency}</th>
              <th scope="col">${words.channel_state}</th>
              <th scope="col" class="wide">${words.error}</th>
            </tr>
          </thead>
          <tbody>
            ${[...all].sort((one, other) => rank(one) - rank(other)).map((one) => this.row(one))}
          </tbody>
        </table>
      </div>
      <p class="list-foot"><span>${words.checked(this.checkedAt(this.connections))}</span></p>`;
  }

  private row({ service, configured, ok, latency_ms: latency, error, channel }: Connection): TemplateResult {
    const { words, context } = this;
    const { locale } = context;
    const ms = new Intl.NumberFormat(locale, {
      style: 'unit',
      unit: 'millisecond',
      maximumFractionDigits: 1,
    });
    const state = !configured
      ? badge('neutral', words.not_configured)
      : ok === true
        ? badge('good', words.works)
        : badge('critical', words.fails);
    return html`<tr>
      <th scope="row" class="main" data-label=${words.service}>${words.services[service] ?? service}</th>
      <td data-label=${words.state}>${state}</td>
      <td class="number" data-label=${words.latency}>${latency === null ? '–' : ms.format(latency)}</td>
      <td data-label=${words.channel_state}>${configured ? this.channel(channel) : '–'}</td>
      <td class="wide" data-label=${words.error} dir="auto">${error ?? '–'}</td>
    </tr>`;
  }

  private channel(channel: Connection['channel']): unknown {
    const { words, context } = this;
    if (channel === null) return '–';
    const { state, cause, detail, since, next_probe_at: next } = channel;
    if (state === 'up') return badge('good', words.channel_up);
    return html`<span class="stacked"
      >${badge('critical', words.channel_down(words.causes[cause ?? 'unreachable']))}${
        detail === null ? nothing : html`<small dir="auto">${detail}</small>`
      }<small
        >${since === null ? nothing : words.since(context.format.ago(since))}${
          next === null ? nothing : html` · ${words.next_probe('')}${ago(context.format, next)}`
        }</small
      ></span
    >`;
  }
}

function rank({ configured, ok, channel }: Connection): number {
  if (configured && (ok === false || channel?.state === 'down')) return 0;
  return configured ? 1 : 2;
}
