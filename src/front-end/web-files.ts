import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { serveConsole } from './console-pages.js';
import { answer, compress, type WebFile } from './web-file.js';

/** The built front end, from src and from dist. */
const BUILT = fileURLToPath(new URL('../../dist/web', import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

/** A name with a hash of the content never changes its content. */
const HASHED = /-[\w-]{8}\.\w+$/;
const FOREVER = 'public, max-age=31536000, immutable';
/** A page that embeds the inbox gets a new version within five minutes of its release. */
const SHORT = 'public, max-age=300';

/**
 * The service worker for pushes. At the root, so that it may be responsible for every page without
 * `Service-Worker-Allowed`: https://www.w3.org/TR/service-workers/#service-worker-allowed
 */
const PUSH_WORKER = '/push-worker.js';
const PUSH_WORKER_HEADERS = {
  'cache-control': 'no-cache',
  // It renews subscriptions by the API. The policy of a worker is that of its own file.
  'content-security-policy': "default-src 'none'; connect-src 'self'",
};

/**
 * Serves the files of the front end (`/inbox.js`, `/assets/…`) and the console from memory. Any origin may load them, because pages of
 * other origins embed the inbox. Without a built front end, logs that, and serves none.
 */
export function serveWeb(app: NestFastifyApplication, folder = BUILT): void {
  const server = app.getHttpAdapter().getInstance();
  const files = readFiles(folder);
  if (files.length === 0) {
    new Logger('Web').warn({ event: 'web_not_built', hint: 'npm run build:web', folder });
  }
  serveConsole(app, folder);
  for (const file of files) {
    server.get(file.path, (request, reply) => {
      void reply.headers(file.path === PUSH_WORKER ? PUSH_WORKER_HEADERS : sharedHeaders(file.path));
      return answer(file, request, reply);
    });
  }
}

function sharedHeaders(path: string): Record<string, string> {
  return {
    'cache-control': HASHED.test(path) ? FOREVER : SHORT,
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
  };
}

function readFiles(folder: string): (WebFile & { path: string })[] {
  return pathsIn(folder).flatMap((path) => {
    const type = TYPES[path.split('.').at(-1) ?? ''];
    if (type === undefined) return [];
    return [{ path: `/${path}`, ...compress(type, readFileSync(join(folder, path))) }];
  });
}

/** Every file below the folder, by its path from there; none if the folder does not exist. */
function pathsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).replaceAll(sep, '/'));
}
