/** The most that a proposal of columns reads, in bytes. */
const HEAD_BYTES = 128 * 1_024;
const LINE_FEED = 0x0a;

/** The type to send a file as, by its name: the type that a browser reports depends on installed programs. */
export function typeOf({ name }: Pick<File, 'name'>): 'text/csv' | 'application/x-ndjson' {
  return /\.(ndjson|jsonl)$/i.test(name) ? 'application/x-ndjson' : 'text/csv';
}

/** The beginning of a file, up to the end of a line: half a character could not be decoded. */
export async function headOf(file: Blob): Promise<Blob> {
  if (file.size <= HEAD_BYTES) return file;
  const bytes = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const last = bytes.lastIndexOf(LINE_FEED);
  if (last === -1) return file.slice(0, HEAD_BYTES);
  // In UTF-16 LE a zero byte belongs to it.
  const isWide = bytes[0] === 0xff && bytes[1] === 0xfe;
  return file.slice(0, last + (isWide ? 2 : 1));
}
