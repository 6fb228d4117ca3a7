import { randomBytes } from 'node:crypto';
import { HttpStatus, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Locale } from '../../contracts/locales.js';
import { pageHeaders, preferredLocale } from '../../platform/http/html-page.js';
import { HtmlPages } from './html-pages.js';
import type { PageName } from './page-files.js';

/**
 * The pages that links in mails open without a login. They work without a script; their only forms are posted to
 * themselves.
 */
@Injectable()
export class LinkPages {
  constructor(private readonly pages: HtmlPages) {}

  /**
   * The page, with its headers.
   * @param shown null: status 404, with the same page for every link that does not work
   */
  render(
    page: PageName,
    request: FastifyRequest,
    reply: FastifyReply,
    shown: { locale: Locale } | null,
  ): string {
    const nonce = randomBytes(18).toString('base64url');
    // The address is a credential: no referrer.
    reply.headers(pageHeaders(nonce, { 'form-action': "'self'", 'referrer-policy': 'no-referrer' }));
    if (shown !== null) return this.pages.render(page, shown.locale, nonce, shown);
    reply.status(HttpStatus.NOT_FOUND);
    return this.pages.render(page, preferredLocale(request.headers['accept-language']), nonce);
  }
}
