import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { badge } from '../../design/badge.js';
import { skeleton } from '../../design/skeleton.js';
import { ago } from '../../design/time.js';
import { kindName } from '../../words/console/kinds.js';
import { en, fr } from '../../words/console/settings-programs.js';
import { wordsIn } from '../context.js';
import { textIn } from '../forms.js';
import { ListState } from '../list/list-state.js';
import { listTable } from '../list/table.js';
import { ConsolePage, failure } from '../page.js';
import { Resource } from '../resource.js';
import { Acting } from './acting.js';
import { type Secret, secretDialog } from './secret-dialog.js';
import { settingsHead, settingsWords } from './settings-head.js';
import { attemptColumns, testResult } from './webhook-attempts.js';
import './webhook-dialog.js';
import type { WebhookSaved } from './webhook-dialog.js';
import { type Attempt, type Endpoint, type TestAnswer, verdictOf } from './webhook-state.js';

/** `/settings/webhooks/:id`: an endpoint's state, its answers and its acts. */
export default class WebhookPage extends ConsolePage {
  private readonly endpoint = new Resource<Endpoint>(
    (signal) => this.context.api.get('/api/v1/tenant/webhooks/{id}', { params: this.path, signal }),
    () => this.requestUpdate(),
  );
  private isEditing = false;
  private secret: Secret | null = null;
  private answer: TestAnswer | null = null;
  private readonly acting = new Acting(() => this.requestUpdate());
  private shown = '';
  private attempts = this.attemptsOf('');

  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  private get path() {
    return { path: { id: this.params.id ?? '' } };
  }

  override get heading(): string {
    return this.endpoint.value?.url ?? settingsWords(this.context).tabs.webhooks;
  }

  protected override willUpdate(changed: PropertyValues): void {
    const { id = '' } = this.params;
    if (id !== this.shown) {
      Object.assign(this, { shown: id, answer: null, secret: null, isEditing: false });
      this.attempts.stop();
      this.attempts = this.attemptsOf(id);
      this.attempts.read(this.query);
    } else if (changed.has('query')) this.attempts.read(this.query);
    this.endpoint.open(id);
  }

  private attemptsOf(endpoint: string): ListState<Attempt> {
    return new ListState({
      load: (_filters, { limit, cursor }, signal) =>
        this.context.api.get('/api/v1/tenant/webhooks/{id}/attempts', {
          params: { path: { id: endpoint }, query: { limit, ...(cursor === undefined ? {} : { cursor }) } },
          signal,
        }),
      idOf: ({ id }) => id,
      filters: [],
      onChange: () => this.requestUpdate(),
    });
  }

  /** An act that is answered once another endpoint is shown changes nothing here. */
  private show(endpoint: Endpoint): void {
    if (this.endpoint.value?.id === endpoint.id) this.endpoint.change(() => endpoint);
  }

  private async test(): Promise<void> {
    const { shown } = this;
    await this.acting.run(this.context, async () => {
      const answer = await this.context.api.post('/api/v1/tenant/webhooks/{id}/test', { params: this.path });
      if (shown !== this.shown) return;
      this.answer = answer;
      await this.attempts.refresh();
    });
  }

  private async setEnabled(enabled: boolean): Promise<void> {
    const { context, words } = this;
    await this.acting.run(context, async () => {
      const endpoint = await context.api.patch('/api/v1/tenant/webhooks/{id}', {
        params: this.path,
        body: { enabled },
      });
      this.show(endpoint);
      context.toast({ text: enabled ? words.enabled_done : words.disabled_done, tone: 'good' });
    });
  }

  private async rotate(): Promise<void> {
    const { context, words } = this;
    await this.acting.run(context, async () => {
      const question = { title: words.rotate_title, text: words.rotate_text, confirm: words.rotate };
      if (!(await context.confirm(question))) return;
      const { secret, ...endpoint } = await context.api.post('/api/v1/tenant/webhooks/{id}/rotate', {
        params: this.path,
      });
      this.show(endpoint);
      if (secret !== null)
        this.secret = { title: words.secret_title, value: secret, note: words.secret_old('24') };
    });
  }

  private async deleteEndpoint(): Promise<void> {
    const { context, words } = this;
    await this.acting.run(context, async () => {
      const isConfirmed = await context.confirm({
        title: words.remove_title,
        text: words.remove_text(this.heading),
        confirm: words.remove,
        isDangerous: true,
      });
      if (!isConfirmed) return;
      await context.api.delete('/api/v1/tenant/webhooks/{id}', { params: this.path });
      context.toast({ text: words.removed, tone: 'good' });
      context.navigate('/settings/webhooks', { replace: true });
    });
  }

  private async replay(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const since = textIn(event.target as HTMLFormElement, 'since');
    const { context, words } = this;
    await this.acting.run(context, async () => {
      const body = { since: since === '' ? null : new Date(since).toISOString() };
      const { replayed, more } = await context.api.post('/api/v1/tenant/webhooks/{id}/replay', {
        params: this.path,
        body,
      });
      const n = context.format.number(replayed);
      const text = replayed === 0 ? words.replayed_none : more ? words.replayed_more(n) : words.replayed(n);
      context.toast({ text, tone: 'good' });
      await this.attempts.refresh();
    });
  }

