import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { until } from '../support/until.js';

/**
 * docs/getting-started.md, word for word, in a new checkout: the commands in one shell, the welcome mail's link in a
 * browser. Only ports in use on this machine are replaced.
 */
const ROOT = resolve(__dirname, '../..');
const PORTS = ['3000', '1025'];
const PASSWORD = 'a long enough password';

let checkout: string;
let shell: ChildProcess;
let browser: Browser;
let output = '';
let commands: string[];
const ports = new Map<string, string>();

beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'vigie-start-'));
  // The embedded PostgreSQL runs as another user if this runs as root.
  await chmod(checkout, 0o755);
  execFileSync('git', ['checkout-index', '--all', `--prefix=${checkout}/`], { cwd: ROOT });
  await symlink(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
  for (const port of PORTS) ports.set(port, (await isTaken(port)) ? await freePort() : port);
  const page = await readFile(join(checkout, 'docs/getting-started.md'), 'utf8');
  commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => withPorts(block));
  shell = spawn('bash', ['--noprofile', '--norc'], {
    cwd: checkout,
    detached: true,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...(ports.get('3000') === '3000' ? {} : { PORT: ports.get('3000') }),
    },
  });
  shell.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  shell.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  browser = await launchBrowser();
}, 60_000);

afterAll(async () => {
  await browser.close();
  const ended = new Promise((done) => shell.once('close', done));
  // The shell and its children: server, mail catcher, client.
  if (shell.pid !== undefined) process.kill(-shell.pid, 'SIGTERM');
  await ended;
  await rm(checkout, { recursive: true, force: true });
}, 60_000);

test('V20: leads to the first mail in four commands, and to a deadline by mail and live', async () => {
  try {
    await follow();
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${output}`, { cause: error });
  }
}, 300_000);

async function follow(): Promise<void> {
  const [setUp, catchMails, start, createTenant, signIn, listen, addAndCheck, ...more] = commands;
  expect(more).toEqual([]);
  await run(setUp);
  await run(catchMails);
  await until('the mail catcher', () => output.includes('Catching mails'), 60_000);
  await run(start);
  await until('the server', () => output.includes('"event":"started"'), 120_000);
  await run(createTenant);
  await until('the welcome mail', () => output.includes('Subject: Welcome to Vigie - Cabinet Durand'));
  const [link = ''] = /http:\S+\/password#token=\S+/.exec(output) ?? [];
  await choosePassword(link);
  await run(signIn);
  await run(listen);
  await until('the live client', () => /^\d+ unread$/m.test(output));
  await run(addAndCheck);
  await until('the live notification', () =>
    /Boulangerie Martin: VAT return, .+ \(\d+ unread\)$/m.test(output),
  );
  await until('the mail', () => output.includes('Subject: Boulangerie Martin: VAT return'));
}

/** Types a block into the shell; resolves when the shell has finished it. */
async function run(block = ''): Promise<void> {
  const mark = `done ${Math.random()}`;
  shell.stdin?.write(`${block}\necho; echo '${mark}'\n`);
  await until(`the end of ${block}`, () => output.includes(`\n${mark}`), 180_000);
}

async function choosePassword(link: string): Promise<void> {
  const page = await browser.newPage();
  await page.goto(link);
  await page.fill('#password', PASSWORD);
  await page.fill('#again', PASSWORD);
  const answer = page.waitForResponse((response) => response.request().method() === 'POST');
  await page.click('#submit');
  expect((await answer).status()).toBeLessThan(300);
  await page.close();
}

function withPorts(text: string): string {
  return PORTS.reduce((all, port) => all.replaceAll(port, ports.get(port) ?? port), text);
}

async function isTaken(port: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return String(port);
}
