import { Injectable, Logger } from '@nestjs/common';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { AuditLog } from '../../platform/audit/audit-log.js';
import type { Act } from '../../platform/audit/audit-log.js';
import { networkOf } from '../../platform/http/addresses.js';

/** Refused sign-ins of one address (IPv6: its /64) that are recorded in an hour by a process: nobody can fill the log. */
const REFUSALS_PER_HOUR = 60;

/** From where somebody signs in, as the audit log keeps it. */
export type SignInTrace = Pick<Act, 'action' | 'request_id'> & { ip: string };

/** Whose account it is. */
interface Account {
  id: string;
  role: 'member' | 'admin' | 'operator';
  tenant_id: string | null;
}

/** Nobody's account: the tenant that was named, if there is one. */
export interface UnknownAccount {
  id: null;
  tenant_id: string | null;
}

/**
 * Records in the audit log when admins and operators sign in or choose a password by a link, and every refused
 * sign-in (OWASP ASVS 5, 16.3.1), with the address that it came from.
 */
@Injectable()
export class SignIns {
  private readonly logger = new Logger('Login');
  private readonly refusals = new RateLimiterMemory({ points: REFUSALS_PER_HOUR, duration: 60 * 60 });

  constructor(private readonly log: AuditLog) {}

  /** @throws Problem unavailable: nobody with that much power comes in unseen. */
  async granted(account: Account, trace: SignInTrace): Promise<void> {
    if (account.role !== 'member') await this.log.write(actOf(account, trace), 200);
  }

  /** @throws Problem unavailable: nobody takes an admin's account over unseen. */
  async passwordSet(account: Account, trace: SignInTrace): Promise<void> {
    if (account.role !== 'member') await this.log.write(actOf(account, trace), 204);
  }

  /** Not awaited: the time of a refusal must not reveal the kind of account. */
  refused(account: Account | UnknownAccount, trace: SignInTrace, status: number): void {
    this.record(account, trace, status).catch((error: unknown) => {
      this.logger.error({ event: 'audit_refusal_lost', err: error });
    });
  }

  private async record(account: Account | UnknownAccount, trace: SignInTrace, status: number): Promise<void> {
    const { consumedPoints } = await this.refusals.penalty(networkOf(trace.ip));
    if (consumedPoints <= REFUSALS_PER_HOUR) await this.log.write(actOf(account, trace), status);
  }
}

/** Where it was refused, the actor is the account that was tried. */
function actOf(account: Account | UnknownAccount, trace: SignInTrace): Act {
  const { id, tenant_id } = account;
  const tenant = tenant_id === null ? null : { id: tenant_id };
  if (id === null) return { actor: 'anonymous', actor_kind: 'anonymous', tenant, targets: {}, ...trace };
  const kind = account.role === 'operator' ? 'operator' : 'user';
  return { actor: `${kind}:${id}`, actor_kind: kind, tenant, targets: {}, ...trace };
}
