import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { Notification } from '../client/types.js';
import { Times } from '../design/times.js';
import { base, tokens } from '../design/tokens.js';
import { EN, type Words } from '../words/en.js';
import { Announcer } from './announcer.js';
import { bellTemplate } from './bell.js';
import { type Tab, tabOf, TABS } from './filter.js';
import { itemStyles } from './item-styles.js';
import { localeOf, type Messages, wordsOf } from './language.js';
import { menuStyles } from './menu-styles.js';
import { PanelActs, type PanelHost } from './panel-acts.js';
import { panelTemplate } from './panel.js';
import type { Placement } from './placement.js';
import { Popovers } from './popovers.js';
import { openSession } from './session.js';
import type { InboxStore } from './store.js';
import { styles } from './styles.js';
import type { InboxView } from './view.js';

/** Relative times are written again this often while the panel is open. */
const TICK_MS = 30_000;

/**
 * A bell with the number of unread notifications, and a panel with the list. docs/inbox.md describes it. Every setting
 * is a property, and no method is named like an attribute, because frameworks overwrite those.
 */
export class VigieInbox extends LitElement implements PanelHost {
  static override styles = [tokens, base, styles, itemStyles, menuStyles];
  static override properties = {
    server: { type: String },
    token: { type: String },
    theme: { type: String, reflect: true },
    placement: { type: String },
    max: { type: Number },
    lang: { type: String },
    timeZone: { attribute: 'time-zone' },
    getToken: { attribute: false },
    session: { attribute: false },
    messages: { attribute: false },
    renderItem: { attribute: false },
    filters: { attribute: false },
  };

  /** The server's URL; by default the one that served this file. */
  declare server: string;
  /** A token for demonstrations: it is not renewed. Pages set `getToken`. */
  declare token: string;
  declare theme: 'auto' | 'light' | 'dark';
  declare placement: Placement;
  /** Above it the badge shows `99+`. */
  declare max: number;
  /** The IANA name of the zone of dates and times; that of this machine by default. */
  declare timeZone: string;
  declare getToken: (() => string | Promise<string>) | null;
  /** On pages of this server: the id of the user whom its cookie has signed in. Then no token is needed. */
  declare session: string | null;
  /** Words that replace those of the language. */
  declare messages: Messages;
  /** Returns text or a node to show in place of a notification's body; null: the usual body. */
  declare renderItem: ((notification: Notification) => unknown) | null;
  /** The tabs: kinds, or several kinds under a name. */
  declare filters: readonly (Notification['kind'] | Tab)[];

  /** @internal */
  store: InboxStore | null = null;
  /** @internal */
  popovers: Popovers | null = null;
  /** @internal */
  words: Words = EN;
  /** @internal */
  times = new Times('en');
  private locale = '';
  private readonly acts = new PanelActs(this);
  private said = '';
  private readonly announcer = new Announcer((text) => {
    this.said = text;
    this.requestUpdate();
  });
  private tick: ReturnType<typeof setInterval> | null = null;

