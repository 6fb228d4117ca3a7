import { IoAdapter } from '@nestjs/platform-socket.io';
import type { INestApplicationContext } from '@nestjs/common';
import proxyAddress, { compile } from '@fastify/proxy-addr';
import type { IncomingMessage, RequestListener, Server as HttpServer } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Server, ServerOptions } from 'socket.io';
import type { Config } from '../platform/config/config.js';
import { addressOf, networkOf, trustedProxies } from '../platform/http/addresses.js';
import { admitsOrigin } from '../platform/http/web-origins.js';
import { Places } from './places.js';
import { ignoreForeignUpgrades } from './upgrades.js';

/** A larger message closes its connection. */
const MAX_MESSAGE_BYTES = 65_536;
/** A connection that has joined no namespace by then is closed, even if it was refused. */
const CONNECT_TIMEOUT_MS = 10_000;
/** How long a stopping process waits for clients to close: without a limit a dead one would delay it for 30 s. */
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * Socket.IO beside the HTTP server: WebSocket only, for pages of this server and of `WEB_ORIGINS`, and for
 * programs. Processes share no rooms: each reads its own sockets' feeds from PostgreSQL.
 */
export class SocketAdapter extends IoAdapter {
  private readonly connections = new Set<Duplex>();
  private readonly places: Places;
  private readonly trusted: ReturnType<typeof compile>;

  constructor(
    app: INestApplicationContext,
    private readonly config: Config,
  ) {
    super(app);
    this.places = new Places(config.socketsPerAddress);
    this.trusted = compile(trustedProxies(config.trustProxy));
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    const http = this.httpServer as HttpServer;
    http.on('upgrade', (_request, connection: Duplex) => {
      if (this.connections.has(connection)) return;
      this.connections.add(connection);
      connection.once('close', () => this.connections.delete(connection));
    });
    const answering = http.listeners('request') as RequestListener[];
    const server = super.createIOServer(port, {
      ...options,
      transports: ['websocket'],
      allowUpgrades: false,
      serveClient: false,
      // `ignoreForeignUpgrades` answers them.
      destroyUpgrade: false,
      allowRequest: (request: IncomingMessage, decide: (error: string | null, allowed: boolean) => void) => {
        const refusal = this.refusalOf(request);
        decide(refusal, refusal === null);
      },
      maxHttpBufferSize: MAX_MESSAGE_BYTES,
      connectTimeout: CONNECT_TIMEOUT_MS,
      // Frames are about 500 bytes. Compressing them costs more CPU than it saves, and memory per connection.
      perMessageDeflate: false,
    } as ServerOptions);
    // Without polling, a request that is not an upgrade is an ordinary request.
    http.removeAllListeners('request');
    for (const listener of answering) http.on('request', listener);
    ignoreForeignUpgrades(http, `${server.path()}/`);
    server.of('/').use((_socket, next) => {
      next(Object.assign(new Error('connect to /notifications'), { data: { code: 'not_found' } }));
    });
    return server;
  }

  /** Why a connection is refused before its handshake, or null. */
  private refusalOf(request: IncomingMessage): string | null {
    if (!admitsOrigin(request.headers, this.config))
      return 'pages of this origin may not connect: WEB_ORIGINS';
    return this.takePlace(request) ? null : 'too many connections from this address';
  }

  /** Counted before authentication: every connection costs memory and a file descriptor. */
  private takePlace(request: IncomingMessage): boolean {
    const ip = proxyAddress(request, this.trusted);
    const leave = this.places.take(networkOf(addressOf({ ip, socket: request.socket })));
    if (leave === null) return false;
    request.socket.once('close', leave);
    return true;
  }

  override async close(server: Server): Promise<void> {
    const late = setTimeout(() => {
      for (const connection of this.connections) connection.destroy();
    }, CLOSE_TIMEOUT_MS);
    await super.close(server);
    clearTimeout(late);
  }
}
