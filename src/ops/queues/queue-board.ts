import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OperatorCookies } from '../../auth/sessions/operator-cookies.js';
import { toProblem } from '../../platform/errors/problem.filter.js';
import { Problem } from '../../platform/errors/problem.js';
import { boardPlugin } from '../../platform/queues/board.js';
import type { Queues } from '../../platform/queues/queues.js';
import type { HtmlPages } from '../../wording/pages/html-pages.js';

const PATH = '/ops/queues';

/** The board has its own scripts and styles, and inline styles. The policy blocks its request for Google's fonts. */
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
 * Serves the board at /ops/queues to logged-in operators, read-only. Every method except GET and HEAD is refused before
 * the board's code runs: actions go through `admin/queues`.
 */
export function serveBoard(
  server: FastifyInstance,
  queues: Queues,
  cookies: OperatorCookies,
  pages: HtmlPages,
): void {
  // The board's menu is the same for everyone.
  const links = [{ text: pages.labelInEveryLocale('board_log_out'), url: '/ops/login' }];
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
      void scope.register(boardPlugin(queues, PATH, links));
      done();
    },
    { prefix: PATH },
  );
}

/** Answers a refused request; a hook that has answered ends the request. */
async function guard(request: FastifyRequest, reply: FastifyReply, cookies: OperatorCookies): Promise<void> {
  const problem = await refusal(request, cookies);
  if (problem === null) return;
  // A person who opens a page is redirected to the login; a script gets the problem.
  if (problem.code === 'unauthenticated' && request.headers.accept?.includes('text/html') === true) {
    reply.redirect('/ops/login', 303);
    return;
  }
  reply.status(problem.status).type('application/problem+json').send(JSON.stringify(problem.body()));
}

/** Why a request is refused, or null. Never throws: the board's own handler would answer, with the driver's message. */
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
