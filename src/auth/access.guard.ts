import { type CanActivate, type ExecutionContext, Injectable, Logger } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../platform/errors/problem.js';
import { Authenticator, unauthenticated } from './authenticator.js';
import { ACCESS_RULE, type AccessRule, type AnyCaller, type CallerRequest } from '../platform/http/caller.js';

/**
 * Lets a request through by its route's `@Access` rule, and leaves the caller with the request. A route without
 * a rule lets nobody through.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly logger = new Logger('Access');

  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // A socket was recognised in its handshake, before it could send anything.
    if (context.getType() !== 'http') return true;
    const rule = this.reflector.getAllAndOverride<AccessRule | undefined>(ACCESS_RULE, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (rule === undefined) {
      this.logger.error({
        event: 'route_without_access_rule',
        handler: `${context.getClass().name}.${context.getHandler().name}`,
      });
      throw new Problem('forbidden');
    }
    if (rule.who === 'public') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest & CallerRequest>();
    request.caller = await this.recognise(request, rule);
    return true;
  }

  /** The caller, if the rule lets it in. */
  private async recognise({ headers }: FastifyRequest, rule: AccessRule): Promise<AnyCaller> {
    const key = headers['x-api-key'];
    if (key !== undefined) {
      if (headers.authorization !== undefined) throw new Problem('ambiguous_credentials');
      const { caller, scopes } = await this.authenticator.byApiKey(String(key));
      if (rule.scope === undefined || !scopes.includes(rule.scope)) throw new Problem('forbidden');
      return caller;
    }
    const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
    if (token === undefined) throw unauthenticated();
    const { caller } = await this.authenticator.byToken(token);
    if (!admits(rule.who, caller)) throw new Problem('forbidden');
    return caller;
  }
}

/** Whether a caller by token may go on. */
function admits(who: AccessRule['who'], caller: AnyCaller): boolean {
  if (caller.kind === 'operator') return who === 'operator' || who === 'admin_or_operator';
  switch (who) {
    case 'self':
    case 'member':
      return true;
    case 'admin':
    case 'admin_or_operator':
      return caller.role === 'admin';
    default:
      return false;
  }
}
