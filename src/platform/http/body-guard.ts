import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { BODY_LIMIT, PUBLIC_BODY_LIMIT, readBody } from './bodies.js';
import { ACCESS_RULE, type AccessRule } from './caller.js';
import { takesUpload } from './uploads/uploads.js';

const FORM = 'vigie:form';
const READS_BODY = 'vigie:reads-body';
const ILL_FORMED = 'vigie:ill-formed-texts';

/** Accepts form posts from an HTML page. Other routes accept only JSON. */
export function TakesForm(): MethodDecorator {
  return SetMetadata(FORM, true);
}

/** The route reads its body itself, with `readBytes`. */
export function ReadsBody(): MethodDecorator {
  return SetMetadata(READS_BODY, true);
}

/** For routes that receive truncated output of other programs: the route replaces lone surrogates itself. */
export function TakesIllFormedTexts(): MethodDecorator {
  return SetMetadata(ILL_FORMED, true);
}

/** Reads the body of a request after `AccessGuard` has let it through. */
@Injectable()
export class BodyGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (request.body === undefined || takesUpload(request)) return true;
    const targets = [context.getHandler(), context.getClass()];
    const rule = this.reflector.getAllAndOverride<AccessRule | undefined>(ACCESS_RULE, targets);
    const takes = (what: string) =>
      this.reflector.getAllAndOverride<boolean | undefined>(what, targets) === true;
    if (takes(READS_BODY)) return true;
    const limit = rule?.who === 'public' ? PUBLIC_BODY_LIMIT : BODY_LIMIT;
    request.body = await readBody(request, limit, {
      form: takes(FORM),
      illFormedTexts: takes(ILL_FORMED),
    });
    return true;
  }
}