  constructor() {
    super();
    this.server = new URL(import.meta.url).origin;
    this.token = '';
    this.theme = 'auto';
    this.placement = 'bottom-end';
    this.max = 99;
    this.timeZone = '';
    this.getToken = null;
    this.session = null;
    this.messages = {};
    this.renderItem = null;
    this.filters = TABS;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.onVisible);
    // Bound once connected: an element that was moved in the page connects again.
    if (this.hasUpdated) this.connect();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('visibilitychange', this.onVisible);
    this.disconnect();
  }

  /** @internal */
  announce(text: string): void {
    this.announcer.announce(text);
  }

  /** @internal */
  send(name: string, detail: object, cancelable = false): boolean {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable }));
  }

  protected override willUpdate(changed: PropertyValues): void {
    const locale = localeOf(this);
    if (locale !== this.locale || changed.has('timeZone')) this.times = new Times(locale, this.timeZone);
    this.locale = locale;
    this.words = wordsOf(locale, this.messages);
  }

  protected override firstUpdated(): void {
    if (this.shadowRoot === null) return;
    this.popovers = new Popovers(this.shadowRoot, {
      placement: () => this.placement,
      onOpening: this.prepare,
      onOpen: () => this.opened(),
      onClose: () => this.closed(),
    });
  }

  protected override updated(changed: PropertyValues): void {
    const isOther = changed.has('server') || changed.has('session');
    // Disconnecting requests an update: with nothing to disconnect, that would never end.
    if (this.store !== null && (isOther || !this.canConnect)) this.disconnect();
    const { store } = this;
    if (store === null) this.connect();
    else if (store.phase === 'signed-out' && (changed.has('getToken') || changed.has('token')))
      store.client.retry();
  }

  /** Connects again after `vigie-auth-required`, once the person has signed in. */
  retryConnection(): void {
    this.store?.client.retry();
  }

  closePanel(): void {
    this.popovers?.panel?.hidePopover();
  }

  private get canConnect(): boolean {
    return this.getToken !== null || this.token !== '' || this.session !== null;
  }

  private connect(): void {
    if (this.store !== null || !this.isConnected || !this.canConnect) return;
    const { server, session } = this;
    // Read at each call: a page that renders again sets another function, which is no reason to connect again.
    const getToken = () => this.getToken?.() ?? this.token;
    this.store = openSession(
      this,
      this.acts,
      session === null ? { server, getToken } : { server, getToken: null, userId: session },
    );
    if (this.popovers?.isOpen === true) void this.openStore(this.store);
  }

  private disconnect(): void {
    this.store?.stop();
    this.store = null;
    this.announcer.stop();
    this.acts.stop();
    this.acts.closed();
    this.stopTicking();
    this.requestUpdate();
  }

  protected override render(): TemplateResult {
    const { words, store, acts } = this;
    return html`${bellTemplate(words, store?.client.count ?? null, this.max, this.prepare)}
      <div
        id="panel"
        class="panel"
        part="panel"
        popover
        role="dialog"
        aria-labelledby="heading"
        tabindex="-1"
      >
        ${store === null ? nothing : panelTemplate(this.view(store))}
        <div id="snooze" class="menu" popover role="dialog" aria-label=${words.act_snooze}>
          ${acts.menu ?? nothing}
        </div>
      </div>
      <p role="status" class="sr-only">${this.said}</p>`;
  }

  private view(store: InboxStore): InboxView {
    const { words, times, filters, renderItem, acts } = this;
    return {
      store,
      words,
      times,
      now: store.client.now(),
      tabs: filters.map(tabOf),
      renderItem,
      acts,
      close: () => this.popovers?.close(),
    };
  }

  private readonly prepare = (): void => {
    if (this.store?.phase === 'idle') void this.store.load();
  };

  private opened(): void {
    if (this.store !== null) void this.openStore(this.store);
    this.tick ??= setInterval(() => this.requestUpdate(), TICK_MS);
  }

  private closed(): void {
    this.stopTicking();
    this.acts.closed();
    if (this.store === null) return;
    this.store.isOpen = false;
    this.store.showArrived();
  }

  private async openStore(store: InboxStore): Promise<void> {
    store.isOpen = true;
    await store.ensure();
    this.acts.markSeen();
    // Loaded early: who opens the panel will probably act.
    void import('./extras.js').catch(() => undefined);
  }

  private readonly onVisible = (): void => {
    if (document.visibilityState === 'visible') this.store?.client.catchUp();
  };

  private stopTicking(): void {
    if (this.tick !== null) clearInterval(this.tick);
    this.tick = null;
  }
}

if (customElements.get('vigie-inbox') === undefined) customElements.define('vigie-inbox', VigieInbox);

declare global {
  interface HTMLElementTagNameMap {
    'vigie-inbox': VigieInbox;
  }
}
