import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { skeleton } from '../../design/skeleton.js';
import { en, fr } from '../../words/console/why.js';
import { kindName } from '../../words/console/kinds.js';
import * as todayWords from '../../words/console/today.js';
import { wordsIn } from '../context.js';
import { loadPeople, type Person } from '../due-items/people.js';
import { textIn } from '../forms.js';
import { ConsolePage, failure, pageHead } from '../page.js';
import { loadTenantChoices, type TenantChoice, withNamed } from '../tenant-choices.js';
import { channelChain, isOpen, outcomeBadge, runCounts, sentence, stepList } from './step-list.js';
import { queryOf, questionOf, type Why, type WhyFact, WhyState } from './why-state.js';

/** `/why?user=&fact=`: why somebody got a message, or did not. Operators name a tenant. */
export default class WhyPage extends ConsolePage {
  private readonly state = new WhyState(() => this.requestUpdate());
  private people: readonly Person[] = [];
  private tenants: readonly TenantChoice[] = [];

  override get heading(): string {
    return this.words.title;
  }

  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.loadChoices();
  }

  private get isOperator(): boolean {
    return this.context.me.role === 'operator';
  }

  private async loadChoices(): Promise<void> {
    const { api } = this.context;
    if (this.isOperator) this.tenants = await loadTenantChoices(api);
    // Without a choice of people the address can still be typed.
    else this.people = await loadPeople(api).catch(() => []);
    this.requestUpdate();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('query')) this.load();
  }

  private load(): void {
    void this.state.ask(this.context.api, questionOf(this.query));
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const user = this.isOperator ? '' : textIn(form, 'user');
    const address = user === '' ? textIn(form, 'address').trim() : '';
    const tenant = this.isOperator ? textIn(form, 'tenant') : '';
    const query = queryOf({ tenant, user, address, fact: textIn(form, 'fact').trim() });
    this.context.navigate(query === '' ? '?' : `?${query}`);
  }

  protected override render(): TemplateResult {
    const { context, words, state } = this;
    return html`${pageHead(words.title, { note: words.note })} ${this.form()}
      <div class="why-answer" aria-live="polite">
        ${state.isLoading ? skeleton(context.words.loading) : nothing}
        ${state.isUnknown ? html`<div class="empty"><p>${words.unknown}</p></div>` : nothing}
        ${state.fault === null ? nothing : failure(context, state.fault, () => this.load())}
        ${state.why === null ? nothing : this.answer(state.why)}
      </div>`;
  }

  private form(): TemplateResult {
    const { words } = this;
    const { address, fact } = questionOf(this.query);
    return html`<form class="card why-form" @submit=${(event: SubmitEvent) => this.submit(event)}>
      ${this.isOperator ? this.tenantField() : this.personField()}
      <label
        >${this.isOperator ? words.recipient : words.address}<input
          name="address"
          maxlength="2000"
          dir="auto"
          aria-describedby="address-hint"
          ?required=${this.isOperator}
          .value=${address}
        /><small id="address-hint">${words.address_hint}</small></label
      >
      <label
        >${words.fact}<input
          name="fact"
          maxlength="300"
          dir="auto"
          aria-describedby="fact-hint"
          .value=${fact}
        /><small id="fact-hint">${words.fact_hint}</small></label
      >
      <p><button class="filled">${words.ask}</button></p>
    </form>`;
  }

  private personField(): TemplateResult {
    const { words, people } = this;
    const { user } = questionOf(this.query);
    const isKnown = people.some(({ id }) => id === user);
    return html`<label
      >${words.person}<select name="user">
        <option value="" ?selected=${user === ''}>${words.no_person}</option>
        ${user === '' || isKnown ? nothing : html`<option value=${user} selected>${user}</option>`}
        ${people.map(({ id, name }) => html`<option value=${id} ?selected=${id === user}>${name}</option>`)}
      </select></label
    >`;
  }

  private tenantField(): TemplateResult {
    const { tenant } = questionOf(this.query);
    return html`<label
      >${this.words.tenant}<select name="tenant" required>
        <option value="" ?selected=${tenant === ''}>–</option>
        ${withNamed(this.tenants, tenant).map(
          ([slug, name]) => html`<option value=${slug} ?selected=${slug === tenant}>${name}</option>`,
        )}
      </select></label
    >`;
  }

  private answer(why: Why): TemplateResult {
    const { words } = this;
    if (why.facts.length === 0) return this.nothing(why);
    return html`${why.facts.map((fact, at) => this.fact(fact, at))}
    ${why.more ? html`<p class="note">${words.more}</p>` : nothing}`;
  }

  private fact(fact: WhyFact, at: number): TemplateResult {
    const { context, words } = this;
    const { title, kind, text, until, path, steps, channels, again } = fact;
    return html`<section class="card" aria-labelledby=${`fact-${at}`}>
      <h2 id=${`fact-${at}`} dir="auto">${title}</h2>
      ${kind === null ? nothing : html`<p class="note">${kindName(context.locale, kind)}</p>`}
      <p class="verdict">
        ${outcomeBadge(words, fact, [...steps, ...channels.flatMap((one) => one.steps)])}
        <strong>${sentence(text)}</strong>${
          until === null ? nothing : html`, ${words.until(context.format.full(until))}`
        }
        ${path === null || !isOpen(context, path) ? nothing : html`<a href=${path}>${words.setting}</a>`}
      </p>
      <h3>${words.chain}</h3>
      ${stepList(context, steps, words.chain)}
      ${channels.map((chain, place) => channelChain(context, chain, `fact-${at}-channel-${place}`))}
      ${
        again === null
          ? nothing
          : html`<h3>${words.again}</h3>
              ${stepList(context, [again], words.again)}`
      }
    </section>`;
  }

  /** No answer: lists what was checked. */
  private nothing({ checks, needs }: Why): TemplateResult {
    const { context, words } = this;
    const { format } = context;
    return html`<section class="card">
      <h2>${words.nothing}</h2>
      <p>${words.nothing_hint}</p>
      <ul class="checks">
        ${checks.map(
          ({ job, runs, next }) =>
            html`<li>
              <strong>${wordsIn(context.locale, todayWords).jobs[job]}</strong>
              ${runs.length === 0 ? html`<span class="note">${words.never}</span>` : nothing}
              ${runs.map((run) => html`<span>${context.words.labelled(format.full(run.started_at ?? run.due_at), runCounts(context, run))}</span>`)}
              ${next === null ? nothing : html`<span class="note">${words.next(format.full(next.instant))}</span>`}
            </li>`,
        )}
      </ul>
      <p>${words.needs}</p>
      <ul class="checks">
        ${needs.map(({ kind, stages }) => html`<li>${kindName(context.locale, kind)} : ${stages.join(', ')}</li>`)}
      </ul>
    </section>`;
  }
}
