import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { selfSigned } from '../../../test/support/self-signed.js';
import { runCheck } from './check.js';
import { CHECKS } from './checks.js';
import { createContext, type DoctorContext, type DoctorOptions } from './context.js';
import type { CheckedFinding } from './finding.js';

/** An external installation that does not exist: enough to read the configuration. */
export const NOWHERE: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgres://owner@127.0.0.1:1/vigie',
  REDIS_URL: 'redis://127.0.0.1:1',
  JWT_SECRET: 'a secret that only the tests know; 32+',
};

/** Runs one check of `vigie doctor` with these settings. */
export async function check(
  id: string,
  environment: Readonly<Record<string, string | undefined>>,
  options: DoctorOptions & Partial<Pick<DoctorContext, 'now' | 'statfs'>> = {},
): Promise<CheckedFinding[]> {
  const found = CHECKS.find((each) => each.id === id);
  if (found === undefined) throw new Error(`there is no check ${id}`);
  return runCheck(found, { ...(await createContext(environment)), ...options });
}

/** A finding with this state, and words in its message and its remedy. */
export function finding(state: string, message: RegExp, remedy?: RegExp): unknown {
  return expect.objectContaining({
    state,
    message: expect.stringMatching(message) as unknown,
    ...(remedy === undefined ? {} : { remedy: expect.stringMatching(remedy) as unknown }),
  });
}

export interface Listening {
  port: number;
  close(): Promise<unknown>;
}

/** A server on loopback that encrypts with an untrusted certificate and never answers. */
export async function startTlsServer(): Promise<Listening> {
  return listening(createTlsServer(selfSigned(), (socket) => socket.on('error', () => undefined)));
}

/** A server on loopback that answers in plain text only. */
export async function startPlainServer(answer = 'hello\r\n'): Promise<Listening> {
  return listening(
    createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end(answer),
    ),
  );
}

async function listening(server: Server): Promise<Listening> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: () => new Promise((closed) => server.close(closed)),
  };
}
