import { PassThrough } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import type { WriteLine } from './exports.service.js';

/** A body of JSON lines that waits for its reader. A failure cuts the connection, so that nothing looks complete. */
export function ndjson(work: (write: WriteLine) => Promise<void>): StreamableFile {
  const body = new PassThrough();
  const write: WriteLine = async (line) => {
    if (body.destroyed) throw new Error('the reader of the export has gone');
    if (body.write(`${line}\n`)) return;
    await new Promise<void>((resolve) => {
      const next = () => {
        body.off('drain', next).off('close', next);
        resolve();
      };
      body.on('drain', next).on('close', next);
    });
  };
  work(write).then(
    () => body.end(),
    (error: unknown) => body.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return new StreamableFile(body, {
    type: 'application/x-ndjson',
    disposition: 'attachment; filename="person.ndjson"',
  });
}
