import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { createDatabase, environmentFor, type TestDatabase } from '../../../test/support/database.js';
import { startProcess, stopProcesses } from '../../../test/support/processes.js';
import { reachPostgres } from '../database/reach.js';
import { migrate } from '../database/migrate.js';
import { expectedCause } from './causes.js';
import { StartError } from './start-error.js';
import { startStep } from './start-step.js';

let database: TestDatabase;
let folder: string;
let silent: Server;
const sockets = new Set<Socket>();

beforeAll(async () => {
  database = await createDatabase();
  folder = await mkdtemp(join(tmpdir(), 'vigie-start-'));
  // Accepts connections and never answers.
  silent = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
  });
  await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
});
afterAll(async () => {
  await stopProcesses();
  for (const socket of sockets) socket.destroy();
  await new Promise((closed) => silent.close(closed));
  await rm(folder, { recursive: true, force: true });
  await database.drop();
});

const portOf = (server: Server): number => (server.address() as { port: number }).port;

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const port = portOf(server);
  await new Promise((closed) => server.close(closed));
  return port;
}

interface Ended {
  code: number | null;
  lines: Record<string, unknown>[];
  text: string;
  took_ms: number;
}

/** Runs the built server until it exits. */
async function run(environment: Record<string, string>): Promise<Ended> {
  const began = performance.now();
  const child = spawn(process.execPath, [resolve('dist/main.js')], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let text = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const code = await new Promise<number | null>((ended) => child.once('close', ended));
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { code, lines, text, took_ms: performance.now() - began };
}

describe('R3: a start whose services cannot be reached', () => {
  const SECRET = 'a-secret-in-the-url';
  const FAULTS = [
    ['redis', 'never answers', /no answer/],
    ['redis', 'does not listen', /connection refused/],
    ['redis', 'has no DNS entry', /host name/],
    ['redis', 'has no Sentinel that answers', /^no Sentinel answers \(127.*connection refused/],
    ['postgresql', 'never answers', /no answer/],
    ['postgresql', 'does not listen', /connection refused/],
    ['postgresql', 'has no DNS entry', /host name/],
  ] as const;
  type Fault = (typeof FAULTS)[number][1];
  const runs = new Map<string, Ended & { where: string }>();
  const redisUrl = (where: string) => {
    const [host = '', name] = where.split(' (Sentinel, ');
    if (name === undefined) return `redis://:${SECRET}@${host}`;
    return `redis+sentinel://:${SECRET}@${host}/${name.replace(')', '')}`;
  };

  // In parallel: most of them wait for a deadline.
  beforeAll(async () => {
    const closed = await closedPort();
    const places: Record<Fault, string> = {
      'never answers': `127.0.0.1:${portOf(silent)}`,
      'does not listen': `127.0.0.1:${closed}`,
      'has no DNS entry': 'no-such-host.invalid:6379',
      'has no Sentinel that answers': `127.0.0.1:${closed} (Sentinel, mymaster)`,
    };
    await Promise.all(
      FAULTS.map(async ([step, fault]) => {
        const where = places[fault];
        const url: Record<string, string> =
          step === 'redis'
            ? { REDIS_URL: redisUrl(where) }
            : { DATABASE_URL: `postgres://owner:${SECRET}@${where}/vigie` };
        runs.set(`${step} ${fault}`, { where, ...(await run({ ...environmentFor(database), ...url })) });
      }),
    );
  }, 120_000);

  it.each(FAULTS)(
    'R3: %s that %s: start_failed names the step, the place and the reason, and the exit code is 1',
    (step, fault, reason) => {
      const { code, lines, text, took_ms, where } = runs.get(`${step} ${fault}`)!;
      expect([text, code]).toEqual([text, 1]);
      const failed = lines.filter(({ event }) => event === 'start_failed');
      expect(failed).toEqual([
        expect.objectContaining({ level: 'error', step, where, reason: expect.stringMatching(reason) }),
      ]);
      expect(failed[0]).toHaveProperty('hint');
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain('    at ');
      expect(took_ms).toBeLessThan(60_000);
    },
  );

  it('R3: reports a wrong password of PostgreSQL, without the password', async () => {
    const url = new URL(environmentFor(database).DATABASE_APP_URL!);
    url.password = SECRET;
    const { code, lines, text } = await run({ ...environmentFor(database), DATABASE_APP_URL: url.href });
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatchObject({
      event: 'start_failed',
      step: 'postgresql',
      code: '28P01',
      hint: expect.stringContaining('DATABASE_APP_URL'),
    });
    expect(text).not.toContain(SECRET);
  }, 40_000);

  it('R13: reports a taken port in words, without a stack', async () => {
    const environment = { ...environmentFor(database), PORT: String(portOf(silent)) };
    const { code, lines, text } = await run(environment);
    expect(code).toBe(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      event: 'start_failed',
      step: 'listen',
      where: `127.0.0.1:${portOf(silent)}`,
      reason: 'another program listens there',
      code: 'EADDRINUSE',
    });
    expect(text).not.toContain('    at ');
  }, 40_000);
});

it.each([
  ['a SIGTERM', (child: ChildProcess) => child.kill('SIGTERM')],
  ['the end of its parent', (child: ChildProcess) => child.disconnect()],
])(
  'R2: %s ends a start that waits, with 1',
  async (_what, end) => {
    const reached = new Promise((connected) => silent.once('connection', connected));
    const url = `postgres://owner@127.0.0.1:${portOf(silent)}/vigie`;
    const child = spawn(process.execPath, [resolve('dist/main.js')], {
      cwd: folder,
      env: { PATH: process.env.PATH, ...environmentFor(database), DATABASE_URL: url, LOG_LEVEL: 'info' },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    let text = '';
    child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const ended = new Promise((done) => child.once('exit', done));
    const read = new Promise((done) => child.stdout!.once('close', done));
    await reached;
    end(child);
    expect(await ended).toBe(1);
    await read;
    expect(text).toContain('"event":"stopping"');
    expect(text).not.toContain('start_failed');
  },
  120_000,
);

describe('R3: a step of the start', () => {
  const STEP = { step: 'a step', where: 'somewhere:1', hint: 'Do this' };

  it('R3: fails at its deadline if it never settles', async () => {
    const never = startStep(STEP, 50, () => new Promise(() => undefined));
    await expect(never).rejects.toThrow('a step at somewhere:1: no answer within 0.05 s. Do this');
  });

  it('rethrows an unexpected error with its stack', async () => {
    const bug = new TypeError('undefined is not a function');
    await expect(startStep(STEP, 1_000, () => Promise.reject(bug))).rejects.toBe(bug);
    expect(expectedCause(bug)).toBeNull();
  });

  it('keeps the error of an inner step', async () => {
    const inner = new StartError({ ...STEP, step: 'inner' }, 'because');
    await expect(startStep(STEP, 1_000, () => Promise.reject(inner))).rejects.toBe(inner);
  });
});

it('R3: the wait for another migrating process has a deadline, and names that process', async () => {
  const holder = new pg.Client({ connectionString: database.owner_url });
  await holder.connect();
  try {
    await holder.query('SELECT pg_advisory_lock(7836411)');
    const waits: string[] = [];
    const waiting = migrate(database.owner_url, { lockWaitMs: 200, onWait: (who) => waits.push(who) });
    await expect(waiting).rejects.toThrow(
      /another process has been migrating for 0.2 s \(PostgreSQL session \d+/,
    );
    expect(waits).toHaveLength(1);
  } finally {
    await holder.end();
  }
  expect(await migrate(database.owner_url)).toEqual([]);
});

it('a PostgreSQL that hangs up is reported', async () => {
  const rude = createServer((socket) => socket.destroy());
  await new Promise<void>((listening) => rude.listen(0, '127.0.0.1', listening));
  const url = `postgres://someone@127.0.0.1:${portOf(rude)}/vigie`;
  const error: unknown = await reachPostgres(url).catch((thrown: unknown) => thrown);
  await new Promise((closed) => rude.close(closed));
  expect(expectedCause(error)).toMatchObject({ reason: 'the server closed the connection' });
});

describe('R13: the version of the schema', () => {
  const FUTURE = 'LaterSchema1900000000000';
  async function onOwner(sql: string): Promise<void> {
    const client = new pg.Client({ connectionString: database.owner_url });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  }

  it('R13: an older program refuses a newer schema, with and without the owner’s login', async () => {
    await onOwner(`INSERT INTO migrations (timestamp, name) VALUES (1900000000000, '${FUTURE}')`);
    try {
      for (const owner of [database.owner_url, '']) {
        const given = { ...environmentFor(database), DATABASE_URL: owner };
        const { code, lines } = await run(given);
        expect(lines.at(-1)).toMatchObject({
          event: 'start_failed',
          step: 'migrations',
          reason: expect.stringContaining(`a newer version of Vigie has migrated this database (${FUTURE})`),
        });
        expect(code).toBe(1);
      }
    } finally {
      await onOwner(`DELETE FROM migrations WHERE name = '${FUTURE}'`);
    }
  }, 60_000);

  it('S8: a process without the owner’s login starts on a migrated database', async () => {
    const server = await startProcess({ ...environmentFor(database), DATABASE_URL: '' });
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    await server.stop();
  }, 60_000);

  it('S8: a process without the owner’s login refuses a schema that is not migrated', async () => {
    await onOwner('ALTER TABLE migrations RENAME TO migrations_elsewhere');
    try {
      const { code, lines } = await run({ ...environmentFor(database), DATABASE_URL: '' });
      expect(lines.at(-1)).toMatchObject({
        event: 'start_failed',
        reason: expect.stringContaining('vigie migrate'),
      });
      expect(code).toBe(1);
    } finally {
      await onOwner('ALTER TABLE migrations_elsewhere RENAME TO migrations');
    }
  }, 60_000);
});
