import type { Answer, World } from '../../test/support/world.js';
import type { FileLine, FileReader } from './file-line.js';

/** The answer to a file. */
export interface Sent {
  status: number;
  body: Answer['body'];
}

export const CSV = 'text/csv';
export const NDJSON = 'application/x-ndjson';

/** The lines of a file that arrives in pieces of this many characters. */
export function readAll(reader: FileReader, text: string, size: number): FileLine[] {
  const lines: FileLine[] = [];
  for (let at = 0; at < text.length; at += size) lines.push(...reader.push(text.slice(at, at + size)));
  return [...lines, ...reader.end()];
}

/** Sends a file to `POST <room>/import`. @param token null: none. @param suffix of the address, such as `?dry_run=true` */
export async function sendFile(
  world: World,
  token: string | null,
  room: string,
  file: string | Buffer,
  headers: Record<string, string> = {},
  suffix = '',
): Promise<Sent> {
  const signedIn = token === null ? {} : { authorization: `Bearer ${token}` };
  const answer = await world.app.inject({
    method: 'POST',
    url: `/api/v1/${room}/import${suffix}`,
    headers: { 'content-type': CSV, ...signedIn, ...headers },
    payload: file,
  });
  return { status: answer.statusCode, body: answer.body === '' ? null : answer.json<unknown>() };
}

/** `{created, updated, unchanged, rejected}` of an import's view. */
export function countsOf({ body }: Sent): Record<string, number> {
  const { created, updated, unchanged, rejected } = body as Record<string, number>;
  return { created: created!, updated: updated!, unchanged: unchanged!, rejected: rejected! };
}

/** Counts as `countsOf` reads them. */
export const done = (created: number, updated: number, unchanged: number, rejected: number) => ({
  created,
  updated,
  unchanged,
  rejected,
});

/** The faults of an import, as REST shows them. */
export async function readFaults(
  world: World,
  token: string,
  { body }: Sent,
): Promise<{ line: number; field: string | null; detail: string }[]> {
  const { id } = body as { id: string };
  const answer = await world.http('GET', `/api/v1/imports/${id}/faults`, { token });
  expect(answer.status).toBe(200);
  return answer.body.data as never;
}

export function ndjson(...rows: object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}
