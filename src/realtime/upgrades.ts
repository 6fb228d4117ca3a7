import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** Headers that ask for another protocol; without them the same request is an ordinary one. */
const OF_UPGRADE = ['connection', 'upgrade', 'http2-settings'];

/**
 * A request that would upgrade to what this server does not speak (`curl --http2`) is answered as if it had not asked
 * (RFC 9110 §7.8). Node gives up the connection of such a request once anybody listens for upgrades, so its head is
 * written anew, and the connection goes back to the server.
 * @param path where upgrades are taken.
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