  protected override render(): TemplateResult {
    const { context, words } = this;
    const { value: endpoint, fault } = this.endpoint;
    const head = settingsHead(context, 'webhooks', {
      heading: this.heading,
      ...(endpoint?.description == null
        ? {}
        : { note: html`<span dir="auto">${endpoint.description}</span>` }),
      back: { href: '/settings/webhooks', text: words.back_webhooks },
      actions: endpoint === null ? nothing : this.buttons(endpoint),
    });
    if (endpoint === null)
      return html`${head}${
        fault === null
          ? skeleton(context.words.loading)
          : failure(context, fault, () => void this.endpoint.load())
      }`;
    return html`${head} ${this.facts(endpoint)}
      ${this.answer === null ? nothing : testResult(context, words, this.answer)} ${this.replayForm()}
      <section class="below">
        <h2>${words.attempts}</h2>
        ${listTable({
          context,
          state: this.attempts,
          columns: attemptColumns(context, words),
          idOf: ({ id }) => id,
          caption: words.attempts,
          empty: words.no_attempts,
          emptyFiltered: words.no_attempts,
        })}
      </section>
      ${this.dialogs(endpoint)}`;
  }

  private buttons({ state, format }: Endpoint): TemplateResult {
    const { words, acting } = this;
    const button = (label: string, act: () => void, tone = '') =>
      html`<button
        type="button"
        class="outlined ${tone}"
        aria-disabled=${acting.now ? 'true' : nothing}
        @click=${act}
      >
        ${label}
      </button>`;
    return html`${button(words.test, () => void this.test())}
    ${button(words.edit, () => {
      this.isEditing = true;
      this.requestUpdate();
    })}
    ${format === 'slack' ? nothing : button(words.rotate, () => void this.rotate())}
    ${
      state === 'enabled'
        ? button(words.disable, () => void this.setEnabled(false))
        : button(words.enable, () => void this.setEnabled(true))
    }
    ${button(words.remove, () => void this.deleteEndpoint(), 'danger')}`;
  }

  private facts(endpoint: Endpoint): TemplateResult {
    const { words, context } = this;
    const { format, locale } = context;
    const {
      state_reason: reason,
      failing_since: failing,
      last_success_at: success,
      previous_secret_until: until,
    } = endpoint;
    return html`<dl class="facts">
      <dt>${words.state}</dt>
      <dd>
        ${badge(...verdictOf(endpoint, words))}
        ${reason === null ? nothing : html`<span>${words.reasons[reason]}</span>`}
        <span class="note"
          >${words.since(format.full(endpoint.state === 'enabled' && failing !== null ? failing : endpoint.state_since))}</span
        >
        ${endpoint.last_error === null ? nothing : html`<br /><span lang="en" dir="auto">${endpoint.last_error}</span>`}
      </dd>
      <dt>${words.last_success}</dt>
      <dd>${success === null ? words.never : ago(format, success)}</dd>
      <dt>${words.format}</dt>
      <dd>
        ${words.formats[endpoint.format]}${
          until === null || Date.parse(until) <= context.api.now()
            ? nothing
            : html`<br /><span class="note">${words.previous_until(format.full(until))}</span>`
        }
      </dd>
      <dt>${words.kinds}</dt>
      <dd>
        ${endpoint.kinds === null ? words.all_kinds : endpoint.kinds.map((kind) => kindName(locale, kind)).join(', ')}
      </dd>
    </dl>`;
  }

  private replayForm(): TemplateResult {
    const { words, acting } = this;
    return html`<form class="inline-form" @submit=${(event: SubmitEvent) => void this.replay(event)}>
      <label class="field"
        ><span>${words.replay_label}</span
        ><input type="datetime-local" name="since" aria-describedby="replay-hint"
      /></label>
      <button class="outlined" aria-disabled=${acting.now ? 'true' : nothing}>${words.replay}</button>
      <small id="replay-hint">${words.replay_hint}</small>
    </form>`;
  }

  private dialogs(endpoint: Endpoint): TemplateResult {
    const close = () => {
      this.isEditing = false;
      this.requestUpdate();
    };
    const saved = ({ detail }: CustomEvent<WebhookSaved>) => {
      this.show(detail.endpoint);
      this.context.toast({ text: this.words.saved, tone: 'good' });
      close();
    };
    return html`${
      this.isEditing
        ? html`<webhook-dialog
            .context=${this.context}
            .endpoint=${endpoint}
            @dialog-closed=${close}
            @webhook-saved=${saved}
          ></webhook-dialog>`
        : nothing
    }
    ${secretDialog(this.context, this.words, this.secret, () => {
      this.secret = null;
      this.requestUpdate();
    })}`;
  }
}
