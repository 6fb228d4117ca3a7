import fastifyCompress from '@fastify/compress';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Smaller answers fit into one packet anyway, in bytes. */
const MIN_BYTES = 1_024;
/** Up to this size, compressing takes less time than handing the text to another thread, in bytes. */
const MAX_SYNC_BYTES = 16_384;

/**
 * Compresses JSON and other text for clients that accept gzip: a board of 2,000 backups is 600 kB of JSON. The front
 * end's files are already compressed, once. Register it before the routes: it hooks into each.
 */
export async function compressAnswers(app: NestFastifyApplication): Promise<void> {
  await app.register(fastifyCompress, {
    globalDecompression: false,
    encodings: ['gzip'],
    threshold: MIN_BYTES,
    syncThreshold: MAX_SYNC_BYTES,
  });
}
