import { isUUID } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import type { AccessRule, AnyCaller } from '../http/caller.js';
import { addressOf } from '../http/addresses.js';
import type { Act } from './audit-log.js';

const LOOKS = ['GET', 'HEAD', 'OPTIONS'];
/**
 * Names of jobs, queues and channels. Keeps addresses and personal names that somebody put into a path out of the log.
 */
const WORD = /^[a-z][a-z0-9_-]{0,63}$/;

/** Whether a request may change something reserved for admins or operators, or the password of one of them. */
export function isAudited(method: string, rule: AccessRule, caller: AnyCaller): boolean {
  if (LOOKS.includes(method) || rule.changes === false) return false;
  return (
    isForAdmins(rule) || (rule.who === 'person' && (caller.kind === 'operator' || caller.role === 'admin'))
  );
}

/** Whether only admins and operators may call a route. */
export function isForAdmins({ who }: AccessRule): boolean {
  return who === 'admin' || who === 'operator' || who === 'admin_or_operator';
}

/** The act a request asks for: its route and ids, without personal data from its URL. */
export function actOf(request: FastifyRequest, caller: AnyCaller): Act {
  const params = (request.params ?? {}) as Record<string, unknown>;
  const targets = Object.entries(params).flatMap(([name, value]) =>
    typeof value === 'string' && (isUUID(value) || WORD.test(value)) ? [[name, value] as const] : [],
  );
  return {
    actor: caller.principal,
    actor_kind: caller.kind,
    tenant: tenantOf(request, caller, params),
    targets: Object.fromEntries(targets),
    ...traceOf(request),
  };
}

/** Identifies the request with fields that a log may hold. */
export function traceOf(request: FastifyRequest): Pick<Act, 'action' | 'request_id'> & { ip: string } {
  return {
    action: `${request.method} ${request.routeOptions.url ?? ''}`,
    request_id: request.id,
    ip: addressOf(request),
  };
}

/** An operator's act on a tenant goes to that tenant's log, where its admins can see it. */
function tenantOf(
  request: FastifyRequest,
  caller: AnyCaller,
  params: Record<string, unknown>,
): Act['tenant'] {
  if (caller.kind !== 'operator') return { id: caller.tenant_id };
  const { tenant_id: id } = params;
  if (typeof id === 'string' && isUUID(id)) return { id };
  const { tenant: slug } = (request.query ?? {}) as Record<string, unknown>;
  return typeof slug === 'string' && slug.length <= 63 && !slug.includes('\0') ? { slug } : null;
}
