import type { ConnectionState, Count, Frame } from './types.js';

/** A tab that got no answer from the one with the socket opens its own: the browser may have frozen that tab. */
const ANSWER_TIMEOUT_MS = 3_000;

/** What tabs send each other. */
type Message =
  | { type: 'frame'; frame: Frame }
  | { type: 'state'; state: ConnectionState }
  /** A tab was opened, or is shown again, and asks what it missed. */
  | { type: 'hello' }
  | { type: 'welcome'; state: ConnectionState; count: Count | null; since: string | null };

/** The part of the Web Locks API that tabs use. */
interface Locks {
  request(name: string, options: { signal: AbortSignal }, held: () => Promise<void>): Promise<unknown>;
}

export interface TabOptions {
  /** The server and the user: tabs of two users share nothing. */
  name: string;
  /** Opens and closes this tab's own socket. */
  connect: () => void;
  disconnect: () => void;
  onFrame: (frame: Frame) => void;
  onState: (state: ConnectionState) => void;
  /** Another tab has the socket: its last count and cursor. */
  onWelcome: (count: Count | null, since: string | null) => void;
  /** What this tab answers while it has the socket. */
  current: () => { state: ConnectionState; count: Count | null; since: string | null };
}

/**
 * One socket for all tabs of a browser: the tab that holds a Web Lock connects, and passes everything on to the others
 * by a BroadcastChannel. When it closes, the browser gives the lock to the next one.
 */
export class Tabs {
  private readonly channel: InstanceType<typeof BroadcastChannel>;
  private readonly leaving = new AbortController();
  private leave: (() => void) | null = null;
  private isLeading = false;
  private timer: ReturnType<typeof setTimeout> | null = null;

  /** Null where tabs cannot share: outside a secure context, or under Node. */
  static join(options: TabOptions): Tabs | null {
    const scope = globalThis as { isSecureContext?: boolean; navigator?: { locks?: Locks } };
    const locks = scope.navigator?.locks;
    if (scope.isSecureContext !== true || locks === undefined || !('BroadcastChannel' in globalThis))
      return null;
    return new Tabs(options, locks);
  }

  private constructor(
    private readonly options: TabOptions,
    locks: Locks,
  ) {
    this.channel = new BroadcastChannel(options.name);
    this.channel.onmessage = ({ data }: { data: unknown }) => this.receive(data as Message);
    const held = () =>
      new Promise<void>((release) => {
        this.leave = release;
        this.lead();
      });
    locks.request(options.name, { signal: this.leaving.signal }, held).catch(() => {
      // Rejects when this tab leaves before its turn, and where the browser blocks storage: then each tab is alone.
      if (!this.leaving.signal.aborted) this.lead();
    });
    this.ask();
  }

  /** Passes on what this tab's socket received. */
  send(message: Extract<Message, { type: 'frame' | 'state' }>): void {
    if (this.isLeading) this.channel.postMessage(message);
  }

  /** Asks the tab with the socket what happened: this tab may have been frozen. */
  ask(): void {
    if (this.isLeading) return;
    this.channel.postMessage({ type: 'hello' } satisfies Message);
    this.clearTimer();
    this.timer = setTimeout(() => this.options.connect(), ANSWER_TIMEOUT_MS);
  }

  /** Gives the socket to the next tab. */
  close(): void {
    this.clearTimer();
    this.leaving.abort();
    this.isLeading = false;
    this.channel.close();
    this.leave?.();
  }

  private lead(): void {
    this.clearTimer();
    this.isLeading = true;
    this.options.connect();
  }

  private receive(message: Message): void {
    if (this.isLeading) {
      if (message.type === 'hello')
        this.channel.postMessage({ type: 'welcome', ...this.options.current() } satisfies Message);
      return;
    }
    if (message.type === 'hello') return;
    // The tab with the socket is alive.
    this.clearTimer();
    this.options.disconnect();
    if (message.type === 'frame') this.options.onFrame(message.frame);
    else this.options.onState(message.state);
    if (message.type === 'welcome') this.options.onWelcome(message.count, message.since);
  }

  private clearTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
