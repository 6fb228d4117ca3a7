import { randomBytes } from 'node:crypto';
import { Controller, Get, Headers, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Locale } from '../contracts/notification-kinds.js';
import { Access } from '../platform/http/caller.js';
import { passwordPage, passwordPageHeaders } from './password-page.js';

/** `GET /password?token=…`, outside the API: what the links in mails open. */
@ApiExcludeController()
@Controller('password')
export class PasswordPageController {
  @Get()
  @Access('public')
  page(
    @Headers('accept-language') languages: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): string {
    const nonce = randomBytes(18).toString('base64url');
    reply.headers(passwordPageHeaders(nonce));
    return passwordPage(preferred(languages), nonce);
  }
}

/** Browsers name the languages in order; French where neither is named. */
function preferred(languages = ''): Locale {
  return /\b(fr|en)\b/i.exec(languages)?.[1]?.toLowerCase() === 'en' ? 'en' : 'fr';
}
