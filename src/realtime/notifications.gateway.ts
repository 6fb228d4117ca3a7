import { type BeforeApplicationShutdown, Logger, type OnModuleInit } from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  type OnGatewayInit,
  SubscribeMessage,
  WebSocketGateway,
} from '@nestjs/websockets';
import { isUUID } from 'class-validator';
import type { DefaultEventsMap, Namespace } from 'socket.io';
import type { Acknowledgement, ClientMessages, ServerMessages } from '../contracts/socket-messages.js';
import { Feed } from '../notifications/feed/feed.service.js';
import { Database } from '../platform/database/database.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { ERRORS, type ErrorCode } from '../platform/errors/error-table.js';
import { toProblem } from '../platform/errors/problem.filter.js';
import { WakeUps } from '../platform/queues/wake-ups.js';
import { Handshake } from './handshake.js';
import { LiveFeeds } from './live-feeds.js';
import { MessageAllowance } from './message-allowance.js';
import type { FeedSocket, SocketData } from './subscriber.js';

const MAX_IDS = 200;

const MESSAGES: ReadonlySet<string> = new Set<keyof ClientMessages>([
  'notifications.read',
  'notifications.read_all',
]);

/** Live updates of the feed: namespace `/notifications`, as in contracts/socket-messages. */
@WebSocketGateway({ namespace: '/notifications' })
export class NotificationsGateway
  implements OnModuleInit, OnGatewayInit, OnGatewayConnection, OnGatewayDisconnect, BeforeApplicationShutdown
{
  private readonly logger = new Logger('NotificationsGateway');

  constructor(
    private readonly handshake: Handshake,
    private readonly feeds: LiveFeeds,
    private readonly feed: Feed,
    private readonly database: Database,
    private readonly wakeUps: WakeUps,
  ) {}

  onModuleInit(): void {
    this.wakeUps.on('feed.changed', ({ tenant_id, user_ids }) => this.feeds.wake(tenant_id, user_ids));
    this.wakeUps.on('access.revoked', ({ tenant_id, user_ids }) => {
      void this.feeds.revoke(tenant_id, user_ids);
    });
  }

  afterInit(namespace: Namespace<ClientMessages, ServerMessages, DefaultEventsMap, SocketData>): void {
    namespace.use(this.handshake.admit);
  }

  handleConnection(socket: FeedSocket): void {
    const allowance = new MessageAllowance();
    socket.use(([message, ...rest], next) => {
      const allowed = allowance.take();
      if (allowed && MESSAGES.has(message)) next();
      else if (allowance.abused) socket.disconnect(true);
      else acknowledge(rest.at(-1), refusal(allowed ? 'validation_failed' : 'too_many_attempts'));
    });
    if (socket.data.resync) socket.emit('resync_required');
    this.feeds.add(socket);
  }

  handleDisconnect(socket: FeedSocket): void {
    this.feeds.remove(socket);
  }

  @SubscribeMessage('notifications.read')
  async read(
    @ConnectedSocket() socket: FeedSocket,
    @MessageBody() message: unknown,
  ): Promise<Acknowledgement> {
    const ids = idsOf(message);
    if (ids === null)
      return refusal('validation_failed', `send {"ids": [1 to ${MAX_IDS} ids]} and nothing else`);
    return this.change(socket, (tx, userId) => this.feed.markRead(tx, userId, ids));
  }

  @SubscribeMessage('notifications.read_all')
  async readAll(
    @ConnectedSocket() socket: FeedSocket,
    @MessageBody() message: unknown,
  ): Promise<Acknowledgement> {
    if (message !== undefined) return refusal('validation_failed', 'send no data with it');
    return this.change(socket, (tx, userId) => this.feed.markAllRead(tx, userId));
  }

  /** Clients reconnect to another process. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.feeds.close();
  }

  private async change(
    { data: { tenant_id, user_id } }: FeedSocket,
    work: (tx: TenantTransaction, userId: string) => Promise<number>,
  ): Promise<Acknowledgement> {
    try {
      const updated = await this.database.tenant(tenant_id, (tx) => work(tx, user_id));
      // The wake-up comes back through Redis; sockets of this process need not wait for that, or for Redis.
      if (updated > 0) this.feeds.wake(tenant_id, [user_id]);
      return { ok: true, updated };
    } catch (error) {
      const { code } = toProblem(error);
      if (ERRORS[code].report) this.logger.error({ event: 'message_failed', code, err: error });
      return refusal(code);
    }
  }
}

/** Answers a client that requested an acknowledgement. */
function acknowledge(callback: unknown, answer: Acknowledgement): void {
  if (isCallback(callback)) callback(answer);
}

function isCallback(value: unknown): value is (answer: Acknowledgement) => void {
  return typeof value === 'function';
}

function refusal(code: ErrorCode, detail?: string): Acknowledgement {
  return { ok: false, code, ...(detail === undefined ? {} : { detail }) };
}

/** The ids of `{ids: […]}`, or null for any other message. */
function idsOf(message: unknown): string[] | null {
  if (typeof message !== 'object' || message === null || !('ids' in message)) return null;
  const { ids, ...rest } = message;
  if (Object.keys(rest).length > 0 || !Array.isArray(ids) || ids.length < 1 || ids.length > MAX_IDS)
    return null;
  return ids.every((id): id is string => isUUID(id)) ? ids : null;
}
