import { isUUID } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import type { AccessRule, AnyCaller } from '../http/caller.js';
import { addressOf } from '../http/addresses.js';
import type { Act } from './audit-log.js';

const LOOKS = ['GET', 'HEAD', 'OPTIONS'];
/** Names of jobs, queues, channels; an address or a name that somebody put into a path is not one. */
const WORD = /^[a-z][a-z0-9_-]{0,63}$/;

/** Whether a request may change something that only admins or operators may, or the password of one of them. */
export function isAudited(method: string, rule: AccessRule, caller: AnyCaller): boolean {
  if (LOOKS.includes(method)) return false;
  return (
    isForAdmins(rule) || (rule.who === 'person' && (caller.kind === 'operator' || caller.role === 'admin'))
  );
}

/** Whether only admins and operators may call a route. */
export function isForAdmins({ who }: AccessRule): boolean {
  return who === 'admin' || who === 'operator' || who === 'admin_or_operator';
}

/** What somebody asks for, without what could be personal in its address: its route, and ids. */
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

/** Which request it is, by what a log may hold. */
export function traceOf(request: FastifyRequest): Pick<Act, 'action' | 'request_id'> & { ip: string } {
  return {
    action: `${request.method} ${request.routeOptions.url ?? ''}`,
    request_id: request.id,
    ip: addressOf(request),
  };
}

/** What operators do with a tenant's things is in that tenant's log, for its admins to see. */
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
