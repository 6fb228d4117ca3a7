/** What tabs tell each other: who has signed in (null: somebody has signed out), or that something was changed. */
type Message = { user: string | null } | { isChange: true };

export interface OtherTabsActs {
  /** Whose page this tab shows; null: nobody's. */
  shown: () => string | null;
  /** Asks the server whose cookie this browser has; null: no session. */
  ask: () => Promise<string | null>;
  /** Another tab has signed the same person in: a session that has ended goes on. */
  resume: () => void;
  /** Another tab has changed something. */
  changed: () => void;
}

/**
 * The tabs of this browser share one cookie, so what another tab does concerns this one: after another sign-in this page
 * would show one person's name and act as another. Where the browser blocks channels, a tab asks when it is shown again.
 */
export class OtherTabs {
  private readonly channel = openChannel();

  constructor(private readonly acts: OtherTabsActs) {
    if (this.channel !== null)
      this.channel.onmessage = ({ data }: { data: Message }) => {
        if ('user' in data) this.follow(data.user);
        else acts.changed();
      };
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible' && acts.shown() !== null) void this.check();
    });
  }

  /** @param user null: signed out */
  tellUser(user: string | null): void {
    this.channel?.postMessage({ user } satisfies Message);
  }

  tellChange(): void {
    this.channel?.postMessage({ isChange: true } satisfies Message);
  }

  private follow(user: string | null): void {
    const shown = this.acts.shown();
    if (shown === null) return;
    if (shown === user) this.acts.resume();
    else location.reload();
  }

  private async check(): Promise<void> {
    // No session, or no answer: the next request of the page says so.
    const user = await this.acts.ask().catch(() => null);
    if (user !== null && user !== this.acts.shown()) this.follow(user);
  }
}

function openChannel(): BroadcastChannel | null {
  try {
    return new BroadcastChannel('vigie-console');
  } catch {
    return null;
  }
}
