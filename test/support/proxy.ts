import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy to a service, with network faults. */
export interface Proxy {
  url: string;
  /** Resets every connection, and refuses new ones. */
  cut(): void;
  /** Stops forwarding without closing connections, like a vanished host: neither side gets a reset. */
  silence(): void;
  /** Resolves once a client has sent this text. From then on its connection is silent, before the text is forwarded. */
  silenceAt(text: string): Promise<void>;
  /** New connections work again; silenced ones stay silent. */
  restore(): void;
  /** Resets every connection, and leads new ones to another service, like a virtual address that moves. */
  moveTo(target: string): void;
  close(): Promise<void>;
}

/** Starts a proxy to the service at this URL. */
export async function proxyTo(target: string): Promise<Proxy> {
  let { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let marked: { text: string; reached: () => void } | undefined;
  let state: 'working' | 'cut' | 'silent' = 'working';
  const server = createServer((near) => {
    near.on('error', () => undefined);
    if (state === 'cut') {
      near.destroy();
      return;
    }
    sockets.add(near);
    near.on('close', () => sockets.delete(near));
    if (state === 'working') forward(near);
  });
  const forward = (near: Socket) => {
    const far = connect(Number(port), hostname);
    sockets.add(far);
    // Before the pipe, which forwards what this listener has seen.
    near.on('data', (data: Buffer) => {
      if (marked === undefined || !data.includes(marked.text)) return;
      mute([near, far]);
      marked.reached();
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  };
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const reset = () => {
    for (const socket of sockets) socket.destroy();
  };
  const cut = () => {
    state = 'cut';
    reset();
  };
  return {
    url: Object.assign(new URL(target), {
      host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    }).href,
    cut,
    silence: () => {
      state = 'silent';
      mute(sockets);
    },
    silenceAt: (text) => new Promise((reached) => (marked = { text, reached })),
    restore: () => (state = 'working'),
    moveTo: (other) => {
      ({ hostname, port } = new URL(other));
      state = 'working';
      reset();
    },
    close: async () => {
      cut();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Keeps reading, so that no full buffer slows the sender down. */
function mute(sockets: Iterable<Socket>): void {
  for (const socket of sockets) socket.unpipe().resume();
}
