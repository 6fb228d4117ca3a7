import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { runJob } from '../../test/support/watched.js';
import { type Cast, createCast } from '../../test/support/cast.js';
import { until } from '../../test/support/until.js';
import { createWorld, type World } from '../../test/support/world.js';
import { Staging } from './staging.js';

const LINE = 'a;2026-04-01\n';

let world: World;
let cast: Cast;
let port: number;
const sockets: Socket[] = [];

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  await world.app.listen(0, '127.0.0.1');
  port = Number(new URL(await world.app.getUrl()).port);
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await world.close();
});
beforeEach(async () => {
  await world.sql('DELETE FROM imports');
  await world.sql('DELETE FROM tasks');
});

interface Upload {
  socket: Socket;
  /** The response so far. */
  answer: () => string;
  /** A piece of a chunked body. */
  send: (text: string) => Promise<void>;
}

/** Starts an upload over a real connection by sending only its headers. */
async function begin(headers: Record<string, string>): Promise<Upload> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  let answer = '';
  socket.on('data', (data) => (answer += data.toString()));
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  const all = {
    host: 'x',
    authorization: `Bearer ${cast.teammate.token}`,
    'content-type': 'text/csv',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST /api/v1/tasks/import HTTP/1.1\r\n${lines.join('')}\r\n`);
  return {
    socket,
    answer: () => answer,
    send: (text) =>
      new Promise((resolve) => {
        socket.write(`${text.length.toString(16)}\r\n${text}\r\n`, () => resolve());
      }),
  };
}

const CHUNKED = { 'transfer-encoding': 'chunked' };

interface Shown {
  id: string;
  state: string;
  bytes: number;
  lines: number;
  error: string | null;
}
async function shown(): Promise<Shown | undefined> {
  const { body } = await world.http('GET', '/api/v1/imports', { token: cast.teammate.token });
  return (body as { data: Shown[] }).data[0];
}
const staged = async () => (await world.sql('SELECT FROM import_rows')).length;

describe('an upload', () => {
  it('shows its progress while it trickles in, and holds no transaction open', async () => {
    const upload = await begin(CHUNKED);
    await upload.send(`title;due_on\n${LINE.repeat(2_500)}`);
    await until('the lines to be read', async () => ((await shown())?.lines ?? 0) >= 2_400);
    expect(await shown()).toMatchObject({
      state: 'receiving',
      bytes: 13 + 2_500 * LINE.length,
    });
    expect(await staged()).toBe(2_000);
    for (let round = 0; round < 5; round += 1) {
      await upload.send('b;');
      const open = await world.sql(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'
           AND state_change < now() - interval '200 milliseconds'`,
      );
      expect(open).toHaveLength(0);
      await upload.send('2026-04-02\n');
    }
    await upload.send('c;2026-04-03');
    upload.socket.write('0\r\n\r\n');
    await until('the answer', () => upload.answer().includes('finished_at'));
    expect(upload.answer()).toContain('201 Created');
    // All lines but three are identical.
    expect(await shown()).toMatchObject({ state: 'done', lines: 2_506, created: 3, unchanged: 2_503 });
    expect(await staged()).toBe(0);
  });

  it.each([
    ['announced its length', { 'content-length': '1000000' }],
    ['did not', CHUNKED],
  ])('that is cut off has failed and leaves nothing, when it %s', async (_what, headers) => {
    const upload = await begin(headers);
    const text = `title;due_on\n${LINE.repeat(1_500)}`;
    if ('content-length' in headers) upload.socket.write(text);
    else await upload.send(text);
    await until('lines to be staged', async () => (await staged()) === 1_000);
    upload.socket.destroy();
    await until('the end', async () => (await shown())?.state === 'failed');
    expect(await shown()).toMatchObject({ error: 'the upload was cut off' });
    expect(await staged()).toBe(0);
    expect(await world.sql('SELECT FROM tasks')).toHaveLength(0);
  });

  it('of more than 100 MB without a declared size: 413, nothing staged, memory unchanged', async () => {
    const upload = await begin({ ...CHUNKED, 'content-type': 'application/x-ndjson' });
    const before = process.memoryUsage().rss;
    await upload.send('{"title":"a","due_on":"2026-04-01"}\n{"');
    const piece = 'x'.repeat(1_048_576);
    for (let sent = 0; sent < 110 && upload.answer() === ''; sent += 1) await upload.send(piece);
    await until('the answer', () => upload.answer().includes('payload_too_large'), 25_000);
    expect(upload.answer()).toContain('413');
    expect(await shown()).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('100 MB') as string,
    });
    expect(await staged()).toBe(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(250 * 1_048_576);
    // The server keeps working.
    expect((await world.http('GET', '/livez')).status).toBe(200);
  });

  it('ends with the counts of its last line, even if a heartbeat with earlier ones comes after it', async () => {
    const staging = world.app.get(Staging);
    const ref = await staging.begin({ tenant_id: cast.tenant_id, principal: 'user:x' }, 'tasks', {
      stream: Readable.from([]),
      format: 'csv',
      charset: null,
      bytes_total: 20,
    });
    const last = { bytes: 20, lines: 2, rejected: 2, encoding: 'utf-8' };
    await staging.store(ref, { rows: '[]', faults: '[]' }, last);
    await staging.heartbeat(ref, { bytes: 10, lines: 1, rejected: 1, encoding: 'us-ascii' });
    expect(await shown()).toMatchObject(last);
  });
});

describe('leftovers of a killed server', () => {
  it('are shown as failed, and deleted by cleanup', async () => {
    const [dead] = await world.sql<{ id: string }>(
      `INSERT INTO imports (tenant_id, kind, format, lease_until, created_by, created_at)
       VALUES ($1, 'tasks', 'csv', now() - interval '2 hours', 'user:x', now()) RETURNING id`,
      [cast.tenant_id],
    );
    await world.sql(
      `INSERT INTO import_rows (tenant_id, import_id, line, fields) VALUES ($1, $2, 2, '{"title": "a"}')`,
      [cast.tenant_id, dead!.id],
    );
    expect(await shown()).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('server') as string,
    });
    expect(await runJob(world, cast.tenant_id, 'cleanup')).toMatchObject({ import_rows: 1, imports: 0 });
    expect(await staged()).toBe(0);

    await world.sql(`UPDATE imports SET created_at = now() - interval '31 days'`);
    expect(await runJob(world, cast.tenant_id, 'cleanup')).toMatchObject({ imports: 1 });
    expect(await shown()).toBeUndefined();
  });
});
