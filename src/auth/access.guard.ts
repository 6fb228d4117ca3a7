import { type CanActivate, type ExecutionContext, Injectable, Logger } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { actOf, isAudited } from '../platform/audit/act.js';
import { AuditLog } from '../platform/audit/audit-log.js';
import type { AuditedRequest } from '../platform/audit/outcomes.js';
import { addressOf } from '../platform/http/addresses.js';
import { ACCESS_RULE, type AccessRule, type AnyCaller, type CallerRequest } from '../platform/http/caller.js';
import { admitsCookie } from '../platform/http/same-origin.js';
import { COUNTS_REQUESTS, RequestLimits } from '../platform/http/request-limits.js';
import { Problem } from '../platform/errors/problem.js';
import type { Scope } from '../contracts/scopes.js';
import { Authenticator, unauthenticated } from './authenticator.js';
import { Refusals } from './refusals.js';
import { SessionCookies } from './sessions/session-cookies.js';

/** The caller of a request; `scopes` is what an API key may do, null for a caller with a token. */
interface Recognition {
  caller: AnyCaller;
  scopes: readonly Scope[] | null;
  session?: string;
}

/**
 * Checks a request against its route's `@Access` rule and its caller's limit, and attaches the caller to the request.
 * What admins and operators do is recorded here before it happens. A route without a rule refuses everyone.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly logger = new Logger('Access');

  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly cookies: SessionCookies,
    private readonly limits: RequestLimits,
    private readonly refusals: Refusals,
    private readonly log: AuditLog,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // A socket is authenticated in its handshake, before it can send anything.
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
    const request = context.switchToHttp().getRequest<FastifyRequest & CallerRequest & AuditedRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    if (rule.who === 'public') {
      // Health and pages are not counted: load balancers must always get an answer.
      const isApi = request.routeOptions.url?.startsWith('/api/') === true;
      const counts = this.reflector.get<boolean | undefined>(COUNTS_REQUESTS, context.getHandler()) === true;
      if (!counts && (isApi || !['GET', 'HEAD'].includes(request.method)))
        this.countAnonymous(request, reply);
      return true;
    }
    const { caller, scopes, session } = await this.recogniseOrCount(request, reply);
    request.caller = caller;
    request.session = session;
    reply.headers(this.limits.countPrincipal(caller.principal) ?? {});
    const admitted = scopes === null ? admits(rule.who, caller) : admitsKey(rule, scopes);
    if (!admitted) {
      await this.refusals.note(rule, request, caller);
      throw new Problem('forbidden');
    }
    if (isAudited(request.method, rule, caller))
      request.written = await this.log.write(actOf(request, caller));
    return true;
  }

  /** Counts requests without valid credentials against their address. */
  private async recogniseOrCount(request: FastifyRequest, reply: FastifyReply): Promise<Recognition> {
    try {
      return await this.recognise(request);
    } catch (error) {
      if (error instanceof Problem && error.status < 500) this.countAnonymous(request, reply);
      throw error;
    }
  }

  private countAnonymous(request: FastifyRequest, reply: FastifyReply): void {
    reply.headers(this.limits.countAddress(addressOf(request)) ?? {});
  }

  private async recognise(request: FastifyRequest): Promise<Recognition> {
    const { headers } = request;
    const key = headers['x-api-key'];
    const hasCookie = this.cookies.isIn(headers.cookie);
    if ([key !== undefined, headers.authorization !== undefined, hasCookie].filter(Boolean).length > 1)
      throw new Problem('ambiguous_credentials');
    if (key !== undefined) return this.authenticator.byApiKey(String(key));
    if (hasCookie) {
      if (!admitsCookie(request)) throw new Problem('cross_origin');
      const { caller, session } = await this.authenticator.byCookie(headers.cookie);
      return { caller, scopes: null, session };
    }
    const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
    if (token === undefined) throw unauthenticated();
    const { caller, session } = await this.authenticator.byToken(token);
    return { caller, scopes: null, session };
  }
}

function admitsKey({ scope }: AccessRule, scopes: readonly Scope[]): boolean {
  return scope !== undefined && scopes.includes(scope);
}

/** Whether a caller with a token may proceed. */
function admits(who: AccessRule['who'], caller: AnyCaller): boolean {
  if (caller.kind === 'operator')
    return who === 'operator' || who === 'admin_or_operator' || who === 'person';
  switch (who) {
    case 'self':
    case 'person':
    case 'member':
      return true;
    case 'admin':
    case 'admin_or_operator':
      return caller.role === 'admin';
    default:
      return false;
  }
}
