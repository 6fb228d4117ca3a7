import { randomBytes } from 'node:crypto';
import { Controller, Get, Headers, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access } from '../../platform/http/caller.js';
import { pageHeaders, preferredLocale } from '../../platform/http/html-page.js';
import { HtmlPages } from '../../wording/pages/html-pages.js';

/** `GET /password`, outside the API: the target of the links in mails (`/password#token=…`). */
@ApiExcludeController()
@Controller('password')
export class PasswordPageController {
  constructor(private readonly pages: HtmlPages) {}

  /** The page contains nothing of the request: its script reads the token. */
  @Get()
  @Access('public')
  page(
    @Headers('accept-language') languages: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): string {
    const nonce = randomBytes(18).toString('base64url');
    reply.headers(
      pageHeaders(nonce, {
        'script-src': `'nonce-${nonce}'`,
        'connect-src': "'self'",
        'form-action': "'none'",
        'referrer-policy': 'no-referrer',
      }),
    );
    return this.pages.render('password', preferredLocale(languages), nonce);
  }
}
