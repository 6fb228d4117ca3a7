import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { answer, compress } from './web-file.js';

/**
 * Only files of this server, and nothing inline: text from people that is shown as markup by mistake can neither run nor
 * send anything. `frame-src`: caught mails, in a sandboxed frame. https://www.w3.org/TR/CSP3/
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Serves the console at the address of each of its pages, so that a deep link opens and a reload works. The build writes
 * the list from web/console/pages.ts; without a built front end nothing is served.
 */
export function serveConsole(app: NestFastifyApplication, folder: string): void {
  const shell = join(folder, 'console/index.html');
  if (!existsSync(shell)) return;
  const file = compress('text/html; charset=utf-8', readFileSync(shell));
  const paths = JSON.parse(readFileSync(join(folder, 'console/pages.json'), 'utf8')) as string[];
  for (const path of paths) {
    app
      .getHttpAdapter()
      .getInstance()
      .get(path, (request, reply) => {
        void reply.headers({
          'content-security-policy': POLICY,
          // A new version of the server has other names of scripts: the browser asks each time, and gets 304.
          'cache-control': 'no-cache',
          'cross-origin-opener-policy': 'same-origin',
        });
        return answer(file, request, reply);
      });
  }
}
