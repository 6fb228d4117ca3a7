import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A proxy to PostgreSQL that can hide from a process that its transaction was committed. */
export interface CommitGate {
  url: string;
  /** From now on, holds back answers to the COMMIT of transactions that contain this text in an earlier statement. */
  holdAfter(statement: string): void;
  /** How many answers it holds back. */
  readonly held: number;
  close(): Promise<void>;
}

/** The server's confirmation of a commit (CommandComplete, with its tag). */
const COMMITTED = 'COMMIT\0';

/** Starts a proxy to the PostgreSQL at this URL. */
export async function commitGate(target: string): Promise<CommitGate> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let watched: string | null = null;
  let held = 0;

  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    let hit = false;
    let holding = false;
    near.on('data', (chunk) => {
      if (watched !== null && chunk.includes(watched)) hit = true;
      far.write(chunk);
    });
    far.on('data', (chunk) => {
      if (hit && !holding && chunk.includes(COMMITTED)) {
        holding = true;
        held += 1;
      }
      if (!holding) near.write(chunk);
    });
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
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: Object.assign(new URL(target), { host: `127.0.0.1:${(server.address() as AddressInfo).port}` }).href,
    holdAfter: (statement) => (watched = statement),
    get held() {
      return held;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
