import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Provider } from './providers.js';

/** What goes wrong with a message: an error status, or with its answer. */
export type ProviderFault =
  | { status: number; headers?: Record<string, string> }
  /** Accepts the message and resets the connection without an answer. */
  | 'lost_answer'
  /** Accepts the message and resets the connection in the middle of the answer. */
  | 'cut_answer'
  /** Accepts the message and never answers. */
  | 'silence'
  /** Accepts the message and answers a byte a second, without an end. */
  | 'trickle';

/** What goes wrong with a connection, before its message is known. */
export type ConnectionFault = 'reset_at_accept' | 'reset_in_body';

/** A provider on a socket, to be stopped and restarted. It counts what it accepts, by address. */
export class ProviderDesk {
  /** How often each address was sent a message that was accepted, with or without an answer. */
  readonly accepted = new Map<string, number>();
  /** When each address was asked for (`performance.now()`). */
  readonly asked = new Map<string, number[]>();
  private readonly sockets = new Set<Socket>();
  private readonly cut = new WeakSet<Socket>();
  private broken: ConnectionFault[] = [];
  private faultOf: (address: string) => ProviderFault | undefined = () => undefined;
  private server: Server;

  private constructor(
    readonly provider: Provider,
    private port = 0,
  ) {}

  static async start(provider: Provider): Promise<ProviderDesk> {
    const desk = new ProviderDesk(provider);
    await desk.restart();
    return desk;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The next connections break. */
  breakConnections(...faults: ConnectionFault[]): void {
    this.broken = faults;
  }

  /** How many of them have not been made yet. */
  get unbroken(): number {
    return this.broken.length;
  }

  /** The first message to an address meets its fault; the next ones are accepted. */
  behave(faultOf: (address: string) => ProviderFault | undefined): void {
    this.faultOf = faultOf;
  }

  async restart(): Promise<void> {
    this.server = createServer((request, response) => {
      if (this.cut.has(request.socket)) request.socket.resetAndDestroy();
      else void this.answer(request, response).catch(() => undefined);
    });
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.sockets.delete(socket));
      const fault = this.broken.shift();
      if (fault === 'reset_at_accept') socket.resetAndDestroy();
      else if (fault === 'reset_in_body') this.cut.add(socket);
    });
    await new Promise<void>((listening) => this.server.listen(this.port, '127.0.0.1', listening));
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Refuses connections. */
  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((closed) => this.server.close(closed));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const { method = '', url = '', headers } = request;
    const address = this.provider.addressOf({ method, path: url, headers, body: bytes.toString(), bytes });
    if (address === null) {
      reply(response, this.provider.greets);
      return;
    }
    const times = this.asked.get(address) ?? [];
    this.asked.set(address, [...times, performance.now()]);
    const fault = times.length === 0 ? this.faultOf(address) : undefined;
    if (typeof fault === 'object') {
      // After an internal error it may have been accepted, and here it was.
      if (fault.status === 500) this.accept(address);
      reply(response, fault);
      return;
    }
    this.accept(address);
    if (fault === undefined) reply(response, this.provider.accepts);
    else if (fault === 'lost_answer') request.socket.resetAndDestroy();
    else if (fault !== 'silence') {
      const { status } = this.provider.accepts;
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{');
      if (fault === 'cut_answer') setTimeout(() => request.socket.resetAndDestroy(), 50);
      else {
        const drip = setInterval(() => response.write(' '), 1_000);
        request.socket.once('close', () => clearInterval(drip));
      }
    }
  }

  private accept(address: string): void {
    this.accepted.set(address, (this.accepted.get(address) ?? 0) + 1);
  }
}

function reply(
  response: ServerResponse,
  {
    status,
    headers = {},
    body = '',
  }: { status: number; headers?: Record<string, string>; body?: string | object },
): void {
  const isText = typeof body === 'string';
  response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', ...headers });
  response.end(isText ? body : JSON.stringify(body));
}
