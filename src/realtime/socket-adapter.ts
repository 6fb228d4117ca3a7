import { IoAdapter } from '@nestjs/platform-socket.io';
import type { RequestListener, Server as HttpServer } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Server, ServerOptions } from 'socket.io';
import { ignoreForeignUpgrades } from './upgrades.js';

/** A larger message closes its connection. */
const MAX_MESSAGE_BYTES = 65_536;
/** A connection that has joined no namespace by then is closed; so is one that was refused. */
const CONNECT_TIMEOUT_MS = 10_000;
/** How long a stopping process waits for clients to close: without a limit a dead one would hold it for 30 s. */
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * Socket.IO beside the HTTP server: WebSocket only, and no cookies (the handshake carries a token, so any origin may
 * connect). Processes share no rooms: each reads its own sockets' feeds from PostgreSQL.
 */
export class SocketAdapter extends IoAdapter {
  private readonly connections = new Set<Duplex>();

  override createIOServer(port: number, options?: ServerOptions): Server {
    const http = this.httpServer as HttpServer;
    http.on('upgrade', (_request, connection: Duplex) => {
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
      maxHttpBufferSize: MAX_MESSAGE_BYTES,
      connectTimeout: CONNECT_TIMEOUT_MS,
      // Frames are about 500 bytes. Compressing them costs more CPU than it saves, and memory for each connection.
      perMessageDeflate: false,
    } as ServerOptions);
    // There is no polling: what is no upgrade is a request like any other.
    http.removeAllListeners('request');
    for (const listener of answering) http.on('request', listener);
    ignoreForeignUpgrades(http, `${server.path()}/`);
    server.of('/').use((_socket, next) => {
      next(Object.assign(new Error('connect to /notifications'), { data: { code: 'not_found' } }));
    });
    return server;
  }

  override async close(server: Server): Promise<void> {
    const late = setTimeout(() => {
      for (const connection of this.connections) connection.destroy();
    }, CLOSE_TIMEOUT_MS);
    await super.close(server);
    clearTimeout(late);
  }
}
