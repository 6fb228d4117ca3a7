import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

/** A row in an archive. */
export interface ArchivedRow {
  table: string;
  row: Record<string, unknown>;
}

/** What an archive says of itself, beside its file. */
export interface Manifest {
  format: 1;
  tenant_id: string;
  tenant: string;
  thing: string;
  file: string;
  bytes: number;
  sha256: string;
  /** Rows by table. */
  counts: Record<string, number>;
  first_at: string | null;
  last_at: string | null;
  schema_version: string;
  created_at: string;
  sealed_at: string;
}

/** What was found in a file. */
export interface Contents {
  bytes: number;
  sha256: string;
  counts: Record<string, number>;
}

/** The file is not a whole archive. */
export class ArchiveDamaged extends Error {}

/**
 * Reads an archive from its beginning, without keeping it in memory.
 * @param bytes how much of the file counts
 * @param onRow called for each row, in order; the next one waits for it
 * @throws ArchiveDamaged if it is cut short, or cannot be decompressed or read as rows of this tenant
 */
export async function readArchive(
  file: FileHandle,
  { bytes, tenantId }: { bytes: number; tenantId: string },
  onRow?: (row: ArchivedRow) => Promise<void> | void,
): Promise<Contents> {
  const { size } = await file.stat();
  if (size < bytes) throw new ArchiveDamaged(`the file is cut short: ${size} of ${bytes} bytes`);
  const hash = createHash('sha256');
  const counts: Record<string, number> = {};
  const readRow = async (line: string) => {
    const row = parseRow(line);
    if (row.row.tenant_id !== tenantId) throw new ArchiveDamaged('it has rows of another tenant');
    counts[row.table] = (counts[row.table] ?? 0) + 1;
    await onRow?.(row);
  };
  try {
    await pipeline(
      Readable.from(blocks(file, bytes, (block) => hash.update(block))),
      createGunzip(),
      async (source: AsyncIterable<Buffer>) => {
        for await (const line of linesOf(source)) await readRow(line);
      },
    );
  } catch (error) {
    if (!isZlibError(error)) throw error;
    throw new ArchiveDamaged(`it cannot be decompressed: ${(error as Error).message}`, { cause: error });
  }
  return { bytes, sha256: hash.digest('hex'), counts };
}

const BLOCK = 128 * 1024;

async function* blocks(
  file: FileHandle,
  bytes: number,
  onBlock: (block: Buffer) => void,
): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(BLOCK, bytes - at)), 0, null, at);
    if (bytesRead === 0) throw new ArchiveDamaged(`the file is cut short: ${at} of ${bytes} bytes`);
    at += bytesRead;
    const block = buffer.subarray(0, bytesRead);
    onBlock(block);
    yield block;
  }
}

async function* linesOf(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const block of source) {
    const lines = (rest + decode(decoder, block)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') throw new ArchiveDamaged('its last line is cut short');
}

function decode(decoder: InstanceType<typeof TextDecoder>, block: Buffer): string {
  try {
    return decoder.decode(block, { stream: true });
  } catch (error) {
    throw new ArchiveDamaged('it is not UTF-8', { cause: error });
  }
}

function parseRow(line: string): ArchivedRow {
  try {
    const parsed: unknown = JSON.parse(line);
    if (isRow(parsed)) return parsed;
  } catch (error) {
    throw new ArchiveDamaged('it has a line that is not JSON', { cause: error });
  }
  throw new ArchiveDamaged('it has a line that is not a row');
}

function isRow(value: unknown): value is ArchivedRow {
  if (typeof value !== 'object' || value === null || !('table' in value) || !('row' in value)) return false;
  return typeof value.table === 'string' && typeof value.row === 'object' && value.row !== null;
}

function isZlibError(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'code' in error && /^Z_|^ERR_/.test(String(error.code))
  );
}
