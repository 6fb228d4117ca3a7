import { type IncomingMessage, request } from 'node:http';
import { type Cast, createCast } from '../../test/support/cast.js';
import { whileMeasured } from '../../test/support/event-loop.js';
import { createWorld, type World } from '../../test/support/world.js';
import { CSV, NDJSON } from './import.fixture.js';

const MB = 1_048_576;
/** Maximum time that a file may block other requests, in ms of CPU. */
const MAX_BLOCK_MS = 250;

let world: World;
let cast: Cast;
let url: string;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  await world.app.listen(0, '127.0.0.1');
  url = await world.app.getUrl();
});
afterAll(() => world.close());

/** Sends a file over a real connection: `begin`, then `piece` repeatedly up to this many bytes. */
async function sendPieces(
  type: string,
  begin: string,
  piece: string,
  bytes: number,
): Promise<{ status: number; body: { detail?: string; lines?: number } }> {
  const headers = { authorization: `Bearer ${cast.teammate.token}`, 'content-type': type };
  const upload = request(`${url}/api/v1/tasks/import`, { method: 'POST', headers });
  const answered = new Promise<IncomingMessage>((answer, fail) => {
    upload.once('response', answer);
    upload.once('error', fail);
  });
  const state = { isAnswered: false };
  const ended = answered.finally(() => (state.isAnswered = true)).catch(() => undefined);
  upload.write(begin);
  const repeated = Buffer.from(piece.repeat(Math.ceil(65_536 / piece.length)));
  for (let sent = 0; sent < bytes && !state.isAnswered; sent += repeated.length) {
    if (!upload.write(repeated)) {
      await Promise.race([new Promise((resolve) => upload.once('drain', resolve)), ended]);
      upload.removeAllListeners('drain');
    }
  }
  upload.end();
  const answer = await answered;
  let text = '';
  for await (const part of answer) text += String(part);
  return { status: answer.statusCode ?? 0, body: JSON.parse(text) as { detail?: string; lines?: number } };
}

describe('D1: a file made to keep the server busy', () => {
  const header = 'titre;echeance\n';
  const object = '{"title":"a","due_on":"2026-04-01"}\n';
  const tooMany = /up to 1,000,000 lines.*blank/;

  it.each<[string, string, string, string, number, number, RegExp | number]>([
    ['1 MB of blank lines', CSV, header, '\n', 0.9, 201, 0],
    ['99 MB of blank lines', CSV, header, '\n', 99, 400, tooMany],
    ['blank lines by CR', CSV, header, '\r', 99, 400, tooMany],
    ['blank lines before the header', CSV, '', '\n', 99, 400, tooMany],
    ['rows of separators', CSV, header, ';;;;;;;;;\n', 9, 201, 0],
    ['rows of a hundred separators', CSV, header, `${';'.repeat(110)}\n`, 99, 201, 0],
    ['one endless cell', CSV, `${header}"`, 'x', 99, 400, /longer than 256 KB \(line 2\)/],
    ['one cell of line breaks', CSV, `${header}"`, '\n', 99, 400, /longer than 256 KB \(line 2\)/],
    ['one cell of quotes', CSV, `${header}"`, '""', 99, 400, /longer than 256 KB \(line 2\)/],
    ['a million columns', CSV, header, `${'x;'.repeat(100_000)}\n`, 20, 201, 105],
    ['a million columns in its header', CSV, '', 'x;', 2, 400, /too long for a header/],
    ['one line', CSV, header, 'x', 99, 400, /longer than 256 KB \(line 2\)/],
    ['one line from its beginning', CSV, '', 'x', 99, 400, /too long for a header/],
    ['NDJSON of blank lines', NDJSON, object, '\n', 99, 400, tooMany],
    ['NDJSON of one line', NDJSON, object, 'x', 99, 201, 2],
    ['NDJSON of brackets', NDJSON, object, `${'['.repeat(200_000)}\n`, 30, 201, 159],
    ['NDJSON of names', NDJSON, object, `{${'"a":0,'.repeat(30_000)}\n`, 20, 201, 118],
  ])(
    '%s: other requests are answered in time, and memory stays constant',
    async (...file) => {
      const [what, type, begin, piece, megabytes, status, expected] = file;
      const before = process.memoryUsage().rss;
      const { result: answer, longest_ms } = await whileMeasured(() =>
        sendPieces(type, begin, piece, megabytes * MB),
      );
      expect([what, answer.status]).toEqual([what, status]);
      if (typeof expected === 'number') expect(answer.body.lines).toBe(expected);
      else expect(answer.body.detail).toMatch(expected);
      expect(longest_ms).toBeLessThan(MAX_BLOCK_MS);
      expect(process.memoryUsage().rss - before).toBeLessThan(150 * MB);
    },
    60_000,
  );

  it('100,000 good and bad lines: likewise', async () => {
    const lines = 'Déclaration de TVA;15/04/2026\nfaute;31/02/2026\n';
    const { result: answer, longest_ms } = await whileMeasured(() =>
      sendPieces(CSV, header, lines, 2.3 * MB),
    );
    expect(answer).toMatchObject({ status: 201, body: { created: 1 } });
    expect(longest_ms).toBeLessThan(MAX_BLOCK_MS);
  }, 120_000);
});
