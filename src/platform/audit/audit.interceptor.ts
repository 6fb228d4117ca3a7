import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  Logger,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ClsService } from 'nestjs-cls';
import { catchError, from, mergeMap, type Observable, switchMap } from 'rxjs';
import { toProblem } from '../errors/problem.filter.js';
import { ACCESS_RULE, type AccessRule, type AnyCaller, type CallerRequest } from '../http/caller.js';
import { actOf, isForAdmins } from './act.js';
import { AuditLog, type Written } from './audit-log.js';

/**
 * Writes down what admins and operators do: every request that may change something, on a route that only they
 * may call. The act is committed to the log before it begins, so that nothing is done without a trace, and its
 * outcome is added after.
 */
@Injectable()
export class AuditInterceptor implements NestInterceptor {
  private readonly logger = new Logger('Audit');

  constructor(
    private readonly log: AuditLog,
    private readonly reflector: Reflector,
    private readonly cls: ClsService,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const request = context.switchToHttp().getRequest<FastifyRequest & CallerRequest>();
    const rule = this.reflector.getAllAndOverride<AccessRule | undefined>(ACCESS_RULE, [
      context.getHandler(),
      context.getClass(),
    ]);
    const { caller } = request;
    if (caller === undefined || !isAudited(request.method, rule, caller)) return next.handle();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return from(this.log.write(actOf(request, caller))).pipe(
      switchMap((written) =>
        next.handle().pipe(
          mergeMap(async (answer: unknown) => {
            await this.end(written, reply.statusCode, this.changed(request));
            return answer;
          }),
          catchError(async (error: unknown) => {
            await this.end(written, toProblem(error).status, null);
            throw error;
          }),
        ),
      ),
    );
  }

  /** It is done by now: who asked for it must not hear that it failed. The row stays without an outcome. */
  private async end(written: Written, status: number, changed: readonly string[] | null): Promise<void> {
    try {
      await this.log.finish(written, status, changed);
    } catch (error) {
      this.logger.error({ event: 'audit_outcome_lost', audit_id: written.id, status, err: error });
    }
  }

  /** What the handler says it changed, or what a PATCH that was accepted names. */
  private changed({ method, body }: FastifyRequest): string[] | null {
    const told = this.cls.isActive() ? this.cls.get('changed_fields') : undefined;
    if (told !== undefined) return told;
    return method === 'PATCH' && typeof body === 'object' && body !== null ? Object.keys(body) : null;
  }
}

function isAudited(method: string, rule: AccessRule | undefined, caller: AnyCaller): boolean {
  if (rule === undefined || ['GET', 'HEAD', 'OPTIONS'].includes(method)) return false;
  if (isForAdmins(rule)) return true;
  return rule.who === 'person' && (caller.kind === 'operator' || caller.role === 'admin');
}
