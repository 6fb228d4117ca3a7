import { Injectable, Logger } from '@nestjs/common';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { AuditLog } from '../../platform/audit/audit-log.js';
import type { Act } from '../../platform/audit/audit-log.js';
import { networkOf } from '../../platform/http/addresses.js';

/** Recorded refusals per address (IPv6: its /64), hour and process, so that nobody can fill the log. */
const REFUSALS_PER_HOUR = 60;

/** Where a sign-in comes from, as recorded in the audit log. */
export type SignInTrace = Pick<Act, 'action' | 'request_id'> & { ip: string };

/** The account of a sign-in. */
interface Account {
  id: string;
  role: 'member' | 'admin' | 'operator';
  tenant_id: string | null;
}

/** An unknown account: only the named tenant, if it exists. */
export interface UnknownAccount {
  id: null;
  tenant_id: string | null;
}

/**
 * Records in the audit log when admins and operators sign in or choose a password by a link, and every refused sign-in
 * (OWASP ASVS 5, 16.3.1), with its address.
 */
@Injectable()
export class SignIns {
  private readonly logger = new Logger('Login');
  private readonly refusals = new RateLimiterMemory({ points: REFUSALS_PER_HOUR, duration: 60 * 60 });

  constructor(private readonly log: AuditLog) {}

  /** @throws Problem unavailable: a privileged sign-in must be recorded. */
  async granted(account: Account, trace: SignInTrace): Promise<void> {
    if (account.role !== 'member') await this.log.write(actOf(account, trace), 200);
  }

  /** @throws Problem unavailable: a takeover of an admin's account must be recorded. */
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

/** For a refusal the actor is the attempted account. */
function actOf(account: Account | UnknownAccount, trace: SignInTrace): Act {
  const { id, tenant_id } = account;
  const tenant = tenant_id === null ? null : { id: tenant_id };
  if (id === null) return { actor: 'anonymous', actor_kind: 'anonymous', tenant, targets: {}, ...trace };
  const kind = account.role === 'operator' ? 'operator' : 'user';
  return { actor: `${kind}:${id}`, actor_kind: kind, tenant, targets: {}, ...trace };
}
