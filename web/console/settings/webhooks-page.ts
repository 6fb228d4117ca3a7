import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { badge } from '../../design/badge.js';
import { ago } from '../../design/time.js';
import { kindName } from '../../words/console/kinds.js';
import { en, fr } from '../../words/console/settings-programs.js';
import { wordsIn } from '../context.js';
import { ListState } from '../list/list-state.js';
import { type Column, listTable } from '../list/table.js';
import { ConsolePage } from '../page.js';
import { type Secret, secretDialog } from './secret-dialog.js';
import { settingsHead, settingsWords } from './settings-head.js';
import './webhook-dialog.js';
import type { WebhookSaved } from './webhook-dialog.js';
import { type Endpoint, verdictOf } from './webhook-state.js';

/** `/settings/webhooks`: the addresses that Vigie calls. */
export default class WebhooksPage extends ConsolePage {
  private isAdding = false;
  private secret: Secret | null = null;
  private readonly list = new ListState<Endpoint>({
    load: (_filters, { limit, cursor }, signal) =>
      this.context.api.get('/api/v1/tenant/webhooks', {
        params: { query: { limit, ...(cursor === undefined ? {} : { cursor }) } },
        signal,
      }),
    idOf: ({ id }) => id,
    filters: [],
    onChange: () => this.requestUpdate(),
  });

  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  override get heading(): string {
    return settingsWords(this.context).tabs.webhooks;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('query')) this.list.read(this.query);
  }

  private get columns(): Column<Endpoint>[] {
    const { words, context } = this;
    const { format, locale } = context;
    const kinds = (endpoint: Endpoint) =>
      endpoint.kinds === null
        ? words.all_kinds
        : endpoint.kinds.map((kind) => kindName(locale, kind)).join(', ');
    return [
      {
        label: words.url,
        kind: 'main',
        cell: ({ id, url, description }) =>
          html`<span class="stacked webhook-url"
            ><a class="clamp" href="/settings/webhooks/${id}" dir="ltr" title=${url}>${url}</a>${
              description === null
                ? nothing
                : html`<small class="clamp" dir="auto" title=${description}>${description}</small>`
            }</span
          >`,
        text: ({ url }) => url,
      },
      { label: words.kinds, cell: kinds, text: kinds },
      {
        label: words.state,
        cell: (endpoint) => {
          const reason =
            endpoint.state_reason === null ? endpoint.last_error : words.reasons[endpoint.state_reason];
          const isFailing = endpoint.state === 'enabled' && endpoint.failing_since !== null;
          return html`<span class="stacked"
            >${badge(...verdictOf(endpoint, words))}${
              endpoint.state === 'disabled' && reason !== null ? html`<small>${reason}</small>` : nothing
            }${
              isFailing && endpoint.failing_since !== null
                ? html`<small>${words.since(format.full(endpoint.failing_since))}</small>`
                : nothing
            }</span
          >`;
        },
        text: ({ state }) => state,
      },
      {
        label: words.last_success,
        cell: ({ last_success_at: at }) =>
          at === null ? html`<span class="note">${words.never}</span>` : ago(format, at),
        text: ({ last_success_at }) => last_success_at ?? '',
      },
    ];
  }

  private onSaved({ detail: { endpoint, secret } }: CustomEvent<WebhookSaved>): void {
    this.isAdding = false;
    if (secret === null) this.context.navigate(`/settings/webhooks/${endpoint.id}`);
    else this.secret = { title: this.words.secret_title, value: secret };
    void this.list.refresh();
    this.requestUpdate();
  }

  protected override render(): TemplateResult {
    const { context, words, list } = this;
    const set = (isAdding: boolean) => {
      this.isAdding = isAdding;
      this.requestUpdate();
    };
    return html`${settingsHead(context, 'webhooks', {
      note: words.webhooks_note,
      actions: html`<button type="button" class="filled" @click=${() => set(true)}>${words.add}</button>`,
    })}
    ${listTable({
      context,
      state: list,
      columns: this.columns,
      idOf: ({ id }) => id,
      caption: this.heading,
      empty: words.no_webhooks,
      emptyFiltered: words.no_webhooks,
    })}
    ${
      this.isAdding
        ? html`<webhook-dialog
            .context=${context}
            .endpoint=${null}
            @dialog-closed=${() => set(false)}
            @webhook-saved=${(event: CustomEvent<WebhookSaved>) => this.onSaved(event)}
          ></webhook-dialog>`
        : nothing
    }
    ${secretDialog(context, words, this.secret, () => {
      this.secret = null;
      this.requestUpdate();
    })}`;
  }
}
