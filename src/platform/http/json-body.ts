import { isUtf8 } from 'node:buffer';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { RawServerDefault } from 'fastify';
import { Problem } from '../errors/problem.js';

/**
 * JSON is UTF-8 (RFC 8259): of other bytes a lenient reader would make signs that nobody has sent.
 * @param bodyLimit bytes
 */
export function takeJson(app: NestFastifyApplication, bodyLimit: number): void {
  const parse = app.getHttpAdapter().getInstance().getDefaultJsonParser('error', 'error');
  app.useBodyParser<RawServerDefault>('application/json', { bodyLimit }, (request, body: Buffer, done) => {
    if (isUtf8(body)) void parse(request, body.toString(), done);
    else done(new Problem('malformed_request', 'the body is not UTF-8'), undefined);
  });
}
