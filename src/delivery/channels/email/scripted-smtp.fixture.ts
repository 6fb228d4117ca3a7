import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** The step at which the script decides. `body`: 354 was sent and the first bytes arrived; `dot`: all arrived. */
export type Step = 'greeting' | 'ehlo' | 'starttls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'body' | 'dot';

/** The server's action: its normal reply, another reply, or a fault. */
export type Act =
  | 'ok'
  | { reply: string }
  /** TCP reset. */
  | 'reset'
  /** An orderly close without a reply. */
  | 'close'
  /** No reply, for as long as the client waits. */
  | 'silence'
  /** A reply that never ends, a byte every few ms. */
  | 'trickle';

export interface Where {
  /** Counted from 1. */
  connection: number;
  /** Null before RCPT. */
  to: string | null;
}

export interface ReceivedMail {
  message_id: string;
  to: string;
  body: string;
}

export interface ScriptedSmtp {
  readonly port: number;
  /** Mails that arrived completely, including the final dot, whatever the reply was. */
  readonly received: readonly ReceivedMail[];
  /** Every line the clients sent outside of bodies. */
  readonly commands: readonly string[];
  readonly connections: number;
  /** Bytes of bodies that were truncated before their dot. */
  readonly cutBytes: number;
  /** Called when the last open connection has ended. */
  onIdle: (() => void) | null;
  /** Resets every connection, as a restart does. */
  dropConnections(): void;
  close(): Promise<void>;
}

export interface ScriptedSmtpOptions {
  script?: (step: Step, where: Where) => Act | Promise<Act>;
  /** Lines of the EHLO reply, such as `AUTH PLAIN`. */
  extensions?: string[];
  /** Replies to lines that are not commands, such as those of AUTH LOGIN. */
  answers?: Readonly<Record<string, string>>;
  /** A free one by default. */
  port?: number;
}

const ORDINARY: Record<Step, string> = {
  greeting: '220 scripted ESMTP',
  ehlo: '',
  starttls: '502 5.5.1 Not implemented',
  auth: '235 2.7.0 Welcome',
  mail: '250 2.1.0 Ok',
  rcpt: '250 2.1.5 Ok',
  data: '354 Go on',
  body: '',
  dot: '250 2.0.0 Ok: queued as SCRIPTED1',
};
const TRICKLE_MS = 5;

/** An SMTP server on loopback that fails where its script says, for tests with real sockets. */
export async function startScriptedSmtp(options: ScriptedSmtpOptions = {}): Promise<ScriptedSmtp> {
  const { script = () => 'ok', extensions = ['PIPELINING'], answers = {}, port = 0 } = options;
  const received: ReceivedMail[] = [];
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let cutBytes = 0;

  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    void serve(socket, { connection: connections, to: null });
  });

  async function serve(socket: Socket, where: Where): Promise<void> {
    let body: string[] | null = null;
    let recipient = false;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0) scripted.onIdle?.();
      cutBytes += body?.join('\n').length ?? 0;
    });

    const act = async (step: Step): Promise<'ok' | 'replied' | 'gone'> => {
      let what = await script(step, where);
      if (step === 'rcpt') recipient = what === 'ok';
      // Pipelined DATA after a refused RCPT (RFC 2920 §3.1).
      if (step === 'data' && what === 'ok' && !recipient) what = { reply: '554 5.5.1 No valid recipients' };
      if (what === 'ok') {
        if (step === 'ehlo') socket.write(ehlo(extensions));
        else if (ORDINARY[step] !== '') socket.write(`${ORDINARY[step]}\r\n`);
        return 'ok';
      }
      if (typeof what === 'object') {
        socket.write(`${what.reply}\r\n`);
        return 'replied';
      }
      if (what === 'reset') socket.resetAndDestroy();
      if (what === 'close') socket.end();
      if (what === 'trickle') {
        const timer = setInterval(() => socket.write('2'), TRICKLE_MS);
        socket.once('close', () => {
          clearInterval(timer);
        });
      }
      return 'gone';
    };

    if ((await act('greeting')) === 'gone') {
      swallow(socket);
      return;
    }
    try {
      for await (const line of lines(socket)) {
        if (body !== null) {
          if (body.length === 0 && (await act('body')) === 'gone') return;
          if (line !== '.') {
            body.push(line);
            continue;
          }
          received.push(toMail(body, where));
          body = null;
          if ((await act('dot')) === 'gone') break;
          continue;
        }
        commands.push(line);
        if (answers[line] !== undefined) {
          socket.write(`${answers[line]}\r\n`);
          continue;
        }
        const step = stepOf(line);
        if (step === null) {
          socket.write(line === 'QUIT' ? '221 Bye\r\n' : '250 Ok\r\n');
          continue;
        }
        if (step === 'rcpt') where.to = /<(.*)>/.exec(line)?.[1] ?? '';
        const done = await act(step);
        if (done === 'gone') break;
        if (step === 'data' && done === 'ok') body = [];
      }
      swallow(socket);
    } catch {
      // The client has gone.
    }
  }

  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const scripted: ScriptedSmtp = {
    port: (server.address() as AddressInfo).port,
    received,
    commands,
    get connections() {
      return connections;
    },
    get cutBytes() {
      return cutBytes;
    },
    onIdle: null,
    dropConnections: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return scripted;
}

function stepOf(line: string): Step | null {
  const verb = /^[A-Z]+/i.exec(line)?.[0].toUpperCase() ?? '';
  const step = verb === 'HELO' ? 'ehlo' : verb.toLowerCase();
  return ['ehlo', 'starttls', 'auth', 'mail', 'rcpt', 'data'].includes(step) ? (step as Step) : null;
}

function ehlo(extensions: readonly string[]): string {
  const all = ['scripted', ...extensions];
  return all.map((line, i) => `250${i === all.length - 1 ? ' ' : '-'}${line}\r\n`).join('');
}

function toMail(body: readonly string[], where: Where): ReceivedMail {
  const text = body.join('\n');
  return { message_id: /^message-id: (.*)$/im.exec(text)?.[1] ?? '', to: where.to ?? '', body: text };
}

/** Lines as they arrive; unread ones stay in the socket, so that a slow script makes a slow reader. */
async function* lines(socket: Socket): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const parts = (rest + chunk.toString('latin1')).split('\r\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  socket.end();
}

/** Reads silently, to notice when the client disconnects. */
function swallow(socket: Socket): void {
  if (!socket.destroyed) socket.resume();
}
