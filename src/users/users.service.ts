import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { isUniqueViolation } from '../platform/database/failures.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { notFound, Problem } from '../platform/errors/problem.js';
import type { TenantCaller } from '../platform/http/caller.js';
import { type CountedPage, countedPage } from '../platform/lists/counted-page.js';
import { ListConditions } from '../platform/lists/list-conditions.js';
import { WakeUps } from '../platform/queues/wake-ups.js';
import { TimeZones } from '../tenants/time-zones.js';
import { UserEvents } from './user-events.js';
import { User } from './user.entity.js';
import { BY_NAME, IS_ACTIVE, listedUserColumns, NEWEST_FIRST, USER_ORDERS, USERS_FROM } from './users.sql.js';
import {
  type ListedUser,
  Me,
  type NewUser,
  type OwnTenant,
  type UserName,
  type UserNameQuery,
  type UserQuery,
} from './users.dto.js';

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
  ): Promise<ListedUser> {
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
    return this.read(tx, user.id);
  }

  /** A page, newest first by default. @throws Problem invalid_cursor */
  async list(tenantId: string, query: UserQuery): Promise<CountedPage<ListedUser>> {
    const conditions = new ListConditions([tenantId])
      .add('person.tenant_id = $1')
      .equal('person.role', query.role)
      .matching(['person.name', 'person.email'], query.q);
    if (query.active !== undefined) conditions.add(query.active ? IS_ACTIVE : `NOT (${IS_ACTIVE})`);
    const now = conditions.take(this.clock.now());
    const columns = listedUserColumns((zone) => `(${now}::timestamptz AT TIME ZONE ${zone})::date`);
    const { limit, cursor, count, sort = NEWEST_FIRST } = query;
    const list = { columns, from: USERS_FROM, conditions, orders: USER_ORDERS };
    return this.database.tenant(tenantId, (tx) =>
      countedPage<ListedUser>(tx, list, { limit, cursor, count, sort }),
    );
  }

  /** The names of a tenant's users, in alphabetical order. */
  async names(tenantId: string, query: UserNameQuery): Promise<CountedPage<UserName>> {
    const conditions = new ListConditions([tenantId])
      .add('person.tenant_id = $1')
      .matching(['person.name'], query.q);
    const list = { columns: 'person.id, person.name', from: 'users person', conditions, orders: BY_NAME };
    return this.database.tenant(tenantId, (tx) => countedPage<UserName>(tx, list, query));
  }

  /** @throws Problem not_found */
  async get(tenantId: string, id: string): Promise<ListedUser> {
    return this.database.tenant(tenantId, (tx) => this.read(tx, id));
  }

  private async read(tx: TenantTransaction, id: string): Promise<ListedUser> {
    const columns = listedUserColumns((zone) => `($3::timestamptz AT TIME ZONE ${zone})::date`);
    const user = await tx.one<ListedUser>(
      `SELECT ${columns} FROM ${USERS_FROM} WHERE person.tenant_id = $1 AND person.id = $2`,
      [tx.tenant_id, id, this.clock.now()],
    );
    if (user === null) throw notFound();
    return user;
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
  async update(by: TenantCaller, id: string, patch: UserChanges): Promise<ListedUser> {
    await this.zones.assertKnown(patch.time_zone);
    return this.change(by.tenant_id, id, async (tx, user) => {
      assertMayTouch(by, user.role, patch.role);
      if (Object.keys(patch).length === 0) return this.read(tx, id);
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
      return this.read(tx, id);
    });
  }

  /**
   * Erases a user, with sessions, preferences and unsent deliveries. What names them elsewhere is erased in the
   * background (ops/privacy).
   * @throws Problem not_found, forbidden for an admin when the caller may not erase one, conflict when no admin would
   * be left.
   */
  async remove(by: TenantCaller, id: string): Promise<void> {
    const { tenant_id: tenantId } = by;
    await this.change(tenantId, id, async (tx, user) => {
      assertMayTouch(by, user.role);
      if (user.role === 'admin') this.requireAnAdmin(await this.otherAdmins(tx, id));
      await this.events.erased(tx, id, by.principal);
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
