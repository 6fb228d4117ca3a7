import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { skeleton } from '../../design/skeleton.js';
import { type DueItemWords, en, fr } from '../../words/console/due-items.js';
import { wordsIn } from '../context.js';
import { whyLink } from '../why/why-link.js';
import { ConsolePage, failure, pageHead } from '../page.js';
import '../reminders/reminders-section.js';
import { Resource } from '../resource.js';
import { DueItemActs } from './due-item-acts.js';
import { type DueItem, endedAt, type Kind, kindApi, kindOf, SOURCE_TYPES } from './due-item-api.js';
import { type Alert, itemAlerts } from './item-alerts.js';
import { itemFacts } from './item-facts.js';
import './item-form.js';
import { loadPeople, type Person } from './people.js';

const MAX_ALERTS = 20;

/** `/due-items/:kind/:id`: an item, and its alerts. */
export default class DueItemPage extends ConsolePage {
  private readonly item = new Resource<DueItem>(
    () => kindApi(this.context.api, this.kind).get(this.params.id ?? ''),
    () => this.requestUpdate(),
  );
  private readonly alerts = new Resource<readonly Alert[]>(
    (signal) => this.readAlerts(signal),
    () => this.requestUpdate(),
  );
  private people: readonly Person[] = [];
  private shown = '';
  private stopLive: (() => void) | null = null;
  private acts: DueItemActs | null = null;
  private isRemoving = false;

  override get heading(): string {
    return this.item.value?.title ?? this.words.kinds[this.kind];
  }

  private get words(): DueItemWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  private get kind(): Kind {
    return kindOf(this.params.kind);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.stopLive ??= this.context.live.subscribe(() => {
      if (this.querySelector('item-form')?.isOpen !== true) this.load();
    });
    void loadPeople(this.context.api)
      .then((people) => (this.people = people))
      .catch(() => undefined)
      .finally(() => this.requestUpdate());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stopLive?.();
    this.stopLive = null;
  }

  protected override willUpdate(_changed: PropertyValues): void {
    const key = `${this.kind}/${this.params.id ?? ''}`;
    if (key === this.shown) return;
    this.shown = key;
    this.item.open(key);
    this.alerts.open(key);
    this.acts = new DueItemActs(
      this.kind,
      kindApi(this.context.api, this.kind),
      (id, changes) => this.patch(id, changes),
      () => this.context.api.now(),
    );
  }

  private load(): void {
    void this.item.load();
    void this.alerts.load();
  }

  private async readAlerts(signal: AbortSignal): Promise<readonly Alert[]> {
    const query = {
      source_type: SOURCE_TYPES[this.kind],
      source_id: this.params.id ?? '',
      limit: MAX_ALERTS,
    };
    return (await this.context.api.get('/api/v1/alerts', { params: { query }, signal })).data;
  }

  /** The page may show another item by the time an act is answered. */
  private patch(id: string, changes: Partial<DueItem>): () => void {
    if (this.item.value?.id !== id) return () => undefined;
    return this.item.change((item) => ({ ...item, ...changes }));
  }

  protected override render(): TemplateResult {
    const { context, words, kind, alerts } = this;
    const { value: item, fault } = this.item;
    const back = {
      href: kind === 'deadlines' ? '/due-items' : `/due-items?kind=${kind}`,
      text: words.detail.back[kind],
    };
    if (item === null) {
      return html`${pageHead(words.kinds[kind], { back })}
      ${fault === null ? skeleton(context.words.loading, 5) : failure(context, fault, () => this.load())}`;
    }
    const isOpen = endedAt(item) === null;
    return html`${pageHead(item.title, {
        back,
        actions: html`<button
            type="button"
            class=${isOpen ? 'filled' : 'outlined'}
            @click=${(event: MouseEvent) => {
              if (event.detail < 2) void this.toggle(item);
            }}
          >
            ${isOpen ? words.end[kind] : words.reopen}
          </button>
          <button type="button" class="outlined" @click=${() => void this.edit(item)}>${words.edit}</button>
          <button type="button" class="outlined danger" @click=${() => void this.delete(item)}>
            ${words.detail.remove}
          </button>
          ${whyLink(context, { fact: item.id, user: item.responsible_id ?? '' })}`,
      })}
      ${fault === null ? nothing : failure(context, fault, () => this.load())}
      <div class="card item-detail">${itemFacts({ context, words, kind, item, people: this.people })}</div>
      <h2>${words.detail.alerts}</h2>
      ${itemAlerts({ context, words, alerts: alerts.value, fault: alerts.fault, retry: () => void alerts.load() })}
      ${kind === 'tickets' ? this.reminders(item) : nothing}
      <item-form
        .context=${context}
        .people=${this.people}
        @saved=${({ detail }: CustomEvent<DueItem>) => this.patch(detail.id, detail)}
      ></item-form>`;
  }

  /** Of the ticket's owner, who alone is reminded of it; members see their own. */
  private reminders({ id, responsible_id: owner }: DueItem): TemplateResult | typeof nothing {
    const { context } = this;
    const isSeen = owner !== null && (context.me.role === 'admin' || owner === context.me.id);
    if (!isSeen) return nothing;
    return html`<reminders-section .context=${context} .userId=${owner} .ticketId=${id}></reminders-section>`;
  }

  private async toggle(item: DueItem): Promise<void> {
    const { context, words } = this;
    try {
      const done = await this.acts?.toggle(item);
      if (done == null) return;
      context.toast({
        text: done === 'ended' ? words.ended_toast(item.title) : words.reopened_toast(item.title),
        tone: 'good',
      });
    } catch (error) {
      context.toast({ text: context.words.faultOf(error), tone: 'critical' });
    }
  }

  private async edit(item: DueItem): Promise<void> {
    await this.querySelector('item-form')?.open(this.kind, item);
  }

  private async delete(item: DueItem): Promise<void> {
    const { context, words, kind } = this;
    if (this.isRemoving) return;
    this.isRemoving = true;
    try {
      const isConfirmed = await context.confirm({
        title: words.detail.remove_title,
        text: words.detail.remove_text(item.title),
        confirm: words.detail.remove,
        isDangerous: true,
      });
      if (!isConfirmed) return;
      await kindApi(context.api, kind).remove(item.id);
      context.toast({ text: words.detail.removed, tone: 'good' });
      context.navigate(kind === 'deadlines' ? '/due-items' : `/due-items?kind=${kind}`, { replace: true });
    } catch (error) {
      context.toast({ text: context.words.faultOf(error), tone: 'critical' });
    } finally {
      this.isRemoving = false;
    }
  }
}
