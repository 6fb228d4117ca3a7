import { Injectable } from '@nestjs/common';
import type { AnyCaller } from '../platform/http/caller.js';
import { invalid, notFound, Problem } from '../platform/errors/problem.js';
import { TenantDirectory } from '../tenants/tenant-directory.js';

/** Resolves the tenant of an `admin_or_operator` route. */
@Injectable()
export class AdminTenant {
  constructor(private readonly directory: TenantDirectory) {}

  /**
   * The caller's own tenant; for an operator, the one with this slug, suspended or not.
   * @throws Problem not_found for an unknown slug and for another tenant's; validation_failed if an operator names
   *   none.
   */
  async of(caller: AnyCaller, slug: string | undefined): Promise<string> {
    if (slug === undefined) {
      if (caller.kind === 'operator') throw invalid('/tenant', 'is required for operators');
      return caller.tenant_id;
    }
    const tenant = await this.directory.bySlug(slug);
    // Do not ignore it: a caller who names another tenant must not act on their own by mistake.
    if (tenant === null || (caller.kind !== 'operator' && tenant.id !== caller.tenant_id)) throw notFound();
    return tenant.id;
  }

  /**
   * The same, for actions that a suspended tenant may not take.
   * @throws Problem as `of`; tenant_suspended.
   */
  async active(caller: AnyCaller, slug: string | undefined): Promise<string> {
    const id = await this.of(caller, slug);
    // The guard admits nobody of a suspended tenant: only an operator may name one.
    if (caller.kind === 'operator' && (await this.directory.byId(id))?.suspended_at !== null) {
      throw new Problem('tenant_suspended');
    }
    return id;
  }
}
