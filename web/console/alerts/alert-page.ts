import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { skeleton } from '../../design/skeleton.js';
import { ago } from '../../design/time.js';
import { type AlertWords, en, fr } from '../../words/console/alerts.js';
import { wordsIn } from '../context.js';
import { itemUrl } from '../item-links.js';
import { whyLink } from '../why/why-link.js';
import { ConsolePage, failure, pageHead } from '../page.js';
import { actButtons } from './act-buttons.js';
import { AlertActs } from './alert-acts.js';
import { type AlertDetail, AlertDetailState } from './alert-detail-state.js';
import { stateBadge, stateNote, whoText } from './alert-state.js';
import { notifiedList } from './notified.js';

const REFRESH_MS = 60_000;

/** `/alerts/:id`: the facts of an alert, who handles it, and who was notified. */
export default class AlertPage extends ConsolePage {
  private state: AlertDetailState | null = null;
  private knownActs: AlertActs | null = null;
  private stopLive: (() => void) | null = null;

  override get heading(): string {
    return this.detail.alert?.title ?? this.words.title;
  }

  private get words(): AlertWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  private get detail(): AlertDetailState {
    return (this.state ??= new AlertDetailState(this.context.api, () => this.requestUpdate()));
  }

  private get acts(): AlertActs {
    const { api, me } = this.context;
    return (this.knownActs ??= new AlertActs(api, me.name, (_id, changes) => this.detail.patch(changes)));
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.stopLive ??= this.context.live.subscribe(() => void this.detail.refresh(), { everyMs: REFRESH_MS });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stopLive?.();
    this.stopLive = null;
    this.state?.stop();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('params')) void this.detail.open(this.params.id ?? '');
  }

  protected override render(): TemplateResult {
    const { context, words } = this;
    const { alert } = this.detail;
    return html`<p class="back"><a href="/alerts">← ${words.back}</a></p>
      ${pageHead(alert?.title ?? words.title, {
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
    const { phase, alert, fault } = this.detail;
    if (phase === 'failed') return failure(context, fault, () => void this.detail.refresh());
    if (alert === null) return skeleton(context.words.loading);
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
