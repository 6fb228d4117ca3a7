import { randomBytes } from 'node:crypto';
import { Body, Controller, Get, HttpStatus, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LoginForm } from '../../auth/auth.dto.js';
import { LoginService } from '../../auth/sessions/login.service.js';
import { ConsoleSessions } from '../../auth/sessions/console-sessions.js';
import { traceOf } from '../../platform/audit/act.js';
import { Problem } from '../../platform/errors/problem.js';
import { TakesForm } from '../../platform/http/body-guard.js';
import { Access } from '../../platform/http/caller.js';
import { pageHeaders, preferredLocale } from '../../platform/http/html-page.js';
import { isSameOrigin } from '../../platform/http/same-origin.js';
import { HtmlPages } from '../../wording/pages/html-pages.js';

/** The values of `templates/pages/login.html.hbs` besides the form. */
type LoginValues =
  | { problem: 'wrong'; email: string }
  | { problem: 'too_many'; seconds: number; minutes: number }
  | { problem: 'foreign' }
  | { signed_out: boolean };

/** Login and logout of the pages under /ops. */
@ApiExcludeController()
@Controller('ops')
@Access('public')
export class LoginPageController {
  constructor(
    private readonly logins: LoginService,
    private readonly sessions: ConsoleSessions,
    private readonly pages: HtmlPages,
  ) {}

  @Get('login')
  async page(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const operator = await this.sessions.operator(request.headers.cookie);
    const { locale, nonce } = prepare(request, reply);
    if (operator !== null) return this.pages.render('signed_in', locale, nonce, { email: operator.email });
    const values: LoginValues = { signed_out: (request.query as Record<string, unknown>).out !== undefined };
    return this.pages.render('login', locale, nonce, values);
  }

  /** The POST of a form: always answered with a page. */
  @Post('login')
  @TakesForm()
  async login(
    @Req() request: FastifyRequest,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | undefined> {
    if (!isSameOrigin(request))
      return this.again(request, reply, HttpStatus.FORBIDDEN, { problem: 'foreign' });
    const form = await formOf(body);
    if (form === null) {
      return this.again(request, reply, HttpStatus.BAD_REQUEST, { problem: 'wrong', email: '' });
    }
    try {
      const { cookies } = await this.logins.signIn(form, traceOf(request), request.headers);
      void reply.header('set-cookie', cookies).redirect('/ops/queues', HttpStatus.SEE_OTHER);
      return undefined;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const values = valuesOf(error, form.email);
      if (values === null) throw error;
      reply.headers(error.options.headers ?? {});
      return this.again(request, reply, error.status, values);
    }
  }

  @Post('logout')
  @TakesForm()
  async logout(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    if (!isSameOrigin(request)) throw new Problem('forbidden', 'this request came from another page');
    const cookie = await this.sessions.end(request.headers.cookie);
    void reply.header('set-cookie', cookie).redirect('/ops/login?out', HttpStatus.SEE_OTHER);
  }

  private again(request: FastifyRequest, reply: FastifyReply, status: number, values: LoginValues): string {
    const { locale, nonce } = prepare(request, reply);
    reply.status(status);
    return this.pages.render('login', locale, nonce, values);
  }
}

function prepare(request: FastifyRequest, reply: FastifyReply) {
  const nonce = randomBytes(18).toString('base64url');
  // With no-referrer the form's own POST would have the origin "null".
  reply.headers(pageHeaders(nonce, { 'form-action': "'self'", 'referrer-policy': 'same-origin' }));
  return { locale: preferredLocale(request.headers['accept-language']), nonce };
}

/** The form's fields, or null if they cannot be an address and a password. */
async function formOf(body: unknown): Promise<LoginForm | null> {
  const { email, password } = (body ?? {}) as Record<string, unknown>;
  const form = plainToInstance(LoginForm, { email, password });
  return (await validate(form)).length === 0 ? form : null;
}

/** The page's values for a refused login; null for any other problem. */
function valuesOf({ code, options }: Problem, email: string): LoginValues | null {
  if (code === 'invalid_credentials') return { problem: 'wrong', email };
  if (code !== 'too_many_attempts') return null;
  const seconds = Number(options.headers?.['retry-after'] ?? 1);
  return { problem: 'too_many', seconds, minutes: seconds < 60 ? 0 : Math.ceil(seconds / 60) };
}
