import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Config } from '../config/config.js';

/** One year, in seconds. */
const HSTS_SECONDS = 31_536_000;

/**
 * Headers of every answer (OWASP REST Security Cheat Sheet): API answers are not pages, and are never framed or cached.
 * Routes that serve pages override them. Browsers are told to use only https when the server is reached over it.
 */
export function answerHeaders({ publicUrl }: Config): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    ...(publicUrl?.startsWith('https://') === true
      ? { 'strict-transport-security': `max-age=${HSTS_SECONDS}` }
      : {}),
  };
}

export function setAnswerHeaders(app: NestFastifyApplication, config: Config): void {
  const headers = answerHeaders(config);
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (_request, reply, done) => {
      reply.headers(headers);
      done();
    });
}
