import { BackOff } from './back-off.js';
import { Connection } from './connection.js';
import { Emitter } from './emitter.js';
import { Rest } from './rest.js';
import { Tabs } from './tabs.js';
import { subjectOf, Tokens } from './tokens.js';
import type { ConnectionState, Count, Frame, GetToken, Notification } from './types.js';

export interface VigieClientOptions {
  /** The server's URL, without a path: `https://vigie.example`. */
  server: string;
  getToken: GetToken | null;
  /** With `getToken` null: the user whom the cookie of this server has signed in. */
  userId?: string;
  /** Share one socket between the tabs of this browser (default). */
  shareTabs?: boolean;
}

interface ClientEvents {
  state: ConnectionState;
  count: Count;
  /** A notification that is new, or that changed. */
  notification: { notification: Notification; isNew: boolean };
  /** Changes may have been missed: read the feed again. */
  resync: undefined;
  /** The token is another user's than before: forget everything. */
  otherUser: undefined;
}

/**
 * A user's inbox on a Vigie server: REST, and changes as they happen. No DOM: it also runs under Node.
 *
 * The unread count is only ever the server's. A count belongs to a `seq` of the inbox, and an older one is ignored.
 */
export class VigieClient extends Emitter<ClientEvents> {
  readonly rest: Rest;
  private readonly tokens: Tokens;
  private readonly connection: Connection;
  private readonly starting = new BackOff();
  private tabs: Tabs | null = null;
  private running = false;
  private currentState: ConnectionState = 'stopped';
  private lastCount: Count | null = null;
  /** An older count is ignored. */
  private seq = 0;
  private since: string | null = null;
  /** Counts the starts, so that a start that was stopped meanwhile does not continue. */
  private generation = 0;

  constructor(private readonly options: VigieClientOptions) {
    super();
    const server = options.server.replace(/\/+$/, '');
    this.options = { ...options, server };
    this.tokens = new Tokens(
      options.getToken,
      () => this.exhausted(),
      () => this.changeUser(),
    );
    this.rest = new Rest(server, this.tokens);
    this.connection = new Connection({
      server,
      tokens: this.tokens,
      since: () => this.since,
      onFrame: (frame) => {
        this.tabs?.send({ type: 'frame', frame });
        this.apply(frame);
      },
      onState: (state) => {
        this.tabs?.send({ type: 'state', state });
        this.enter(state);
      },
    });
  }

  get state(): ConnectionState {
    return this.currentState;
  }

  /** The last count of the server; null before the first one. */
  get count(): Count | null {
    return this.lastCount;
  }

  /** The server's time, in ms: this machine's clock may be wrong. */
  now(): number {
    return Date.now() + this.rest.clockOffsetMs;
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    this.generation++;
    this.enter('connecting');
    void this.join();
  }

  stop(): void {
    if (!this.running) return;
    this.running = false;
    this.starting.cancel();
    this.tabs?.close();
    this.tabs = null;
    this.connection.stop();
    this.enter('stopped');
  }

  /** Starts again after `auth-required`: the person has signed in. */
  retry(): void {
    this.stop();
    this.tokens.reset();
    this.start();
  }

  /** The page is shown again after a while: catches up with the tab that has the socket. */
  catchUp(): void {
    this.tabs?.ask();
  }

  /** Whose tabs to join depends on the token. */
  private async join(): Promise<void> {
    const { generation } = this;
    let token: string;
    try {
      token = await this.tokens.get();
    } catch {
      if (this.isCurrent(generation) && !this.tokens.areExhausted)
        this.starting.schedule(() => void this.join());
      return;
    }
    if (!this.isCurrent(generation)) return;
    const subject = this.options.shareTabs === false ? null : (this.options.userId ?? subjectOf(token));
    this.tabs = subject === null ? null : this.joinTabs(subject);
    if (this.tabs === null) this.connection.start();
  }

  private joinTabs(subject: string): Tabs | null {
    return Tabs.join({
      name: `vigie ${this.options.server} ${subject}`,
      connect: () => this.connection.start(),
      disconnect: () => this.connection.stop(),
      onFrame: (frame) => this.apply(frame),
      onState: (state) => this.enter(state),
      onWelcome: (count, since) => this.follow(count, since),
      current: () => ({ state: this.currentState, count: this.lastCount, since: this.since }),
    });
  }

  private follow(count: Count | null, since: string | null): void {
    const missed = count !== null && this.lastCount !== null && count.seq > this.lastCount.seq;
    if (count !== null) this.applyCount(count);
    this.since = since ?? this.since;
    if (missed) this.emit('resync', undefined);
  }

  private apply(frame: Frame): void {
    if (frame.name === 'resync') {
      // The server may have been restored from a backup, with smaller seqs. The last count is shown until the next.
      this.seq = 0;
      this.since = null;
      this.emit('resync', undefined);
      return;
    }
    this.applyCount(frame.count);
    if (frame.name === 'count') return;
    const { notification } = frame;
    this.since = notification.cursor;
    this.emit('notification', { notification, isNew: frame.name === 'created' });
  }

  private applyCount(count: Count): void {
    if (count.seq < this.seq) return;
    this.seq = count.seq;
    this.lastCount = count;
    this.emit('count', count);
  }

  private isCurrent(generation: number): boolean {
    return this.running && generation === this.generation;
  }

  /** Leaves the tabs of the last user for those of this one. */
  private changeUser(): void {
    this.lastCount = null;
    this.seq = 0;
    this.since = null;
    this.emit('otherUser', undefined);
    if (!this.running) return;
    this.stop();
    this.start();
  }

  /** The last allowed token was refused: another tab may have a better one, so give the socket away. */
  private exhausted(): void {
    this.starting.cancel();
    this.tabs?.close();
    this.tabs = null;
    this.connection.stop();
    this.enter('auth-required');
  }

  private enter(state: ConnectionState): void {
    if (state === this.currentState) return;
    this.currentState = state;
    this.emit('state', state);
  }
}
