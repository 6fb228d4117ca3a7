import { Injectable, Logger } from '@nestjs/common';
import { AuditLog } from '../../platform/audit/audit-log.js';
import type { Act } from '../../platform/audit/audit-log.js';

/** From where somebody signs in, as the audit log keeps it. */
export type SignInTrace = Pick<Act, 'action' | 'request_id' | 'ip'>;

/** Whose account it is. */
interface Account {
  id: string;
  role: 'member' | 'admin' | 'operator';
  tenant_id: string | null;
}

/**
 * Records in the audit log when admins and operators sign in or choose a password by a link, and when somebody tries to
 * sign in as one of them.
 */
@Injectable()
export class SignIns {
  private readonly logger = new Logger('Login');

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
  refused(account: Account, trace: SignInTrace, status: number): void {
    if (account.role === 'member') return;
    this.log.write(actOf(account, trace), status).catch((error: unknown) => {
      this.logger.error({ event: 'audit_refusal_lost', err: error });
    });
  }
}

/** Where it was refused, the actor is the account that was tried. */
function actOf({ id, role, tenant_id }: Account, trace: SignInTrace): Act {
  const kind = role === 'operator' ? 'operator' : 'user';
  return {
    actor: `${kind}:${id}`,
    actor_kind: kind,
    tenant: tenant_id === null ? null : { id: tenant_id },
    targets: {},
    ...trace,
  };
}
