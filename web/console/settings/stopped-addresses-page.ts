import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { ago } from '../../design/time.js';
import { en, fr } from '../../words/console/settings-logs.js';
import { wordsIn } from '../context.js';
import { filterBar } from '../list/filter-bar.js';
import { ListState } from '../list/list-state.js';
import { type Column, listTable } from '../list/table.js';
import { ConsolePage } from '../page.js';
import { Acting } from './acting.js';
import { settingsHead, settingsWords } from './settings-head.js';

type Stopped = components['schemas']['StoppedAddressView'];

/** `/settings/stopped-addresses`: addresses that get nothing any more, why, and a button to resume each. */
export default class StoppedAddressesPage extends ConsolePage {
  private readonly acting = new Acting(() => this.requestUpdate());
  private readonly list = new ListState<Stopped>({
    load: ({ channel }, { limit, cursor }, signal) =>
      this.context.api.get('/api/v1/tenant/stopped-addresses', {
        params: {
          query: {
            limit,
            ...(channel === 'email' || channel === 'sms' ? { channel } : {}),
            ...(cursor === undefined ? {} : { cursor }),
          },
        },
        signal,
      }),
    idOf: ({ id }) => id,
    filters: ['channel'],
    onChange: () => this.requestUpdate(),
  });

  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  override get heading(): string {
    return settingsWords(this.context).tabs.stopped;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('query')) this.list.read(this.query);
  }

  private async free({ id, address }: Stopped): Promise<void> {
    const { context, words } = this;
    await this.acting.run(context, async () => {
      const question = { title: words.free_title, text: words.free_text(address), confirm: words.free };
      if (!(await context.confirm(question))) return;
      await context.api.delete('/api/v1/tenant/stopped-addresses/{id}', { params: { path: { id } } });
      context.toast({ text: words.freed, tone: 'good' });
      await this.list.refresh();
    });
  }

  private get columns(): Column<Stopped>[] {
    const { words, context } = this;
    return [
      {
        label: words.address,
        kind: 'main',
        cell: ({ address }) => html`<span dir="ltr">${address}</span>`,
        text: ({ address }) => address,
      },
      {
        label: words.channel,
        cell: ({ channel }) => words.channels[channel],
        text: ({ channel }) => channel,
      },
      {
        label: words.reason,
        kind: 'wide',
        cell: ({ reason, provider }) =>
          html`<span class="stacked"
            >${words.reasons[reason]}${
              provider === null ? nothing : html`<small>${words.reported_by(provider)}</small>`
            }</span
          >`,
        text: ({ reason }) => words.reasons[reason],
      },
      {
        label: words.stopped_at,
        cell: ({ since }) => ago(context.format, since),
        text: ({ since }) => since,
      },
    ];
  }

  protected override render(): TemplateResult {
    const { context, words, list, acting, columns } = this;
    return html`${settingsHead(context, 'stopped', { note: words.stopped_note })}
    ${filterBar({
      context,
      state: list,
      filters: [
        {
          kind: 'choice',
          name: 'channel',
          label: words.channel,
          choices: [
            ['', words.all_channels],
            ['email', words.channels.email],
            ['sms', words.channels.sms],
          ],
        },
      ],
      csv: { name: 'stopped-addresses.csv', columns },
    })}
    ${listTable({
      context,
      state: list,
      columns,
      idOf: ({ id }) => id,
      caption: this.heading,
      empty: words.no_stopped,
      emptyFiltered: words.none_on_channel,
      actions: {
        label: words.actions,
        of: (row) =>
          html`<button
            type="button"
            class="outlined"
            aria-disabled=${acting.now ? 'true' : nothing}
            aria-label="${words.free}, ${row.address}"
            @click=${() => void this.free(row)}
          >
            ${words.free}
          </button>`,
      },
    })}`;
  }
}
