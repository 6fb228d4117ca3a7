import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { badge } from '../../design/badge.js';
import { ago } from '../../design/time.js';
import { en, fr } from '../../words/console/settings-programs.js';
import { wordsIn } from '../context.js';
import { ListState } from '../list/list-state.js';
import { type Column, listTable } from '../list/table.js';
import { ConsolePage } from '../page.js';
import { Acting } from './acting.js';
import './key-dialog.js';
import { type Secret, secretDialog } from './secret-dialog.js';
import { settingsHead, settingsWords } from './settings-head.js';

export type ApiKey = components['schemas']['ApiKey'];
const GRACE_HOURS = 24;

/** `/settings/keys`: what programs use to call Vigie. */
export default class KeysPage extends ConsolePage {
  private isAdding = false;
  private secret: Secret | null = null;
  private readonly acting = new Acting(() => this.requestUpdate());
  private readonly list = new ListState<ApiKey>({
    load: (_filters, { limit, cursor }, signal) =>
      this.context.api.get('/api/v1/tenant/api-keys', {
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
    return settingsWords(this.context).tabs.keys;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('query')) this.list.read(this.query);
  }

  private async rotate({ id, name }: ApiKey): Promise<void> {
    const { context, words } = this;
    await this.acting.run(context, async () => {
      const isConfirmed = await context.confirm({
        title: words.rotate_key_title,
        text: words.rotate_key_text(name),
        confirm: words.rotate,
      });
      if (!isConfirmed) return;
      const { key } = await context.api.post('/api/v1/tenant/api-keys/{id}/rotate', {
        params: { path: { id } },
        body: { grace_hours: GRACE_HOURS },
      });
      const note = words.secret_old(context.format.number(GRACE_HOURS));
      this.secret = { title: words.secret_title, value: key, note };
      await this.list.refresh();
    });
  }

  private async revoke({ id, name }: ApiKey): Promise<void> {
    const { context, words } = this;
    await this.acting.run(context, async () => {
      const isConfirmed = await context.confirm({
        title: words.revoke_title,
        text: words.revoke_text(name),
        confirm: words.revoke,
        isDangerous: true,
      });
      if (!isConfirmed) return;
      await context.api.delete('/api/v1/tenant/api-keys/{id}', { params: { path: { id } } });
      context.toast({ text: words.revoked, tone: 'good' });
      await this.list.refresh();
    });
  }

  private get columns(): Column<ApiKey>[] {
    const { words, context } = this;
    const { format } = context;
    const scope = (one: string) => words.scope_names[one] ?? one;
    return [
      {
        label: words.name,
        kind: 'main',
        cell: ({ name }) => html`<span class="clamp" dir="auto" title=${name}>${name}</span>`,
        text: ({ name }) => name,
      },
      {
        label: words.scopes,
        kind: 'wide',
        cell: ({ scopes, agent_id }) =>
          html`<span
            >${scopes.map(scope).join(' · ')}${agent_id === null ? nothing : html` <code>${agent_id}</code>`}</span
          >`,
        text: ({ scopes }) => scopes.join(' '),
      },
      { label: words.state, cell: (key) => this.stateOf(key), text: ({ revoked_at }) => revoked_at ?? '' },
      {
        label: words.last_use,
        cell: ({ last_used_at: at }) =>
          at === null ? html`<span class="note">${words.not_used}</span>` : ago(format, at),
        text: ({ last_used_at }) => last_used_at ?? '',
      },
      {
        label: words.created,
        cell: ({ created_at }) => ago(format, created_at),
        text: ({ created_at }) => created_at,
      },
    ];
  }

  private stateOf(key: ApiKey): TemplateResult {
    const { words, context } = this;
    const { format, api } = context;
    if (key.revoked_at !== null) return badge('neutral', words.key_states.revoked);
    const isExpired = key.expires_at !== null && Date.parse(key.expires_at) <= api.now();
    const isOldValid = key.previous_until !== null && Date.parse(key.previous_until) > api.now();
    return html`<span class="stacked"
      >${isExpired ? badge('warning', words.key_states.expired) : badge('good', words.key_states.active)}${
        key.expires_at === null || isExpired
          ? nothing
          : html`<small>${words.expires_at(format.ago(key.expires_at))}</small>`
      }${
        isOldValid && key.previous_until !== null
          ? html`<small>${words.previous_key_until(format.full(key.previous_until))}</small>`
          : nothing
      }</span
    >`;
  }

  protected override render(): TemplateResult {
    const { context, words, list, acting } = this;
    const isLive = ({ revoked_at, expires_at }: ApiKey) =>
      revoked_at === null && (expires_at === null || Date.parse(expires_at) > context.api.now());
    const add = () => {
      this.isAdding = true;
      this.requestUpdate();
    };
    return html`${settingsHead(context, 'keys', {
      note: words.keys_note,
      actions: html`<button type="button" class="filled" @click=${add}>${words.add_key}</button>`,
    })}
    ${listTable({
      context,
      state: list,
      columns: this.columns,
      idOf: ({ id }) => id,
      caption: this.heading,
      empty: words.no_keys,
      emptyFiltered: words.no_keys,
      actions: {
        label: words.actions,
        of: (key) =>
          key.revoked_at !== null
            ? nothing
            : html`${
                  isLive(key)
                    ? html`<button
                        type="button"
                        class="outlined"
                        aria-disabled=${acting.now ? 'true' : nothing}
                        aria-label="${words.rotate}, ${key.name}"
                        @click=${() => void this.rotate(key)}
                      >
                        ${words.rotate}
                      </button>`
                    : nothing
                }<button
                  type="button"
                  class="outlined danger"
                  aria-disabled=${acting.now ? 'true' : nothing}
                  aria-label="${words.revoke}, ${key.name}"
                  @click=${() => void this.revoke(key)}
                >
                  ${words.revoke}
                </button>`,
      },
    })}
    ${
      this.isAdding
        ? html`<key-dialog
            .context=${context}
            @dialog-closed=${() => {
              this.isAdding = false;
              this.requestUpdate();
            }}
            @key-created=${(event: CustomEvent<string>) => {
              this.isAdding = false;
              this.secret = { title: words.key_title, value: event.detail };
              void list.refresh();
              this.requestUpdate();
            }}
          ></key-dialog>`
        : nothing
    }
    ${secretDialog(context, words, this.secret, () => {
      this.secret = null;
      this.requestUpdate();
    })}`;
  }
}
