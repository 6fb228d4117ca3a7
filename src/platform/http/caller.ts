import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { Scope } from '../../contracts/scopes.js';

/** A caller of a tenant: a user with a token, or a program with an API key. */
export interface TenantCaller {
  kind: 'user' | 'api_key';
  tenant_id: string;
  /** `user:<id>` or `key:<id>`: the author in stored rows. */
  principal: string;
  /** Null for an API key. */
  user_id: string | null;
  /** The agent that the key reports for; null for users and other keys. */
  agent_id: string | null;
  /**
   * The current role, from the database. An API key is `admin` if it has that scope; its scopes decide what it may
   * call.
   */
  role: 'member' | 'admin';
}

/** An operator of the installation, who belongs to no tenant. */
export interface OperatorCaller {
  kind: 'operator';
  operator_id: string;
  principal: string;
}

export type AnyCaller = TenantCaller | OperatorCaller;

/** Who may call a route. Without this decorator a route refuses every caller, and test/rules fails. */
export interface AccessRule {
  /**
   * `member` includes admins; `self` is a member who is a person, not an API key; `person` is `self` or an operator
   * (`@Signed()`); `admin_or_operator` is for routes that a tenant's admin uses for that tenant and an operator for any
   * (`@AdminOrOperator()`).
   */
  who: 'public' | 'self' | 'person' | 'member' | 'admin' | 'operator' | 'admin_or_operator';
  /** The scope an API key needs to call it; without one, no key may. */
  scope?: Scope;
  /** False: a request other than GET that changes nothing. The audit log omits it. */
  changes?: false;
}

export const ACCESS_RULE = 'vigie:access';

/** @example `@Access('member', 'watched:read')` */
export function Access(who: AccessRule['who'], scope?: Scope, more: Pick<AccessRule, 'changes'> = {}) {
  return SetMetadata(ACCESS_RULE, { who, scope, ...more } satisfies AccessRule);
}

/** Where the guard stores the authenticated caller. */
export interface CallerRequest {
  caller?: AnyCaller;
  /** The session of a caller with a token. */
  session?: string;
}

/** The person signed in on a `person` route, and their session. */
export interface SignedIn {
  caller: AnyCaller;
  session: string;
}

/** The caller of a tenant's route; the guard guarantees one. */
export const Caller = createParamDecorator((_data: unknown, context: ExecutionContext): TenantCaller => {
  const { caller } = context.switchToHttp().getRequest<CallerRequest>();
  if (caller === undefined || caller.kind === 'operator') throw new Error('the route has no tenant caller');
  return caller;
});

/** The caller of an operators' route. */
export const Operator = createParamDecorator((_data: unknown, context: ExecutionContext): OperatorCaller => {
  const { caller } = context.switchToHttp().getRequest<CallerRequest>();
  if (caller?.kind !== 'operator') throw new Error('the route has no operator');
  return caller;
});

/** The caller of an `admin_or_operator` route: a tenant's admin (person or API key), or an operator. */
export const AdminOrOperator = createParamDecorator(
  (_data: unknown, context: ExecutionContext): AnyCaller => {
    const { caller } = context.switchToHttp().getRequest<CallerRequest>();
    if (caller === undefined) throw new Error('the route has no caller');
    return caller;
  },
);

/** The signed-in user's id on a `self` route. */
export const CallerUserId = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const { caller } = context.switchToHttp().getRequest<CallerRequest>();
  if (caller?.kind !== 'user' || caller.user_id === null) throw new Error('the route has no signed-in user');
  return caller.user_id;
});

/** The user or operator who calls a `person` route. */
export const Signed = createParamDecorator((_data: unknown, context: ExecutionContext): SignedIn => {
  const { caller, session } = context.switchToHttp().getRequest<CallerRequest>();
  if (caller === undefined || session === undefined) throw new Error('the route has nobody signed in');
  return { caller, session };
});
