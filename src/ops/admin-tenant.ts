import { Injectable } from '@nestjs/common';
import type { AnyCaller } from '../auth/caller.js';
import { invalid, notFound } from '../platform/errors/problem.js';
import { Scheduler } from '../scheduler/scheduler.service.js';

/** Which tenant an `admin_or_operator` route is about. */
@Injectable()
export class AdminTenant {
  constructor(private readonly scheduler: Scheduler) {}

  /**
   * The caller's own tenant; for an operator, the one with this slug.
   * @throws Problem not_found for an unknown slug, and alike for another tenant's.
   */
  async of(caller: AnyCaller, slug: string | undefined): Promise<string> {
    if (caller.kind === 'operator') {
      if (slug === undefined) throw invalid('/tenant', 'operators name a tenant');
      return this.scheduler.tenantBySlug(slug);
    }
    // Not ignored: who names another tenant must not act on the own one by mistake.
    if (slug !== undefined && !(await this.scheduler.hasSlug(caller.tenant_id, slug))) throw notFound();
    return caller.tenant_id;
  }
}
