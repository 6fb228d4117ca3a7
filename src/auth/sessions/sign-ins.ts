import { Injectable, Logger } from '@nestjs/common';
import { AuditLog } from '../../platform/audit/audit-log.js';
import type { Act, Written } from '../../platform/audit/audit-log.js';
import { Problem } from '../../platform/errors/problem.js';
import { networkOf } from '../../platform/http/addresses.js';

/** Recorded refusals per address (IPv6: its /64), hour and process, so that nobody can fill the log. */
const REFUSALS_PER_HOUR = 60;
const HOUR_MS = 60 * 60 * 1_000;
/** Networks that are counted at the same time; beyond that the longest known is forgotten. */
const MAX_NETWORKS = 50_000;

/** Where a sign-in comes from, as recorded in the audit log. */
export type SignInTrace = Pick<Act, 'action' | 'request_id'> & { ip: string };

/** The row of an act that is not over; null: it is not recorded. */
export type SignInRecord = Written | null;

/** Whose account it is. */
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
  /** By network, the oldest hour first. */
  private readonly refusals = new Map<string, { count: number; ends: number }>();

  constructor(private readonly log: AuditLog) {}

  /** @throws Problem unavailable: a privileged sign-in must be recorded. */
  async granted(account: Account, trace: SignInTrace): Promise<void> {
    if (account.role !== 'member') await this.log.write(actOf(account, trace), 200);
  }

  /**
   * Records that a password is about to be set, for `finishing`.
   * @throws Problem unavailable: nobody takes an admin's account over unseen.
   */
  async passwordSet(account: Account, trace: SignInTrace): Promise<SignInRecord> {
    return account.role === 'member' ? null : this.log.write(actOf(account, trace));
  }

  /**
   * Waits for an act, and adds its outcome to its record: what was rolled back was not done.
   * @param status of the answer when it succeeds
   */
  async finishing<Result>(
    act: Promise<Result>,
    status: number,
    recordOf: () => SignInRecord,
  ): Promise<Result> {
    const finish = async (outcome: number) => {
      const record = recordOf();
      if (record === null) return;
      await this.log.finish(record, outcome, null).catch((error: unknown) => {
        this.logger.error({ event: 'audit_outcome_lost', err: error });
      });
    };
    try {
      const result = await act;
      await finish(status);
      return result;
    } catch (error) {
      await finish(error instanceof Problem ? error.status : 500);
      throw error;
    }
  }

  /** Not awaited: the time of a refusal must not reveal the kind of account. */
  refused(account: Account | UnknownAccount, trace: SignInTrace, status: number): void {
    this.record(account, trace, status).catch((error: unknown) => {
      this.logger.error({ event: 'audit_refusal_lost', err: error });
    });
  }

  private async record(account: Account | UnknownAccount, trace: SignInTrace, status: number): Promise<void> {
    if (this.countRefusal(networkOf(trace.ip)) > REFUSALS_PER_HOUR) return;
    await this.log.write(actOf(account, trace), status);
  }

  /** @returns which refusal of this network in the hour it is. The time is real time, not the business clock's. */
  private countRefusal(network: string): number {
    const now = performance.now();
    const known = this.refusals.get(network);
    if (known !== undefined && known.ends > now) return (known.count += 1);
    this.refusals.delete(network);
    const [oldest] = this.refusals.keys();
    if (this.refusals.size >= MAX_NETWORKS && oldest !== undefined) this.refusals.delete(oldest);
    this.refusals.set(network, { count: 1, ends: now + HOUR_MS });
    return 1;
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
