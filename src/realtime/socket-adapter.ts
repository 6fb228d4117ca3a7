import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import type { Redis } from 'ioredis';
import type { Server as HttpServer } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Server, ServerOptions } from 'socket.io';
import type { Config } from '../platform/config/config.js';
import { consumerConnection, producerConnection } from '../platform/queues/connections.js';

/** A larger message closes its connection. */
const MESSAGE_LIMIT = 65_536;
/** A connection that has joined no namespace by then is closed: refused ones too. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Messages between processes that Redis keeps. They are few: feeds are read from PostgreSQL. */
const STREAM_LENGTH = 1_000;
/** How long a stopping process waits for clients to say goodbye: a dead one would hold it for half a minute. */
const GOODBYE_MS = 1_000;

/**
 * Socket.IO beside the HTTP server: WebSocket only, no cookies (a token is sent in the handshake, so any origin
 * may connect), and one set of rooms over all web processes by a Redis stream.
 */
export class SocketAdapter extends IoAdapter {
  private readonly readers: Redis[] = [];
  private readonly connections = new Set<Duplex>();
  private publisher: Redis | null = null;

  constructor(
    app: INestApplicationContext,
    private readonly config: Config,
  ) {
    super(app);
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    const http = this.httpServer as HttpServer;
    http.on('upgrade', (_request, connection: Duplex) => {
      this.connections.add(connection);
      connection.once('close', () => this.connections.delete(connection));
    });
    const server = super.createIOServer(port, {
      ...options,
      transports: ['websocket'],
      allowUpgrades: false,
      serveClient: false,
      maxHttpBufferSize: MESSAGE_LIMIT,
      connectTimeout: CONNECT_TIMEOUT_MS,
      adapter: this.streams(),
    } as ServerOptions);
    server.of('/').use((_socket, next) => {
      next(Object.assign(new Error('connect to /notifications'), { data: { code: 'not_found' } }));
    });
    return server;
  }

  override async close(server: Server): Promise<void> {
    const late = setTimeout(() => {
      for (const connection of this.connections) connection.destroy();
    }, GOODBYE_MS);
    await super.close(server);
    clearTimeout(late);
    // The reader stops when a read ends, which would be seconds from now.
    for (const redis of [this.publisher, ...this.readers]) redis?.disconnect();
  }

  /**
   * Publishing fails fast and what was to be said is dropped, since PostgreSQL has it; reading waits for Redis.
   * The adapter asks for its readers by `duplicate`, and a copy of the publisher would spin while Redis is away.
   */
  private streams(): ServerOptions['adapter'] {
    const url = this.config.redisUrl ?? '';
    this.publisher = Object.assign(producerConnection(url), {
      duplicate: () => {
        const reader = consumerConnection(url);
        this.readers.push(reader);
        // Nobody else listens to what becomes of it: ended while it waits for Redis, it would end the process.
        const subscribe = reader.subscribe.bind(reader);
        return Object.assign(reader, {
          subscribe: (channels: string[]) => subscribe(...channels).catch(() => undefined),
        });
      },
    });
    return createAdapter(this.publisher, {
      streamName: `${this.config.redisPrefix}:sockets`,
      channelPrefix: `${this.config.redisPrefix}:sockets`,
      maxLen: STREAM_LENGTH,
      onlyPlaintext: true,
    }) as ServerOptions['adapter'];
  }
}
