import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { Database } from '../../../platform/database/database.js';
import type { TenantTransaction } from '../../../platform/database/transaction.js';
import { notFound, Problem } from '../../../platform/errors/problem.js';
import type { TenantCaller } from '../../../platform/http/caller.js';
import { UserEvents } from '../../../users/user-events.js';
import { UsersService } from '../../../users/users.service.js';
import { recipientsOf, type Subject, Subjects } from '../subject.js';
import { auditedTarget } from './audited-target.js';
import { ERASURE_COLUMNS, type ErasedPerson, type Erasure } from './erasure.js';
import { ErasureWork } from './erasure-work.js';
import { isFullName } from './needles.js';

/** Whom to erase. */
export type ErasureTarget = { user_id: string } | { address: string };

const MAX_LISTED = 100;
const ELSEWHERE_MS = 200;

/**
 * Erases people. A user loses the account at once, however the erasure was asked for: this service listens to it. What
 * names them elsewhere follows in the background (`ErasureWork`).
 */
@Injectable()
export class Erasures {
  constructor(
    private readonly database: Database,
    private readonly subjects: Subjects,
    private readonly users: UsersService,
    private readonly work: ErasureWork,
    @Inject(Clock) private readonly clock: Clock,
    events: UserEvents,
  ) {
    // Before the listeners of other rooms, which register later and delete previous addresses.
    events.onErased((tx, userId, by) => this.userErased(tx, userId, by));
  }

  /**
   * How the audit log identifies the person: by id or hash. A number that several users have identifies nobody.
   * @throws Problem validation_failed if the target is not an address
   */
  async auditedTarget(tenantId: string, target: ErasureTarget): Promise<Record<string, string>> {
    if ('user_id' in target) return { user_id: target.user_id };
    try {
      return auditedTarget(await this.subjects.ofAddress(tenantId, target.address, true));
    } catch (error) {
      if (error instanceof Problem && error.code === 'conflict') return { address: 'phone' };
      throw error;
    }
  }

  /**
   * Begins an erasure. Again for a user who was erased, or while an address is being erased, it is the same one.
   * @throws Problem not_found for an unknown user; validation_failed for what is no address; conflict for the last admin,
   * and for a number that several users have.
   */
  async begin(by: TenantCaller, target: ErasureTarget): Promise<Erasure> {
    const { tenant_id } = by;
    if ('user_id' in target) return this.beginForUser(by, target.user_id);
    const subject = await this.subjects.ofAddress(tenant_id, target.address, true);
    return subject.user_id === null
      ? this.beginForAddress(by, subject)
      : this.beginForUser(by, subject.user_id);
  }

  /** @throws Problem not_found */
  async read(tenantId: string, id: string): Promise<Erasure> {
    const erasure = await this.database
      .single(tenantId)
      .one<Erasure>(`SELECT ${ERASURE_COLUMNS} FROM erasures WHERE tenant_id = $1 AND id = $2`, [
        tenantId,
        id,
      ]);
    if (erasure === null) throw notFound();
    return erasure;
  }

  /** The newest first. */
  async list(tenantId: string): Promise<Erasure[]> {
    return this.database
      .single(tenantId)
      .query<Erasure>(
        `SELECT ${ERASURE_COLUMNS} FROM erasures WHERE tenant_id = $1 ORDER BY id DESC LIMIT ${MAX_LISTED}`,
        [tenantId],
      );
  }

  /** Runs it in this process, together with workers, until it is done or has to wait. @returns how far it is then */
  async finish(tenantId: string, id: string): Promise<Erasure> {
    for (;;) {
      await this.work.finish({ tenant_id: tenantId, id });
      const erasure = await this.read(tenantId, id);
      if (erasure.state !== 'running' || erasure.waiting_for !== null) return erasure;
      // Another process does the present part.
      await delay(ELSEWHERE_MS);
    }
  }

  private async beginForUser(by: TenantCaller, userId: string): Promise<Erasure> {
    try {
      await this.users.remove(by, userId);
    } catch (error) {
      // Erased before: the same answer. Otherwise the user is unknown.
      if (!(error instanceof Problem && error.code === 'not_found')) throw error;
    }
    const erasure = await this.database
      .single(by.tenant_id)
      .one<Erasure>(
        `SELECT ${ERASURE_COLUMNS} FROM erasures WHERE tenant_id = $1 AND user_id = $2 ORDER BY id LIMIT 1`,
        [by.tenant_id, userId],
      );
    if (erasure === null) throw notFound();
    return erasure;
  }

  private async beginForAddress(by: TenantCaller, { addresses, recipients }: Subject): Promise<Erasure> {
    return this.database.tenant(by.tenant_id, async (tx) => {
      await tx.lock(`erasure:${tx.tenant_id}`);
      const running = await tx.one<Erasure>(
        `SELECT ${ERASURE_COLUMNS} FROM erasures
         WHERE tenant_id = $1 AND state = 'running' AND subject -> 'addresses' = $2::jsonb ORDER BY id LIMIT 1`,
        [tx.tenant_id, JSON.stringify(addresses)],
      );
      return running ?? this.insert(tx, by.principal, null, { name: null, addresses, recipients });
    });
  }

  /** In the transaction that deletes the account. */
  private async userErased(tx: TenantTransaction, userId: string, by: string): Promise<void> {
    const found = await tx.one<{ name: string; shared: boolean; addresses: string[] }>(PERSON, [
      tx.tenant_id,
      userId,
      `user:${userId}`,
    ]);
    if (found === null) return;
    const { name, shared, addresses } = found;
    await this.insert(tx, by, userId, {
      name: shared || !isFullName(name) ? null : name,
      addresses,
      recipients: [`user:${userId}`, ...recipientsOf(addresses)],
    });
  }

  private async insert(
    tx: TenantTransaction,
    by: string,
    userId: string | null,
    subject: ErasedPerson,
  ): Promise<Erasure> {
    const made = await tx.one<Erasure>(
      `INSERT INTO erasures (tenant_id, requested_by, user_id, subject, created_at) VALUES ($1, $2, $3, $4, $5)
       RETURNING ${ERASURE_COLUMNS}`,
      [tx.tenant_id, by, userId, JSON.stringify(subject), this.clock.now()],
    );
    if (made === null) throw new Error('INSERT returned no row');
    tx.afterCommit(() => this.work.wake());
    return made;
  }
}

/**
 * The name of a user, whether another user of the tenant has the same, and the addresses that nobody else has: e-mail,
 * phone, and the previous addresses that notices of a change still have.
 * $1 tenant id, $2 user id, $3 recipient
 */
const PERSON = `
  SELECT u.name,
         EXISTS (SELECT FROM users o WHERE o.tenant_id = $1 AND o.id <> $2 AND lower(o.name) = lower(u.name)) AS shared,
         ARRAY(
           SELECT DISTINCT lower(a.address) FROM (
             SELECT u.email UNION ALL SELECT u.phone
             UNION ALL SELECT n.data ->> 'previous_email' FROM notifications n
             WHERE n.tenant_id = $1 AND n.recipient = $3 AND n.kind = 'email_changed') AS a (address)
           WHERE a.address IS NOT NULL AND NOT EXISTS (
             SELECT FROM users o
             WHERE o.tenant_id = $1 AND o.id <> $2 AND lower(a.address) IN (lower(o.email), o.phone))
           ORDER BY 1) AS addresses
  FROM users u WHERE u.tenant_id = $1 AND u.id = $2`;
