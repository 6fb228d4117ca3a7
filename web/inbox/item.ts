import { html, nothing, type TemplateResult } from 'lit';
import { ICONS } from '../design/icons.js';
import type { Notification } from '../client/types.js';
import type { InboxView } from './view.js';

/** One notification. Its text is set as text: markup in it is shown, never run. */
export function itemTemplate(view: InboxView, notification: Notification, position: number): TemplateResult {
  const { times, now, store, acts } = view;
  const { id, body, created_at } = notification;
  const isUnread = notification.read_at === null;
  const own = ownContent(view, notification);
  return html`<article
    part="item"
    class=${isUnread ? 'unread' : ''}
    tabindex="0"
    data-id=${id}
    ?data-open=${acts.opened === id}
    aria-posinset=${position + 1}
    aria-setsize="-1"
    aria-labelledby="title-${id}"
    aria-describedby="body-${id}"
    aria-busy=${store.isBusy(id) ? 'true' : 'false'}
  >
    ${isUnread ? html`<span class="dot"></span>` : nothing}
    <div class="line">
      <h3 class="title" part="title" id="title-${id}">${titleTemplate(view, notification)}</h3>
      <time part="time" datetime=${created_at} title=${times.full(created_at)}
        >${times.ago(created_at, now)}</time
      >
    </div>
    <div id="body-${id}">${own ?? html`<p class="body" part="body" dir="auto">${body}</p>`}</div>
    <div class="foot">
      <span class="facts">${factsOf(view, notification)}</span>
      <span class="acts">${actionsOf(view, notification)}</span>
    </div>
    ${acts.why?.id === id ? html`<div class="why">${acts.why.content ?? view.words.loading}</div>` : nothing}
  </article>`;
}

/** A link to what it is about, if the server knows its page. */
function titleTemplate({ acts }: InboxView, notification: Notification): TemplateResult {
  const { title, url } = notification;
  const open = (event: Event) => acts.open(notification, event);
  // Without `once`: each click on a link follows it, unless the page prevents that click.
  return url !== null && /^https?:/i.test(url)
    ? html`<a dir="auto" href=${url} @click=${open}>${title}</a>`
    : html`<button dir="auto" @click=${once(open)}>${title}</button>`;
}

/** What the page shows instead of the body; null, also if its function fails: the body. */
function ownContent({ renderItem }: InboxView, notification: Notification): unknown {
  try {
    return renderItem?.(notification) ?? null;
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
    return null;
  }
}

/** States as words, not by colour alone. */
function factsOf({ words, times }: InboxView, notification: Notification): TemplateResult {
  const { severity, created_at, acknowledged_at, acknowledged_by, snoozed_until, read_at } = notification;
  const facts = [
    read_at === null ? html`<span class="is-unread">${words.unread}</span>` : null,
    severity === 'critical' ? html`<span class="critical">${words.critical}</span>` : null,
    severity === 'warning' ? html`<span class="warning">${words.warning}</span>` : null,
    acknowledged_at === null
      ? null
      : html`<span>${acknowledged_by === null ? words.handled : words.handled_by(acknowledged_by)}</span>`,
    snoozed_until === null ? null : html`<span>${words.snoozed_until(times.full(snoozed_until))}</span>`,
  ].filter((fact) => fact !== null);
  return html`<span>${times.time(created_at)}</span>${facts}`;
}

function actionsOf(view: InboxView, notification: Notification): TemplateResult {
  const { words, store } = view;
  const { id, alert_id, acknowledged_at, snoozed_until, read_at } = notification;
  const isHandled = acknowledged_at !== null;
  const handle = isHandled
    ? button('action', words.act_unhandled, ICONS.undo, () => void store.acknowledge(notification, false))
    : html`<button class="act" part="action" @click=${once(() => void store.acknowledge(notification, true))}>
        ${words.act_handled}
      </button>`;
  const snooze =
    snoozed_until === null
      ? html`<button
          class="icon"
          part="action"
          aria-label=${words.act_snooze}
          title=${words.act_snooze}
          aria-haspopup="dialog"
          @click=${once((event) => void view.acts.askSnooze(notification, event.currentTarget as Element))}
        >
          ${ICONS.clock}
        </button>`
      : button('action', words.act_unsnooze, ICONS.clock, () => void store.snooze(notification, null));
  const mark = read_at === null ? 'read' : 'unread';
  return html`${alert_id === null ? nothing : html`${handle}${isHandled ? nothing : snooze}`}
  ${button(
    'action',
    read_at === null ? words.act_read : words.act_unread,
    read_at === null ? ICONS.read : ICONS.unread,
    () => void store.mark(id, mark),
  )}
  ${button('action', words.act_why, ICONS.why, () => void view.acts.askWhy(notification))}
  ${button('action', words.act_archive, ICONS.archive, () => view.acts.archive(notification))}`;
}

/**
 * Ignores the second click of a double click: the first one may have put another button under the pointer. Clicks by
 * keyboard have no count.
 */
function once(act: (event: Event) => void): (event: MouseEvent) => void {
  return (event) => {
    if (event.detail < 2) act(event);
  };
}

/** A button with an icon only: its name is a label for screen readers, and a hint for a mouse. */
export function button(part: string, name: string, icon: unknown, act: () => void): TemplateResult {
  return html`<button class="icon" part=${part} aria-label=${name} title=${name} @click=${once(act)}>
    ${icon}
  </button>`;
}
