import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A service behind a wire that a test can cut. */
export interface Proxy {
  url: string;
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

/** Puts a wire before the service at this URL. */
export async function proxyTo(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let whole = true;
  const server = createServer((near) => {
    if (!whole) {
      near.destroy();
      return;
    }
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const cut = () => {
    whole = false;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: Object.assign(new URL(target), {
      host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    }).href,
    cut,
    mend: () => (whole = true),
    close: async () => {
      cut();
      await new Promise((closed) => server.close(closed));
    },
  };
}
