import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { badge, type Tone } from '../../design/badge.js';
import { skeleton } from '../../design/skeleton.js';
import * as deliveryWords from '../../words/console/deliveries.js';
import { kindName } from '../../words/console/kinds.js';
import { en, fr } from '../../words/console/notifications.js';
import * as whyWords from '../../words/console/why.js';
import { wordsIn } from '../context.js';
import { itemUrl } from '../item-links.js';
import { channelChain, stepList } from '../why/step-list.js';
import { whyLink } from '../why/why-link.js';
import { ConsolePage, failure, pageHead } from '../page.js';
import { deliverySection } from './delivery-section.js';
import { recipientLink, recipientText, wordOf } from './delivery-view.js';
import { type Trace, TraceState } from './trace-state.js';

const REFRESH_MS = 30_000;
const SEVERITY_TONES: Readonly<Record<string, Tone>> = {
  info: 'info',
  warning: 'warning',
  critical: 'critical',
};

/** `/notifications/:id`: the trace of a notification: why, to whom, and what happened on each channel. */
export default class NotificationPage extends ConsolePage {
  private readonly state = new TraceState(() => this.requestUpdate());
  private end: (() => void) | null = null;

  override get heading(): string {
    return this.state.trace?.title ?? (this.state.isGone ? this.words.gone : this.words.title);
  }

  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  private get codes() {
    return wordsIn(this.context.locale, deliveryWords);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.end = this.context.live.subscribe(() => this.load(), { everyMs: REFRESH_MS });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.end?.();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('params')) this.load();
  }

  private load(): void {
    void this.state.load(this.context.api, this.params.id ?? '');
  }

  protected override render(): TemplateResult {
    const { context, words, state } = this;
    const { trace } = state;
    const back = { href: '/notifications', text: words.back };
    if (state.isGone) return pageHead(words.gone, { back, note: words.gone_hint });
    if (trace === null)
      return html`${pageHead(words.title, { back })}
      ${state.fault === null ? skeleton(context.words.loading) : failure(context, state.fault, () => this.load())}`;
    return html`${pageHead(trace.title, { back, note: this.note(trace), actions: this.links(trace) })}
      ${state.fault === null ? nothing : failure(context, state.fault, () => this.load())}
      <div class="trace-page">
        <div class="column">
          <h2>${words.deliveries}</h2>
          ${
            trace.deliveries.length === 0
              ? html`<div class="empty"><p>${words.no_deliveries}</p></div>`
              : trace.deliveries.map((one) => deliverySection({ context, words, codes: this.codes }, one))
          }
        </div>
        <div class="column">${this.why(trace)} ${this.chain(trace)} ${this.body(trace)}</div>
      </div>`;
  }

  private note({ kind, severity, created_at }: Trace): TemplateResult {
    const { words, context } = this;
    const word = wordOf(words.severities, severity);
    return html`${kindName(context.locale, kind)} · ${context.format.full(created_at)}
    ${severity === 'info' ? nothing : html` · ${badge(SEVERITY_TONES[severity] ?? 'neutral', word)}`}`;
  }

  private links({ id, item, alert_id, user_id, recipient }: Trace): TemplateResult {
    const { words, context } = this;
    const address = user_id === null ? recipient.replace(/^(mailto|tel|webhook):/, '') : '';
    const link = (url: string | null, text: string) =>
      url === null ? nothing : html`<a class="button outlined" href=${url}>${text}</a>`;
    return html`${link(item === null ? null : itemUrl(item.type, item.id), words.open_item)}
    ${link(alert_id === null ? null : itemUrl('alert', alert_id), words.open_alert)}
    ${recipient.startsWith('user:') && user_id === null ? nothing : whyLink(context, { user: user_id ?? '', address, fact: id })}`;
  }

  private why(trace: Trace): TemplateResult {
    const { words, context } = this;
    const { others, alert_id, author } = trace;
    const isAdmin = context.me.role === 'admin';
    return html`<section class="card" aria-labelledby="why">
      <h2 id="why">${words.why}</h2>
      <dl class="facts">
        <dt>${words.columns.recipient}</dt>
        <dd>${recipientLink(trace, isAdmin)}</dd>
        <dt>${words.reason}</dt>
        <dd>${wordOf(words.audiences, trace.audience)}</dd>
        ${
          author === null
            ? nothing
            : html`<dt>${words.author}</dt>
                <dd dir="auto">${author.name}</dd>`
        }
        ${
          others.length === 0
            ? nothing
            : html`<dt>${words.others}</dt>
                <dd>
                  <ul class="others">
                    ${others.map(
                      (one) =>
                        html`<li>
                          <a href=${`/notifications/${one.notification_id}`} dir="auto"
                            >${recipientText(one)}</a
                          >
                          <small>${wordOf(words.audiences, one.audience)}</small>
                        </li>`,
                    )}
                  </ul>
                </dd>`
        }
      </dl>
      ${
        alert_id === null
          ? nothing
          : html`<p>
              <a href=${`/notifications?${new URLSearchParams({ alert_id }).toString()}`}
                >${words.all_of_alert}</a
              >
            </p>`
      }
    </section>`;
  }

  /** The steps before its channels, the channels that were not used, and why nothing follows. */
  private chain({ steps, not_used, again }: Trace): TemplateResult {
    const { context } = this;
    const words = wordsIn(context.locale, whyWords);
    return html`<section class="card" aria-labelledby="chain">
      <h2 id="chain">${words.chain}</h2>
      ${stepList(context, steps, words.chain)}
      ${
        not_used.length === 0
          ? nothing
          : html`<h2>${words.not_used}</h2>
              ${not_used.map((one) => channelChain(context, one, `not-used-${one.channel}`))}`
      }
      ${
        again === null
          ? nothing
          : html`<h2>${words.again}</h2>
              ${stepList(context, [again], words.again)}`
      }
    </section>`;
  }

  /** What the inbox shows of it, in the reader's language. */
  private body({ body }: Trace): TemplateResult | typeof nothing {
    if (body === '') return nothing;
    return html`<section class="card" aria-labelledby="body">
      <h2 id="body">${this.words.body}</h2>
      <p class="pre" dir="auto">${body}</p>
    </section>`;
  }
}
