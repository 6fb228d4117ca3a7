import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { ICONS } from '../design/icons.js';
import { ALL, type Tab } from './filter.js';
import { button, itemTemplate } from './item.js';
import type { InboxView } from './view.js';

/** While it reconnects, the age of the list is shown from this age on. */
const OLD_MS = 60_000;

/** The content of the panel. */
export function panelTemplate(view: InboxView): TemplateResult {
  const { words } = view;
  const unread = view.store.client.count?.unread_count ?? 0;
  const isList = view.acts.preferences === null;
  return html`<div class="header" part="header">
      ${isList ? nothing : button('action', words.back, ICONS.back, () => void view.acts.showPreferences(false))}
      <h2 id="heading">
        ${isList ? words.title : words.preferences}${
          isList && unread > 0 ? html`<small>${words.unread_count(unread, String(unread))}</small>` : nothing
        }
      </h2>
      <slot name="header"></slot>
      ${
        isList
          ? html`${
              unread > 0
                ? button('action', words.mark_all_read, ICONS.check, () => void view.store.markAllRead())
                : nothing
            }
            ${button('action', words.preferences, ICONS.settings, () => void view.acts.showPreferences(true))}`
          : nothing
      }
      ${button('action', words.close, ICONS.close, () => view.close())}
    </div>
    ${isList ? html`${tools(view)}${notices(view)}` : nothing}
    <div class="scroll">
      ${view.acts.preferences === null ? content(view) : (view.acts.preferences.content ?? skeleton(view))}
    </div>
    <div part="footer" tabindex="-1"><slot name="footer"></slot></div>`;
}

function tools({ words, tabs, store }: InboxView): TemplateResult {
  const { tab: current, unread } = store.filter;
  const tab = (name: string, own: Tab | null) =>
    html`<button
      aria-pressed=${current?.name === own?.name ? 'true' : 'false'}
      @click=${(event: Event) => {
        (event.currentTarget as Element).scrollIntoView({ block: 'nearest', inline: 'center' });
        store.setFilter({ tab: own });
      }}
    >
      ${name}
    </button>`;
  return html`<div class="tools">
    <div class="tabs" role="group" aria-label=${words.filter_label}>
      ${tabs.length === 0 ? nothing : tab(words.all, null)}
      ${tabs.map((own) => tab(words.tabs[own.name] ?? words.kinds[own.name] ?? own.name, own))}
    </div>
    <button
      class="icon toggle"
      aria-pressed=${unread ? 'true' : 'false'}
      aria-label=${words.filter_unread}
      title=${words.filter_unread}
      @click=${() => store.setFilter({ unread: !unread })}
    >
      ${ICONS.filter}
    </button>
  </div>`;
}

/** What a person should know about the list that they see. */
function notices({ words, store, times, now, acts }: InboxView): TemplateResult {
  const { confirmedAt, phase, client } = store;
  const { state } = client;
  const isLost = phase === 'list' && (state === 'offline' || state === 'reconnecting');
  const isOld = confirmedAt !== null && (state === 'offline' || now - confirmedAt >= OLD_MS);
  return html`${
    isLost
      ? html`<div class="notice">
          ${words[state]}${isOld ? ` ${words.updated(times.ago(new Date(confirmedAt).toISOString(), now))}` : nothing}
        </div>`
      : nothing
  }
  ${acts.hasFailed ? html`<div class="notice fault">${words.act_failed}</div>` : nothing}`;
}

function content(view: InboxView): TemplateResult {
  const { store, words } = view;
  if (store.phase === 'idle' || store.phase === 'loading') return skeleton(view);
  if (store.phase === 'failed') return message(words.failed, null, retryButton(view));
  if (store.phase === 'signed-out')
    return message(words.signed_out, words.signed_out_hint, retryButton(view));
  if (store.phase === 'incompatible') return message(words.incompatible, null, retryButton(view));
  if (store.items.length > 0) return list(view);
  const { tab, unread } = store.filter;
  if (tab === null && !unread) {
    return html`<div part="empty">
      <slot name="empty">${message(words.empty, words.empty_hint, null)}</slot>
    </div>`;
  }
  const showAll = html`<button class="outlined" @click=${() => store.setFilter(ALL)}>
    ${words.show_all}
  </button>`;
  return message(words.empty_filter, null, showAll);
}

function list(view: InboxView): TemplateResult {
  const { store, words } = view;
  const { arrived } = store;
  return html`${
      arrived === 0
        ? nothing
        : html`<div class="pill">
            <button class="filled" @click=${() => view.acts.showArrived()}>${words.new_ones(arrived)}</button>
          </div>`
    }
    <div
      role="feed"
      aria-labelledby="heading"
      aria-busy=${store.isLoadingMore ? 'true' : 'false'}
      @keydown=${moveInFeed}
    >
      ${repeat(
        withDays(view),
        ({ notification }) => notification.id,
        ({ notification, day }, place) =>
          html`${day === null ? nothing : html`<div class="day" aria-hidden="true">${day}</div>`}
          ${itemTemplate(view, notification, place)}`,
      )}
    </div>
    ${
      store.hasMore
        ? html`<div class="more">
            <button class="outlined" ?disabled=${store.isLoadingMore} @click=${() => void store.loadMore()}>
              ${store.isLoadingMore ? words.loading : words.load_more}
            </button>
          </div>`
        : nothing
    }`;
}

/** Each notification, the first of a day with that day's name. */
function withDays({ store, times, now, words }: InboxView) {
  let last = '';
  return store.items.map((notification) => {
    const key = times.dayKey(notification.created_at);
    const day = key === last ? null : times.dayName(notification.created_at, now, words);
    last = key;
    return { notification, day };
  });
}

/** As tall as items, so that nothing shifts when they arrive. */
function skeleton({ words }: InboxView): TemplateResult {
  const one = html`<div class="skeleton"><span></span><span></span><span></span></div>`;
  return html`<div aria-busy="true">
    <span class="sr-only">${words.loading}</span>
    <div class="skeleton"><span></span></div>
    ${Array.from({ length: 7 }, () => one)}
  </div>`;
}

function message(text: string, hint: string | null, act: TemplateResult | null): TemplateResult {
  return html`<div class="center">
    <p>${text}</p>
    ${hint === null ? nothing : html`<p class="hint">${hint}</p>`} ${act ?? nothing}
  </div>`;
}

function retryButton(view: InboxView): TemplateResult {
  return html`<button class="outlined" @click=${() => view.acts.retry()}>${view.words.retry}</button>`;
}

/**
 * The keys of a feed (https://www.w3.org/WAI/ARIA/apg/patterns/feed/): PageDown and PageUp move by article, Ctrl+End
 * and Ctrl+Home leave to what follows and what precedes the feed.
 */
function moveInFeed(event: KeyboardEvent): void {
  const feed = event.currentTarget as HTMLElement;
  const articles = [...feed.querySelectorAll<HTMLElement>('article')];
  const place = articles.findIndex((article) => article.contains(event.target as Node));
  const beside = (selector: string) =>
    event.ctrlKey ? feed.closest('.panel')?.querySelector<HTMLElement>(selector) : undefined;
  const target = {
    PageDown: articles[place + 1],
    PageUp: articles[place - 1],
    End: beside('.more button, [part=footer]'),
    Home: beside('.header button'),
  }[event.key];
  if (!['PageDown', 'PageUp'].includes(event.key) && target == null) return;
  event.preventDefault();
  target?.focus();
}
