import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../platform/database/transaction.js';
import type { TenantCaller } from '../platform/http/caller.js';
import type { NewTenant } from '../tenants/tenants.dto.js';
import { TenantsService } from '../tenants/tenants.service.js';
import { NewUser } from '../users/users.dto.js';
import { UsersService } from '../users/users.service.js';
import { PasswordLinks } from './password/password-links.js';

/** A tenant with its first admin, and the link in the admin's mail. */
export interface OpenedTenant {
  tenant: Awaited<ReturnType<TenantsService['create']>>;
  admin: { id: string; email: string; name: string };
  link: { url: string; expires_at: Date };
}

/** Opens a tenant together with its first admin: without one nobody could sign in. */
@Injectable()
export class FirstAdmins {
  constructor(
    private readonly tenants: TenantsService,
    private readonly users: UsersService,
    private readonly links: PasswordLinks,
  ) {}

  /**
   * Creates the tenant, its first admin and the welcome mail in one transaction.
   * @param principal the author, for stored rows.
   * @throws Problem conflict when the slug is taken, validation_failed for a zone that PostgreSQL does not know.
   */
  async open(newTenant: NewTenant, newAdmin: NewUser, principal: string): Promise<OpenedTenant> {
    const { tenant, rest } = await this.tenants.createWith(newTenant, (tx) =>
      this.addAdmin(tx, newTenant, newAdmin, principal),
    );
    return { tenant, ...rest };
  }

  private async addAdmin(
    tx: TenantTransaction,
    newTenant: NewTenant,
    newAdmin: NewUser,
    principal: string,
  ): Promise<Omit<OpenedTenant, 'tenant'>> {
    const { tenant_id } = tx;
    const by: TenantCaller = {
      kind: 'user',
      tenant_id,
      principal,
      user_id: null,
      agent_id: null,
      role: 'admin',
    };
    const { id, email, name } = await this.users.create(
      tx,
      by,
      Object.assign(new NewUser(), newAdmin, { role: 'admin' as const }),
    );
    const link = await this.links.newest(tx, id);
    if (link === null) throw new Error('the first admin was not welcomed');
    return {
      admin: { id, email, name },
      link: { url: this.links.url(tenant_id, link.link_id, newTenant.slug), expires_at: link.expires_at },
    };
  }
}
