import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

/**
 * The HTTP connections of this process, and their end when it stops. The server closes only when all connections have,
 * so a client that keeps its connection busy, or has connected and sends nothing, would keep the process alive.
 */
@Injectable()
export class HttpConnections implements OnModuleInit, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly open = new Set<Socket>();
  private stopping = false;

  constructor(private readonly host: HttpAdapterHost) {}

  /** From now on each answer is the last one of its connection. */
  get areEnding(): boolean {
    return this.stopping;
  }

  onModuleInit(): void {
    // The command line has no server.
    const { httpAdapter } = this.host as Partial<HttpAdapterHost>;
    const server = httpAdapter?.getHttpServer() as Server | undefined;
    server?.on('connection', (connection: Socket) => {
      // An ignored upgrade hands the connection back to the server.
      if (this.open.has(connection)) return;
      this.open.add(connection);
      connection.once('close', () => this.open.delete(connection));
    });
  }

  onModuleDestroy(): void {
    this.stopping = true;
  }

  /** Browsers connect ahead of time. Node treats such a connection as busy and waits for it. */
  beforeApplicationShutdown(): void {
    for (const connection of this.open) if (connection.bytesRead === 0) connection.destroy();
  }
}
