import { notificationUrl } from './item-links.js';
import type { Live } from './live.js';

type ClickEvent = CustomEvent<{ notification: { data: Record<string, unknown> } }>;

export interface InboxActs {
  live: Live;
  /** The server no longer knows the session. */
  expire: () => void;
  navigate: (url: string) => void;
}

/** What the bell reports: changes, the connection, the end of the session, and what a person opens. */
export class InboxEvents {
  private isFollowed = false;

  /** @param host the element around the bell */
  constructor(
    private readonly host: HTMLElement,
    private readonly acts: InboxActs,
  ) {}

  listen(): void {
    const { host, acts } = this;
    host.addEventListener('vigie-auth-required', () => acts.expire());
    host.addEventListener('vigie-unread-count', () => {
      acts.live.heard();
      acts.live.changed();
    });
    host.addEventListener('vigie-state', (event) => {
      const { connection } = (event as CustomEvent<{ connection: string }>).detail;
      acts.live.enter(connection === 'live' ? 'live' : connection === 'connecting' ? 'connecting' : 'lost');
    });
    host.addEventListener('vigie-click', (event) => this.follow(event as ClickEvent));
    host.addEventListener('click', (event) => this.endClick(event));
  }

  /** Opens the page of what the notification is about. */
  private follow({ detail }: ClickEvent): void {
    const url = notificationUrl(detail.notification.data);
    if (url === null) return;
    this.host.querySelector('vigie-inbox')?.closePanel();
    this.isFollowed = true;
    this.acts.navigate(url);
  }

  /** The title is also a link, for pages of others: `follow` has opened it. */
  private endClick(event: Event): void {
    if (this.isFollowed) event.preventDefault();
    this.isFollowed = false;
  }
}
