import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OperatorCookies } from '../../auth/sessions/operator-cookies.js';
import { toProblem } from '../../platform/errors/problem.filter.js';
import { Problem } from '../../platform/errors/problem.js';
import { boardPlugin } from '../../platform/queues/board.js';
import type { Queues } from '../../platform/queues/queues.js';

const PATH = '/ops/queues';

/** The board brings scripts and styles of its own, and styles elements inline. The fonts it asks Google for stay away. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Serves the board at /ops/queues to signed-in operators, to look at. Whatever is not a GET is refused before
 * anything of the board runs: acting goes through `admin/queues`.
 */
export function serveBoard(server: FastifyInstance, queues: Queues, cookies: OperatorCookies): void {
  void server.register(
    (scope, _options, done) => {
      scope.addHook('onRequest', async (request, reply) => {
        reply.headers({
          'content-security-policy': POLICY,
          'referrer-policy': 'same-origin',
          'x-content-type-options': 'nosniff',
          'cache-control': 'no-store',
        });
        await guard(request, reply, cookies);
      });
      void scope.register(
        boardPlugin(queues, PATH, [{ text: 'Se déconnecter · Sign out', url: '/ops/login' }]),
      );
      done();
    },
    { prefix: PATH },
  );
}

/** Answers whoever may not go on; a hook that has answered ends the request. */
async function guard(request: FastifyRequest, reply: FastifyReply, cookies: OperatorCookies): Promise<void> {
  const problem = await refusal(request, cookies);
  if (problem === null) return;
  // A page that a person opens leads to the login; what a script asks for is told.
  if (problem.code === 'unauthenticated' && request.headers.accept?.includes('text/html') === true) {
    reply.redirect('/ops/login', 303);
    return;
  }
  reply.status(problem.status).type('application/problem+json').send(JSON.stringify(problem.body()));
}

/** Why a request may not go on, or null. Never thrown: the board's own handler would answer, in the driver's words. */
async function refusal(
  { method, headers }: FastifyRequest,
  cookies: OperatorCookies,
): Promise<Problem | null> {
  if (method !== 'GET' && method !== 'HEAD') return new Problem('method_not_allowed');
  try {
    const operator = await cookies.recognise(headers.cookie);
    return operator === null ? new Problem('unauthenticated') : null;
  } catch (error) {
    return toProblem(error);
  }
}
