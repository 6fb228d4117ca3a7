import { Injectable } from '@nestjs/common';
import type { Locale } from '../contracts/locales.js';
import { SystemDatabase } from '../platform/database/database.js';

/** A tenant's data that other rooms need before they open a tenant transaction. */
export interface TenantEntry {
  id: string;
  slug: string;
  name: string;
  time_zone: string;
  locale: Locale;
  suspended_at: Date | null;
}

/**
 * Finds tenants, across tenants. Queries each time, so that a suspension takes effect in every process with the next
 * call.
 */
@Injectable()
export class TenantDirectory {
  constructor(private readonly system: SystemDatabase) {}

  async bySlug(slug: string): Promise<TenantEntry | null> {
    return this.find('slug = $1', slug);
  }

  /** @param id a UUID. */
  async byId(id: string): Promise<TenantEntry | null> {
    return this.find('id = $1', id);
  }

  private async find(condition: string, value: string): Promise<TenantEntry | null> {
    const [tenant] = await this.system.query<TenantEntry>(
      `SELECT id, slug, name, time_zone, locale, suspended_at FROM tenants WHERE ${condition}`,
      [value],
    );
    return tenant ?? null;
  }
}
