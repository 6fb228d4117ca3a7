import type { TemplateResult } from 'lit';
import type { Notification } from '../client/types.js';
import type { Times } from '../design/times.js';
import type { Words } from '../words/en.js';
import type { Popovers } from './popovers.js';
import type { InboxStore } from './store.js';
import type { PreferencesPage, Why } from './view.js';

/** How long a refused action is shown. */
const FAULT_MS = 6_000;

/** The element that the panel belongs to. */
export interface PanelHost {
  readonly store: InboxStore | null;
  readonly popovers: Popovers | null;
  readonly words: Words;
  readonly times: Times;
  readonly renderRoot: ParentNode;
  readonly updateComplete: Promise<unknown>;
  requestUpdate(): void;
  announce(text: string): void;
  /** @returns whether the page did not prevent what follows. */
  send(name: string, detail: object, cancelable?: boolean): boolean;
}

/** What the buttons of the panel do, and what the panel shows because of them. */
export class PanelActs {
  /** The id of the item that a person opened: its text is not truncated. */
  opened: string | null = null;
  /** The explanation under an item. */
  why: Why | null = null;
  /** What is shown instead of the list. */
  preferences: PreferencesPage | null = null;
  /** An action was refused a moment ago. */
  hasFailed = false;
  /** The content of the snooze menu. */
  menu: TemplateResult | null = null;
  private fault: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly host: PanelHost) {}

  /**
   * Marks the item as read and follows its link or shows its full text, unless the page prevents the click. A second
   * click on the same item truncates its text again.
   */
  open(notification: Notification, event: Event): void {
    const { id, read_at } = notification;
    if (!this.host.send('vigie-click', { notification }, true)) {
      event.preventDefault();
      return;
    }
    this.opened = this.opened === id ? null : id;
    this.host.requestUpdate();
    if (read_at === null) void this.host.store?.mark(id, 'read');
  }

  /** Moves the focus to a neighbour before the item disappears. */
  archive({ id }: Notification): void {
    const { renderRoot, popovers, store, words } = this.host;
    const articles = [...renderRoot.querySelectorAll<HTMLElement>('article')];
    const place = articles.findIndex((article) => article.dataset.id === id);
    (articles[place + 1] ?? articles[place - 1] ?? popovers?.panel)?.focus();
    void store?.mark(id, 'archive');
    this.host.announce(words.archived);
  }

  async askSnooze(notification: Notification, anchor: Element): Promise<void> {
    const { words, times, store } = this.host;
    if (store === null) return;
    try {
      const { snoozeTemplate } = await import('./extras.js');
      this.menu = snoozeTemplate(words, times, store.client.now(), (until) => {
        void store.snooze(notification, until);
        this.host.popovers?.closeMenu();
      });
    } catch {
      this.showFault();
      return;
    }
    this.host.requestUpdate();
    await this.host.updateComplete;
    this.host.popovers?.openMenu(anchor);
  }

  /** Shows the explanation under the item, or hides it. */
  async askWhy(notification: Notification): Promise<void> {
    const { store, words, times } = this.host;
    if (store === null) return;
    const why: Why | null = this.why?.id === notification.id ? null : { id: notification.id, content: null };
    this.why = why;
    this.host.requestUpdate();
    if (why === null) return;
    try {
      const { whyTemplate } = await import('./extras.js');
      why.content = await whyTemplate(store.client.rest, notification, words, times);
      this.host.requestUpdate();
      await this.host.updateComplete;
      if (this.why !== why) return;
      // The explanation of the last visible item is below the edge.
      this.host.renderRoot.querySelector('.why')?.scrollIntoView({ block: 'nearest' });
    } catch {
      if (this.why === why) this.why = null;
      this.showFault();
    }
    this.host.requestUpdate();
  }

  async showPreferences(isShown: boolean): Promise<void> {
    const { store, words } = this.host;
    const preferences: PreferencesPage | null = isShown ? { content: null } : null;
    this.preferences = preferences;
    this.host.requestUpdate();
    await this.host.updateComplete;
    this.host.renderRoot.querySelector<HTMLElement>('.header button')?.focus();
    if (preferences === null || store === null) return;
    try {
      const { preferencesTemplate } = await import('./extras.js');
      preferences.content = await preferencesTemplate(store.client.rest, words, (isSaved) => {
        if (isSaved) this.host.announce(words.saved);
        else this.showFault();
      });
    } catch {
      if (this.preferences === preferences) this.preferences = null;
      this.showFault();
    }
    this.host.requestUpdate();
  }

  showArrived(): void {
    const { store, renderRoot, updateComplete } = this.host;
    store?.showArrived();
    renderRoot.querySelector('.scroll')?.scrollTo({ top: 0 });
    void updateComplete.then(() => renderRoot.querySelector<HTMLElement>('article')?.focus());
    this.markSeen();
  }

  /** Opening the panel marks everything in it as seen. The next opening repeats a request that failed. */
  markSeen(): void {
    const { store } = this.host;
    const newest = store?.newestCursor ?? null;
    if (newest !== null && (store?.client.count?.unseen ?? 0) > 0)
      store?.client.rest.seen(newest).catch(() => undefined);
  }

  retry(): void {
    const { store } = this.host;
    if (store?.phase === 'signed-out') store.client.retry();
    void store?.load();
  }

  showFault(): void {
    this.hasFailed = true;
    this.host.announce(this.host.words.act_failed);
    this.stop();
    this.fault = setTimeout(() => {
      this.hasFailed = false;
      this.host.requestUpdate();
    }, FAULT_MS);
    this.host.requestUpdate();
  }

  /** The panel was closed, or is of another user: it shows the list. */
  closed(): void {
    this.opened = null;
    this.why = null;
    this.preferences = null;
  }

  stop(): void {
    if (this.fault !== null) clearTimeout(this.fault);
    this.fault = null;
  }
}
