import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { skeleton } from '../../design/skeleton.js';
import { ago } from '../../design/time.js';
import { type AlertWords, en, fr } from '../../words/console/alerts.js';
import { wordsIn } from '../context.js';
import { itemUrl } from '../item-links.js';
import { ConsolePage, failure, pageHead } from '../page.js';
import { Resource } from '../resource.js';
import { whyLink } from '../why/why-link.js';
import { actButtons } from './act-buttons.js';
import { AlertActs, type AlertDetail } from './alert-acts.js';
import { stateBadge, stateNote, whoText } from './alert-state.js';
import { notifiedList } from './notified.js';

const REFRESH_MS = 60_000;

/** `/alerts/:id`: the facts of an alert, who handles it, and who was notified. */
export default class AlertPage extends ConsolePage {
  private readonly alert = new Resource<AlertDetail>(
    (signal) =>
      this.context.api.get('/api/v1/alerts/{id}', {
        params: { path: { id: this.params.id ?? '' } },
        signal,
      }),
    () => this.requestUpdate(),
  );
  private knownActs: AlertActs | null = null;
  private stopLive: (() => void) | null = null;

  override get heading(): string {
    return this.alert.value?.title ?? this.words.title;
  }

  private get words(): AlertWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  private get acts(): AlertActs {
    const { api, me } = this.context;
    return (this.knownActs ??= new AlertActs(api, me.name, (id, changes) => this.show(id, changes)));
  }

  /** The page may show another alert by the time an act is answered. */
  private show(id: string, changes: Partial<AlertDetail>): () => void {
    if (this.alert.value?.id !== id) return () => undefined;
    return this.alert.change((alert) => ({ ...alert, ...changes }));
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.stopLive ??= this.context.live.subscribe(() => void this.alert.load(), { everyMs: REFRESH_MS });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stopLive?.();
    this.stopLive = null;
  }

  protected override willUpdate(_changed: PropertyValues): void {
    this.alert.open(this.params.id ?? '');
  }

  protected override render(): TemplateResult {
    const { context, words } = this;
    const { value: alert } = this.alert;
    return html`${pageHead(alert?.title ?? words.title, {
      back: { href: '/alerts', text: words.back },
      note: alert === null ? nothing : this.note(alert),
      actions:
        alert === null
          ? nothing
          : html`${actButtons(context, this.acts, alert)} ${whyLink(context, { fact: alert.id })}`,
    })}
    ${this.content()}`;
  }

  /** Below the head, which stays the same element: it has the focus. */
  private content(): unknown {
    const { context, words } = this;
    const { value: alert, fault } = this.alert;
    // What is shown stays, if only the refresh failed.
    if (alert === null)
      return fault === null
        ? skeleton(context.words.loading)
        : failure(context, fault, () => void this.alert.load());
    return html`${alert.body.trim() === '' ? nothing : html`<p class="card prose">${alert.body.trim()}</p>`}
      ${this.facts(alert)}
      <section>
        <h2>${words.notified}</h2>
        <div class="card">${notifiedList(context, alert.notified)}</div>
      </section>`;
  }

  private note(alert: AlertDetail): TemplateResult {
    const { words } = this;
    return html`<span class="state-line"
      >${stateBadge(alert, words)} ${stateNote(alert, words, this.context)}
      <span>${words.severities[alert.severity]}</span></span
    >`;
  }

  private facts(alert: AlertDetail): TemplateResult {
    const { words, context } = this;
    const { facts } = words;
    const link = alert.source_id === null ? null : itemUrl(alert.source_type, alert.source_id);
    const sources: Readonly<Record<string, string>> = words.sources;
    return html`<dl class="facts">
      <dt>${facts.who}</dt>
      <dd>${whoText(alert, words)}</dd>
      <dt>${facts.since}</dt>
      <dd>${ago(context.format, alert.first_seen_at)}</dd>
      <dt>${facts.last_seen}</dt>
      <dd>${ago(context.format, alert.last_seen_at)}</dd>
      <dt>${facts.occurrences}</dt>
      <dd>${words.times(context.format.number(alert.occurrences))}</dd>
      ${
        alert.gone_at === null
          ? nothing
          : html`<dt>${facts.gone}</dt>
              <dd>${ago(context.format, alert.gone_at)}</dd>`
      }
      ${
        link === null
          ? nothing
          : html`<dt>${facts.source}</dt>
              <dd><a href=${link}>${sources[alert.source_type] ?? alert.title}</a></dd>`
      }
    </dl>`;
  }
}
