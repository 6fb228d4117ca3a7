import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { until } from '../support/until.js';
import { leaked, openHandles } from '../support/open-handles.js';

// test/support/leak-free-environment.ts checks this after each test file.
describe('a leak of a test file', () => {
  it('is checked after every file', () => {
    expect(readFileSync('jest.config.mjs', 'utf8')).toContain(
      "testEnvironment: '<rootDir>/test/support/leak-free-environment.ts'",
    );
  });

  it('is an open server, but not a closed one', async () => {
    const before = openHandles();
    const server = await listening();
    expect(leaked(before)).toEqual(['1 TCPServerWrap']);
    server.close();
    await until('the server to be gone', () => leaked(before).length === 0);
  });

  it('is a connection, such as a worker’s', async () => {
    const server = await listening();
    const before = openHandles();
    const address = server.address();
    const socket = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1');
    await Promise.all([once(socket, 'connect'), once(server, 'connection')]);
    expect(leaked(before)).toEqual(['2 TCPSocketWrap']);
    socket.destroy();
    server.close();
    await once(server, 'close');
  });

  it('is a child process', async () => {
    const before = openHandles();
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(child, 'spawn');
    expect(leaked(before)).toEqual(['1 ProcessWrap']);
    child.kill();
    await once(child, 'exit');
  });

  it('is a timer, unless it lets the process exit', () => {
    const before = openHandles();
    const timer = setInterval(() => undefined, 60_000);
    expect(leaked(before)).toEqual(['1 Timeout']);
    timer.unref();
    expect(leaked(before)).toEqual([]);
    clearInterval(timer);
  });
});

async function listening(): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume()).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  return server;
}
