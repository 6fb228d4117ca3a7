import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ConsoleSessions } from '../../auth/sessions/console-sessions.js';
import { toProblem } from '../../platform/errors/problem.filter.js';
import { Problem } from '../../platform/errors/problem.js';
import { boardPlugin } from '../../platform/queues/board.js';
import type { Queues } from '../../platform/queues/queues.js';
import type { HtmlPages } from '../../wording/pages/html-pages.js';

const PATH = '/ops/queues';

/** The board has its own scripts and styles, and inline styles. */
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

/** The only request of the board to another server, for fonts. It has fallbacks. */
const FOREIGN_FONTS = /<link href="https:[^"]*" rel="stylesheet">/g;

/**
 * Adds a note to the page of the board (why its queues are nearly always empty), and removes its request to
 * another server.
 */
function ownPage(page: string, note: string): string {
  const style =
    'position:fixed;inset:auto 0 0;z-index:9;margin:0;padding:8px 16px;font:13px system-ui,sans-serif;' +
    'background:#22272f;color:#fff';
  return page
    .replace(FOREIGN_FONTS, '')
    .replace('<div id="root">', `<p role="note" style="${style}">${escaped(note)}</p><div id="root">`);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/**
 * Serves the board at /ops/queues to logged-in operators, read-only. Every method except GET and HEAD is refused before
 * the board's code runs: actions go through `admin/queues`.
 */
export function serveBoard(
  server: FastifyInstance,
  queues: Queues,
  sessions: ConsoleSessions,
  pages: HtmlPages,
): void {
  // The board's menu is the same for everyone.
  const links = [{ text: pages.labelInEveryLocale('board_log_out'), url: '/ops/login' }];
  const note = pages.labelInEveryLocale('board_note');
  void server.register(
    (scope, _options, done) => {
      scope.addHook('onRequest', async (request, reply) => {
        reply.headers({
          'content-security-policy': POLICY,
          'referrer-policy': 'same-origin',
          'x-content-type-options': 'nosniff',
          'cache-control': 'no-store',
        });
        await guard(request, reply, sessions);
      });
      scope.addHook('onSend', (_request, reply, payload, send) => {
        const isPage = String(reply.getHeader('content-type')).startsWith('text/html');
        send(null, isPage && typeof payload === 'string' ? ownPage(payload, note) : payload);
      });
      void scope.register(boardPlugin(queues, PATH, links));
      done();
    },
    { prefix: PATH },
  );
}

/** Answers a refused request; a hook that has answered ends the request. */
async function guard(request: FastifyRequest, reply: FastifyReply, sessions: ConsoleSessions): Promise<void> {
  const problem = await refusal(request, sessions);
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
  sessions: ConsoleSessions,
): Promise<Problem | null> {
  if (method !== 'GET' && method !== 'HEAD') return new Problem('method_not_allowed');
  try {
    const operator = await sessions.operator(headers.cookie);
    return operator === null ? new Problem('unauthenticated') : null;
  } catch (error) {
    return toProblem(error);
  }
}
