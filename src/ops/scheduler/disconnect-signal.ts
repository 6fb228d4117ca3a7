import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

/**
 * A signal that aborts when the client disconnects before it has its answer. Fastify's `request.signal` listens to the
 * request, which closes as soon as its body has been read, so it misses a client that disconnects later.
 * @example `@DisconnectSignal() signal: AbortSignal`
 */
export const DisconnectSignal = createParamDecorator(
  (_data: unknown, context: ExecutionContext): AbortSignal => {
    const { raw } = context.switchToHttp().getResponse<FastifyReply>();
    const left = new AbortController();
    const abortIfUnanswered = () => {
      if (!raw.writableEnded) left.abort();
    };
    if (raw.destroyed) abortIfUnanswered();
    else raw.once('close', abortIfUnanswered);
    return left.signal;
  },
);
