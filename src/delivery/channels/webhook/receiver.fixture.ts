import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { SelfSigned } from '../../../../test/support/self-signed.js';

/** A request as received. */
export interface ReceivedCall {
  path: string;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** How a receiver behaves: a status with headers and body, or a fault. */
export type Behaviour =
  | number
  | { status: number; headers?: Record<string, string>; body?: string }
  /** Closes the connection with a reset: as soon as it is there, or once the request was read. */
  | 'reset_at_once'
  | 'reset_after_request'
  /** Never answers. */
  | 'silence'
  /** Sends 200 and a body that does not end. */
  | 'endless_body'
  /** Sends 200 and a byte of its body now and then. */
  | 'slow_body'
  /** Answers something other than HTTP. */
  | 'no_http';

/** A local HTTP server that behaves as receivers do. */
export class Receiver {
  readonly calls: ReceivedCall[] = [];
  /** Connections made, whatever their outcome. */
  connections = 0;
  /** Bytes of an endless body that were taken from it. */
  sentBytes = 0;
  private behaviour: (call: ReceivedCall) => Behaviour = () => 204;
  /** Applies to every connection: before it is read, no call is known. */
  private resetsAtOnce = false;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: http.Server | https.Server,
    private readonly scheme: 'http' | 'https',
    private readonly host: string,
  ) {
    server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => undefined);
      if (this.resetsAtOnce) socket.resetAndDestroy();
    });
    server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
      void this.answer(request, response);
    });
  }

  /** @param tls with this certificate over HTTPS; by default plain HTTP */
  static async start({
    tls,
    host = '127.0.0.1',
  }: { tls?: SelfSigned; host?: string } = {}): Promise<Receiver> {
    const server = tls === undefined ? http.createServer() : https.createServer(tls);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Receiver(server, tls === undefined ? 'http' : 'https', host);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.scheme}://${this.host}:${this.port}/hook`;
  }

  behave(behaviour: Behaviour | ((call: ReceivedCall) => Behaviour)): void {
    this.resetsAtOnce = behaviour === 'reset_at_once';
    this.behaviour = typeof behaviour === 'function' ? behaviour : () => behaviour;
  }

  /** The ids of the calls, in order. */
  get ids(): string[] {
    return this.calls.map(({ headers }) => String(headers['webhook-id']));
  }

  forget(): void {
    this.calls.length = 0;
    this.connections = 0;
  }

  async close(): Promise<void> {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, 'close');
  }

  private async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const call = {
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    this.calls.push(call);
    const behaviour = this.behaviour(call);
    if (typeof behaviour === 'number') response.writeHead(behaviour).end();
    else if (typeof behaviour === 'object')
      response.writeHead(behaviour.status, behaviour.headers).end(behaviour.body);
    else this.misbehave(behaviour, request.socket, response);
  }

  private misbehave(
    behaviour: Extract<Behaviour, string>,
    socket: Socket,
    response: http.ServerResponse,
  ): void {
    switch (behaviour) {
      case 'reset_at_once':
      case 'reset_after_request':
        socket.resetAndDestroy();
        break;
      case 'silence':
        break;
      case 'no_http':
        socket.end('220 mail.example ESMTP\r\n');
        break;
      case 'endless_body':
        response.writeHead(200);
        this.pour(response);
        break;
      case 'slow_body': {
        response.writeHead(200).write('.');
        const timer = setInterval(() => response.write('.'), 20);
        response.on('close', () => clearInterval(timer));
      }
    }
  }

  private pour(response: http.ServerResponse): void {
    const chunk = Buffer.alloc(16 * 1024, 'x');
    const more = () => {
      while (!response.destroyed && response.write(chunk)) this.sentBytes += chunk.length;
    };
    response.on('drain', more);
    more();
  }
}

/** Verifies the signature of a call, as a receiver does. @throws WebhookVerificationError */
export function verified(secret: string, { headers, body }: ReceivedCall): Record<string, unknown> {
  return new Webhook(secret).verify(body, headers as Record<string, string>) as Record<string, unknown>;
}
