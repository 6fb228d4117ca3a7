import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { writeFileAtomic } from './write-file-atomic.js';

/** The ports of the last start: kept where free, so that a saved address stays valid. */
export interface Ports {
  postgres?: number;
  redis?: number;
}

const fileOf = (data_dir: string): string => join(data_dir, 'ports.json');

export async function recallPorts(data_dir: string): Promise<Ports> {
  try {
    const saved = JSON.parse(await readFile(fileOf(data_dir), 'utf8')) as Partial<Record<string, unknown>>;
    const port = (value: unknown): number | undefined =>
      Number.isInteger(value) && Number(value) > 1023 && Number(value) < 65_536 ? Number(value) : undefined;
    return { postgres: port(saved['postgres']), redis: port(saved['redis']) };
  } catch {
    // Only a preference: ignore an absent or truncated file.
    return {};
  }
}

export async function rememberPorts(data_dir: string, ports: Ports): Promise<void> {
  await writeFileAtomic(fileOf(data_dir), `${JSON.stringify(ports)}\n`, 0o644);
}

/**
 * A port of 127.0.0.1 that was free a moment ago, the preferred one if possible. Another process may take it before the
 * service binds it: callers retry with another.
 */
export async function freePort(preferred?: number): Promise<number> {
  const kept = preferred === undefined ? undefined : await tryPort(preferred);
  const port = kept ?? (await tryPort(0));
  if (port === undefined) throw new Error('no free port on 127.0.0.1');
  return port;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const bound = (server.address() as AddressInfo).port;
      server.close(() => resolve(bound));
    });
  });
}
