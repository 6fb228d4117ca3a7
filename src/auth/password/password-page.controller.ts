import { randomBytes } from 'node:crypto';
import { Controller, Get, Headers, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access } from '../../platform/http/caller.js';
import { preferredLocale } from '../../platform/http/page.js';
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
    return passwordPage(preferredLocale(languages), nonce);
  }
}
