import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Logger } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createWorld, type World } from '../../test/support/world.js';
import { serveWeb } from './web-files.js';

@Module({})
class Nothing {}

let folder: string;
let app: NestFastifyApplication;

/** A server of the files in `folder` only. */
async function serve(): Promise<NestFastifyApplication> {
  app = await NestFactory.create<NestFastifyApplication>(Nothing, new FastifyAdapter(), { logger: false });
  serveWeb(app, folder);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vigie-web-'));
});
afterEach(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

it('V10: serves an entry for five minutes and hashed files forever, to any origin', async () => {
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'inbox.js'), 'export const one = 1;');
  writeFileSync(join(folder, 'assets/inbox-C4gK2_x-.js'), 'export const two = 2;');
  writeFileSync(join(folder, 'notes.txt'), 'of nobody');
  await serve();
  const get = (url: string, headers = {}) => app.inject({ method: 'GET', url, headers });
  const entry = await get('/inbox.js');
  expect([entry.statusCode, entry.body]).toEqual([200, 'export const one = 1;']);
  expect(entry.headers).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'public, max-age=300',
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
  });
  const chunk = await get('/assets/inbox-C4gK2_x-.js', { 'accept-encoding': 'gzip, br' });
  expect(chunk.headers).toMatchObject({
    'cache-control': 'public, max-age=31536000, immutable',
    'content-encoding': 'gzip',
  });
  expect(gunzipSync(chunk.rawPayload).toString()).toBe('export const two = 2;');
  const again = await get('/inbox.js', { 'if-none-match': entry.headers.etag as string });
  expect([again.statusCode, again.body]).toEqual([304, '']);
  expect((await get('/notes.txt')).statusCode).toBe(404);
  expect((await get('/assets/../../package.json')).statusCode).toBe(404);
});

it('N6: serves the service worker at the root, asked for each time, with the policy that it needs for the API', async () => {
  writeFileSync(join(folder, 'push-worker.js'), 'self;');
  await serve();
  const { statusCode, headers } = await app.inject({ method: 'GET', url: '/push-worker.js' });
  expect([statusCode, headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8']);
  expect(headers).toMatchObject({
    'cache-control': 'no-cache',
    'content-security-policy': "default-src 'none'; connect-src 'self'",
  });
  expect(headers).not.toHaveProperty('access-control-allow-origin');
});

it('V10: a server without a built front end starts, and logs what is missing', async () => {
  const warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
  rmSync(folder, { recursive: true });
  await serve();
  expect(warned).toHaveBeenCalledWith(
    expect.objectContaining({ event: 'web_not_built', hint: 'npm run build:web' }),
  );
  mkdirSync(folder);
});

it('V10: the files of the installation have the headers of every answer', async () => {
  await serve();
  const world: World = await createWorld();
  try {
    const { status, headers } = await world.http('GET', '/inbox.js');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'access-control-allow-origin': '*',
    });
  } finally {
    await world.close();
  }
});

it('V20: serves the console at the address of each of its pages, and nothing else at the others', async () => {
  mkdirSync(join(folder, 'console'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'console/index.html'), '<!doctype html><title>Vigie</title>');
  writeFileSync(join(folder, 'console/pages.json'), '["/","/backups/:id"]');
  writeFileSync(join(folder, 'assets/console-C4gK2_x-.css'), 'a{}');
  await serve();
  const get = (url: string, headers = {}) => app.inject({ method: 'GET', url, headers });
  for (const url of ['/', '/?tenant=x', '/backups/7d2f?tab=files']) {
    const page = await get(url);
    expect([page.statusCode, page.body]).toEqual([200, '<!doctype html><title>Vigie</title>']);
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    });
    const again = await get(url, { 'if-none-match': page.headers.etag as string });
    expect([again.statusCode, again.body]).toEqual([304, '']);
  }
  for (const url of ['/backups', '/backups/7d2f/files', '/console/index.html', '/console/pages.json'])
    expect((await get(url)).statusCode).toBe(404);
  const style = await get('/assets/console-C4gK2_x-.css');
  expect(style.headers).toMatchObject({
    'content-type': 'text/css; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
  });
});

it('V20: in the installation, what is neither a page nor a route is still a 404 as JSON', async () => {
  await serve();
  const world: World = await createWorld();
  try {
    const page = await world.http('GET', '/');
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    for (const path of ['/nothing', '/api', '/api/v1', '/api/v1/nothing', '/index.html']) {
      const { status, headers, body } = await world.http('GET', path);
      expect([path, status, headers['content-type'], body.code]).toEqual([
        path,
        404,
        'application/problem+json; charset=utf-8',
        'not_found',
      ]);
    }
  } finally {
    await world.close();
  }
});
