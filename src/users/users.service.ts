import { Inject, Injectable, Logger } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { type FindOptionsWhere, LessThan } from 'typeorm';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { isUniqueViolation } from '../platform/database/failures.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { notFound, Problem } from '../platform/errors/problem.js';
import { decodeCursor, type Page, pageOf } from '../platform/http/cursor.js';
import type { TenantCaller } from '../platform/http/caller.js';
import { WakeUps } from '../platform/queues/wake-ups.js';
import { TimeZones } from '../tenants/time-zones.js';
import { UserEvents } from './user-events.js';
import { User } from './user.entity.js';
import { Me, type NewUser, type OwnTenant, type UserQuery } from './users.dto.js';

/** Changeable fields of a user; absent ones stay unchanged. */
export type UserChanges = Partial<Pick<User, 'email' | 'name' | 'role' | 'phone' | 'locale' | 'time_zone'>>;

/** The people of a tenant. */
@Injectable()
export class UsersService {
  private readonly logger = new Logger('Users');

  constructor(
    private readonly database: Database,
    private readonly events: UserEvents,
    private readonly wakeUps: WakeUps,
    private readonly zones: TimeZones,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Creates a user and sends a welcome with a link to set a password (unless `welcome` is false).
   * @throws Problem forbidden for an admin when the caller may not create one, conflict when the address is taken in
   * the tenant.
   */
  async create(
    tx: TenantTransaction,
    by: TenantCaller,
    { role, phone, locale, time_zone, welcome = true, ...rest }: NewUser,
  ): Promise<User> {
    assertMayTouch(by, role);
    await this.zones.assertKnown(time_zone);
    const now = this.clock.now();
    const user = await this.save(tx, {
      ...rest,
      tenant_id: tx.tenant_id,
      role: role ?? 'member',
      phone: phone ?? null,
      locale: locale ?? null,
      time_zone: time_zone ?? null,
      created_at: now,
      updated_at: now,
    });
    if (welcome) await this.events.created(tx, user);
    return user;
  }

  /** A page, newest first: ids grow with time. */
  async list(tenantId: string, { limit, cursor, role }: UserQuery): Promise<Page<User>> {
    const where: FindOptionsWhere<User> = { tenant_id: tenantId };
    if (role !== undefined) where.role = role;
    if (cursor !== undefined) {
      const [after] = decodeCursor(cursor, [(key) => isUUID(key)]);
      where.id = LessThan(after ?? '');
    }
    const rows = await this.database.tenant(tenantId, (tx) =>
      tx.repository(User).find({ where, order: { id: 'DESC' }, take: limit + 1 }),
    );
    return pageOf(
      rows,
      limit,
      (user) => [user.id],
      (user) => user,
    );
  }

  /** @throws Problem not_found */
  async get(tenantId: string, id: string): Promise<User> {
    return this.database.tenant(tenantId, async (tx) => {
      const user = await tx.repository(User).findOneBy({ tenant_id: tenantId, id });
      if (user === null) throw notFound();
      return user;
    });
  }

  /** @throws Problem not_found */
  async me(tenantId: string, id: string): Promise<Me> {
    return this.database.tenant(tenantId, async (tx) => {
      const user = await tx.repository(User).findOneBy({ tenant_id: tenantId, id });
      const tenant = await tx.one<OwnTenant>(
        `SELECT id, slug, name, kind, time_zone, locale FROM tenants WHERE id = $1`,
        [tenantId],
      );
      if (user === null || tenant === null) throw notFound();
      return Object.assign(new Me(), user, { tenant });
    });
  }

  /**
   * Changes the fields in `patch`. A new address ends the user's sessions and one-time links.
   * @throws Problem not_found, forbidden for an admin when the caller may not change one, conflict when the address is
   * taken or no admin would be left.
   */
  async update(by: TenantCaller, id: string, patch: UserChanges): Promise<User> {
    await this.zones.assertKnown(patch.time_zone);
    return this.change(by.tenant_id, id, async (tx, user) => {
      assertMayTouch(by, user.role, patch.role);
      if (Object.keys(patch).length === 0) return user;
      if (user.role === 'admin' && patch.role === 'member')
        this.requireAnAdmin(await this.otherAdmins(tx, id));
      const moved = patch.time_zone !== undefined && patch.time_zone !== user.time_zone;
      const previousEmail = user.email;
      Object.assign(user, patch, { updated_at: this.clock.now() });
      const saved = await this.save(tx, user);
      // Users are found by lower-case address: a change of case is not a new address.
      if (saved.email.toLowerCase() !== previousEmail.toLowerCase())
        await this.events.emailChanged(tx, saved, previousEmail);
      if (moved) await this.events.preferencesChanged(tx, id);
      return saved;
    });
  }

  /**
   * Erases a user, with sessions, preferences and unsent deliveries.
   * @throws Problem not_found, forbidden for an admin when the caller may not erase one, conflict when no admin would
   * be left.
   */
  async remove(by: TenantCaller, id: string): Promise<void> {
    const { tenant_id: tenantId } = by;
    await this.change(tenantId, id, async (tx, user) => {
      assertMayTouch(by, user.role);
      if (user.role === 'admin') this.requireAnAdmin(await this.otherAdmins(tx, id));
      await this.events.erased(tx, id);
      await tx.repository(User).remove(user);
      tx.afterCommit(() => this.wakeUps.send('access.revoked', { tenant_id: tenantId, user_ids: [id] }));
      this.logger.log({ event: 'user_erased', tenant_id: tenantId, user_id: id });
    });
  }

  /** Reads the user, locks it against other changes, and passes it to `work`. */
  private async change<Result>(
    tenantId: string,
    id: string,
    work: (tx: TenantTransaction, user: User) => Promise<Result>,
  ): Promise<Result> {
    return this.database.tenant(tenantId, async (tx) => {
      // Two admins who demote each other at the same moment would leave none, so changes to users are serialised. (Not
      // FOR UPDATE: inserts that reference the tenant must not wait.)
      await tx.query(`SELECT 1 FROM tenants WHERE id = $1 FOR NO KEY UPDATE`, [tenantId]);
      const user = await tx.repository(User).findOne({
        where: { tenant_id: tenantId, id },
        // Announcements lock inboxes first and then refer to users: they must not wait for this lock.
        lock: { mode: 'for_no_key_update' },
      });
      if (user === null) throw notFound();
      return work(tx, user);
    });
  }

  private async otherAdmins(tx: TenantTransaction, id: string): Promise<number> {
    const row = await tx.one<{ others: number }>(
      `SELECT count(*) AS others FROM users WHERE tenant_id = $1 AND role = 'admin' AND id <> $2`,
      [tx.tenant_id, id],
    );
    return row?.others ?? 0;
  }

  private requireAnAdmin(others: number): void {
    if (others === 0)
      throw new Problem('conflict', 'this is the last admin: make another user an admin first');
  }

  private async save(tx: TenantTransaction, user: Omit<User, 'id'>): Promise<User> {
    try {
      return await tx.save(User, user);
    } catch (error) {
      if (!isUniqueViolation(error, 'users_email_key')) throw error;
      throw new Problem('conflict', 'the e-mail address is taken', {
        errors: [{ pointer: '/email', detail: 'is the address of another user' }],
        cause: error,
      });
    }
  }
}

/**
 * A key that may only write users must not gain more rights: by creating an admin, by changing an admin's address to
 * receive the link for a new password there, or by the link for an admin's first password.
 * @throws Problem forbidden
 */
export function assertMayTouch(by: TenantCaller, ...roles: (string | undefined)[]): void {
  if (by.kind === 'api_key' && by.role !== 'admin' && roles.includes('admin')) {
    throw new Problem('forbidden', 'an API key also needs the scope admin to change admins');
  }
}
