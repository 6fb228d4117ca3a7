import { Inject, Injectable, Logger } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { LessThan } from 'typeorm';
import { Clock } from '../platform/clock/clock.js';
import { Database, SystemDatabase } from '../platform/database/database.js';
import { isUniqueViolation } from '../platform/database/failures.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { notFound, Problem } from '../platform/errors/problem.js';
import { decodeCursor, type Page, pageOf } from '../platform/http/cursor.js';
import type { PageQuery } from '../platform/http/page.dto.js';
import { WakeUps } from '../platform/queues/wake-ups.js';
import { TenantEvents } from './tenant-events.js';
import { Tenant } from './tenant.entity.js';
import { TimeZones } from './time-zones.js';
import type { NewTenant, TenantPatch } from './tenants.dto.js';

/** Operators manage tenants. */
@Injectable()
export class TenantsService {
  private readonly logger = new Logger('Tenants');

  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly events: TenantEvents,
    private readonly wakeUps: WakeUps,
    private readonly zones: TimeZones,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @throws Problem conflict when the slug is taken, validation_failed for a zone that PostgreSQL does not know. */
  async create(tenant: NewTenant): Promise<Tenant> {
    return (await this.createWith(tenant, () => Promise.resolve())).tenant;
  }

  /**
   * Creates a tenant and its initial contents in one transaction.
   * @param addRest creates the contents; when it throws, no tenant is created.
   * @throws Problem conflict when the slug is taken, validation_failed for a zone that PostgreSQL does not know.
   */
  async createWith<Rest>(
    { slug, name, kind, time_zone, locale }: NewTenant,
    addRest: (tx: TenantTransaction) => Promise<Rest>,
  ): Promise<{ tenant: Tenant; rest: Rest }> {
    await this.zones.assertKnown(time_zone);
    const now = this.clock.now();
    const [made] = await this.system.query<{ id: string }>('SELECT new_id() AS id');
    if (made === undefined) throw new Error('SELECT returned no row');
    return this.database.tenant(made.id, async (tx) => {
      const tenant = await this.insert(tx, {
        id: made.id,
        slug,
        name,
        kind,
        time_zone: time_zone ?? 'Europe/Paris',
        locale: locale ?? 'fr',
        limit_per_hour: null,
        limit_per_day: null,
        schedule_from: now,
        suspended_at: null,
        created_at: now,
        updated_at: now,
      });
      return { tenant, rest: await addRest(tx) };
    });
  }

  /** All tenants, newest first: ids grow with time. */
  async list({ limit, cursor }: PageQuery): Promise<Page<Tenant>> {
    const [after] = cursor === undefined ? [] : decodeCursor(cursor, [(key) => isUUID(key)]);
    const rows = await this.system.transaction((tx) =>
      tx.repository(Tenant).find({
        where: after === undefined ? {} : { id: LessThan(after) },
        order: { id: 'DESC' },
        take: limit + 1,
      }),
    );
    return pageOf(
      rows,
      limit,
      (tenant) => [tenant.id],
      (tenant) => tenant,
    );
  }

  /** @throws Problem not_found */
  async get(id: string): Promise<Tenant> {
    return this.database.tenant(id, async (tx) => {
      const tenant = await tx.repository(Tenant).findOneBy({ id });
      if (tenant === null) throw notFound();
      return tenant;
    });
  }

  /**
   * Changes the fields in `patch`. Suspending ends every connection of the tenant; resuming restarts the schedule, so
   * that missed slots are not caught up.
   * @throws Problem not_found, validation_failed for a zone that PostgreSQL does not know.
   */
  async update(id: string, { suspended, ...fields }: TenantPatch): Promise<Tenant> {
    await this.zones.assertKnown(fields.time_zone);
    return this.change(id, async (tx, tenant) => {
      const now = this.clock.now();
      const resumed = suspended === false && tenant.suspended_at !== null;
      const suspends = suspended === true && tenant.suspended_at === null;
      const limited = fields.limit_per_hour !== undefined || fields.limit_per_day !== undefined;
      const moved = fields.time_zone !== undefined && fields.time_zone !== tenant.time_zone;
      if (!resumed && !suspends && Object.keys(fields).length === 0) return tenant;

      Object.assign(tenant, fields, { updated_at: now });
      if (suspends) tenant.suspended_at = now;
      if (resumed) tenant.suspended_at = null;
      if (resumed) tenant.schedule_from = now;
      const saved = await tx.save(Tenant, tenant);
      if (resumed || suspends || moved || limited) await this.events.settingsChanged(tx);
      if (suspends) this.revokeAccess(tx);
      if (resumed || suspends) {
        this.logger.log({ event: suspends ? 'tenant_suspended' : 'tenant_resumed', tenant_id: id });
      }
      return saved;
    });
  }

  /**
   * Deletes the tenant with everything it owns. Cannot be undone.
   * @throws Problem not_found, or conflict while it is not suspended.
   */
  async remove(id: string): Promise<void> {
    await this.change(id, async (tx, tenant) => {
      if (tenant.suspended_at === null) {
        throw new Problem('conflict', 'suspend the tenant first: deleting it cannot be undone');
      }
      await tx.repository(Tenant).remove(tenant);
      this.revokeAccess(tx);
      this.logger.warn({ event: 'tenant_deleted', tenant_id: id });
    });
  }

  private async insert(tx: TenantTransaction, tenant: Tenant): Promise<Tenant> {
    try {
      return await tx.save(Tenant, tenant);
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new Problem('conflict', `the slug ${tenant.slug} is taken`, { cause: error });
    }
  }

  /** Reads the tenant, locks it against other changes, and passes it to `work`. */
  private async change<Result>(
    id: string,
    work: (tx: TenantTransaction, tenant: Tenant) => Promise<Result>,
  ): Promise<Result> {
    return this.database.tenant(id, async (tx) => {
      const tenant = await tx
        .repository(Tenant)
        .findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
      if (tenant === null) throw notFound();
      return work(tx, tenant);
    });
  }

  private revokeAccess(tx: TenantTransaction): void {
    tx.afterCommit(() => this.wakeUps.send('access.revoked', { tenant_id: tx.tenant_id }));
  }
}
