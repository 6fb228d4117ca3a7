import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** Headers that request another protocol; without them the same request is an ordinary one. */
const OF_UPGRADE = ['connection', 'upgrade', 'http2-settings'];

/**
 * Answers a request to upgrade to an unsupported protocol (`curl --http2`) as an ordinary request (RFC 9110 §7.8). Node
 * gives up the connection of such a request once anybody listens for upgrades, so this rewrites its head and returns
 * the connection to the server.
 * @param path where upgrades are accepted.
 */
export function ignoreForeignUpgrades(server: Server, path: string): void {
  server.on('upgrade', (request: IncomingMessage, connection: Duplex, rest: Buffer) => {
    if (request.url?.startsWith(path) === true) return;
    connection.unshift(Buffer.concat([headOf(request), rest]));
    server.emit('connection', connection);
  });
}

function headOf({ method, url, httpVersion, rawHeaders, headers }: IncomingMessage): Buffer {
  const lines = [`${method ?? 'GET'} ${url ?? '/'} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    if (!OF_UPGRADE.includes(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  if (/\bclose\b/i.test(headers.connection ?? '')) lines.push('connection: close');
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
