import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Locale } from '../../contracts/locales.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database, type TenantStatements } from '../../platform/database/database.js';
import { prepared } from '../../platform/database/transaction.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import { type BrokenPart, CompiledParts, type StoredPart, TenantTemplates } from './tenant-templates.js';

/** Characters of stored templates that a process keeps. */
const MAX_CHARACTERS = 10_000_000;
const ENTRY_COST = 1_000;
const MAX_REASON = 500;

const READ = prepared(`
  SELECT t.wording_version, t.locale AS tenant_locale, o.kind, o.locale, o.part, o.source, o.updated_at
  FROM tenants t JOIN tenant_templates o ON o.tenant_id = t.id
  WHERE t.id = $1 AND t.wording_version IS NOT NULL`);

/**
 * The tenants' own words, by version. A statement that reads a notification reads its tenant's
 * `wording_version` too: every process sees a change at once, and a tenant without own words costs nothing.
 */
@Injectable()
export class OwnWords implements BeforeApplicationShutdown {
  private readonly logger = new Logger('OwnWords');
  private readonly compiled = new CompiledParts();
  private readonly known = new LRUCache<string, TenantTemplates>({
    maxSize: MAX_CHARACTERS,
    sizeCalculation: ({ size }) => size + ENTRY_COST,
  });
  private readonly writing = new Set<Promise<void>>();

  constructor(
    private readonly database: Database,
    private readonly metrics: Metrics,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * @param version the tenant's `wording_version` as just read
   * @param statements the caller's transaction, if it has one
   */
  async of(
    tenantId: string,
    version: string | null,
    statements?: TenantStatements,
  ): Promise<TenantTemplates | null> {
    if (version === null) return null;
    const known = this.known.get(version);
    if (known !== undefined) return known;
    const rows = await (statements ?? this.database.single(tenantId)).query<
      StoredPart & { wording_version: string; tenant_locale: Locale }
    >(READ, [tenantId]);
    const [first] = rows;
    if (first === undefined) return null;
    // It may have changed since the caller read it.
    const report = (broken: BrokenPart) => this.reportBroken(tenantId, broken);
    const { wording_version, tenant_locale } = first;
    const read = new TenantTemplates(wording_version, rows, this.compiled, report, tenant_locale);
    this.known.set(wording_version, read);
    return read;
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.writing);
  }

  /** Rendering does not wait for it. */
  private reportBroken(tenantId: string, broken: BrokenPart): void {
    const writing = this.markBroken(tenantId, broken)
      .catch((error: unknown) => {
        this.logger.warn({ event: 'tenant_template_not_marked', tenant_id: tenantId, err: error });
      })
      .finally(() => this.writing.delete(writing));
    this.writing.add(writing);
  }

  /** Once for each version of a part: the first process to notice marks it. */
  private async markBroken(tenantId: string, broken: BrokenPart): Promise<void> {
    const { kind, locale, part, updated_at, reason } = broken;
    const marked = await this.database.single(tenantId).query(
      `UPDATE tenant_templates SET broken_since = $6, broken_reason = $7
       WHERE tenant_id = $1 AND kind = $2 AND locale = $3 AND part = $4 AND updated_at = $5 AND broken_since IS NULL
       RETURNING kind`,
      [tenantId, kind, locale, part, updated_at, this.clock.now(), reason.slice(0, MAX_REASON)],
    );
    if (marked.length === 0) return;
    this.metrics.count('vigie_tenant_templates_broken_total', { part });
    this.logger.warn({ event: 'tenant_template_broken', tenant_id: tenantId, kind, locale, part, reason });
  }
}
