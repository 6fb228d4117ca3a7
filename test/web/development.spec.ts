import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../rules/sources.js';

/** Like `npm run web`, on any free port; prints what a browser gets. */
const script = (cacheDir: string) => `
  import { createServer } from 'vite';
  const server = await createServer({
    configFile: 'web/vite.config.mjs',
    cacheDir: ${JSON.stringify(cacheDir)},
    optimizeDeps: { noDiscovery: true },
    server: { host: '127.0.0.1', port: 0 },
    logLevel: 'error',
  });
  await server.listen();
  const url = 'http://127.0.0.1:' + server.httpServer.address().port;
  const get = async (path, accept) => (await fetch(url + path, { headers: { accept } })).text();
  const page = await get('/due-items', 'text/html');
  const [, entry] = /<script type="module" src="([^"]+\\.ts)"/.exec(page) ?? [];
  console.log(JSON.stringify({
    page,
    entry: await get(new URL(entry, url).pathname, '*/*'),
    inbox: await get('/inbox.html', 'text/html'),
    api: await get('/api/v1/me', 'text/html'),
  }));
  await server.close();
`;

it('V20: Vite’s development server serves pages and scripts with hot reload, and forwards the rest to the server', async () => {
  const api = createServer((request, response) => response.end(`server: ${request.url!}`));
  await once(api.listen(0, '127.0.0.1'), 'listening');
  const cache = mkdtempSync(join(tmpdir(), 'vigie-vite-'));
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', script(cache)],
      {
        cwd: ROOT,
        timeout: 50_000,
        env: {
          ...process.env,
          NODE_ENV: 'development',
          VIGIE_URL: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
        },
      },
    );
    const got = JSON.parse(stdout) as Record<'page' | 'entry' | 'inbox' | 'api', string>;
    for (const page of [got.page, got.inbox]) expect(page).toContain('/@vite/client');
    expect(got.page).toContain('console');
    expect(got.inbox).toContain('<vigie-inbox');
    expect(got.entry).toMatch(/import .*from ["']\//);
    expect(got.api).toBe('server: /api/v1/me');
  } finally {
    api.close();
    rmSync(cache, { recursive: true });
  }
}, 60_000);
