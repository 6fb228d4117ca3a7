import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../../platform/database/transaction.js';
import { TenantDirectory } from '../../../tenants/tenant-directory.js';
import { ArchiveCatalog, type CataloguedArchive, expectedOf } from '../../archives/archive-catalog.js';
import { ArchiveDamaged, type ArchivedRow } from '../../archives/archive-reader.js';
import { ArchiveSearch } from '../../archives/archive-search.js';
import { ARCHIVED_THINGS } from '../../archives/archived-things.js';
import { type RewriteRow, Rewriting } from '../../archives/rewriting.js';
import { Sealing } from '../../archives/sealing.js';
import type { ErasedPerson, RunningErasure } from './erasure.js';
import type { StepResult } from './erasure-step.js';
import { ERASED, loosePatternOf, patternOf } from './needles.js';

/** Columns of archived rows that must stay unique. */
const UNIQUE = ['address', 'dedupe_key', 'event_key'];

/** Erases a person from the archives, one archive per part, by its next generation. */
@Injectable()
export class ArchiveErasure {
  constructor(
    private readonly tenants: TenantDirectory,
    private readonly catalog: ArchiveCatalog,
    private readonly rewriting: Rewriting,
    private readonly sealing: Sealing,
  ) {}

  /** `position`: the path of the last archive, and the file that it has replaced ('' if none). */
  async part(tx: TenantTransaction, { id, subject, position }: RunningErasure): Promise<StepResult> {
    const tenant = await this.tenants.byId(tx.tenant_id);
    if (tenant === null) return { position: null };
    const [after = '', replaced = ''] = position ?? [];
    // The commit of the part before has named the file that takes its place.
    if (replaced !== '') await this.rewriting.remove(tenant.slug, replaced);
    if (position === null) {
      // Its open archive may have rows from before they were searched. Later ones have none.
      if (await isCleaning(tx)) return { wait: 'cleanup' };
      await this.sealing.sealOpen(tx.tenant_id);
    }
    const archive = (await this.catalog.list(tenant)).find(
      ({ path, record }) => path > after && record?.state !== 'open',
    );
    return archive === undefined ? { position: null } : this.rewrite(tx, archive, id, subject);
  }

  private async rewrite(
    tx: TenantTransaction,
    archive: CataloguedArchive,
    erasureId: string,
    subject: ErasedPerson,
  ): Promise<StepResult> {
    const { path } = archive;
    try {
      const begin = () => withoutPerson(expectedOf(archive).thing, subject);
      const { replaced, changed, dropped } = await this.rewriting.rewrite(tx, archive, erasureId, begin);
      if (replaced === null) return { position: [path, ''] };
      return { position: [path, replaced], counts: { archives: 1, archived_rows: changed + dropped } };
    } catch (error) {
      if (!(error instanceof ArchiveDamaged)) throw error;
      return { position: [path, ''], unreadable: `${path}: ${error.message}` };
    }
  }
}

async function isCleaning(tx: TenantTransaction): Promise<boolean> {
  const run = await tx.one(
    `SELECT FROM job_runs WHERE tenant_id = $1 AND job = 'cleanup' AND state = 'running' AND lease_until > now() LIMIT 1`,
    [tx.tenant_id],
  );
  return run !== null;
}

/** Leaves out what the person received, with all that belongs to it, and replaces them in everything else. */
function withoutPerson(thingName: string, subject: ErasedPerson): RewriteRow {
  const thing = ARCHIVED_THINGS.find(({ name }) => name === thingName);
  const own = thing === undefined ? null : new ArchiveSearch(thing, { recipients: subject.recipients });
  const loose = new RegExp(loosePatternOf(subject), 'iu');
  const pattern = new RegExp(patternOf(subject, 'javascript'), 'giu');
  const inText = (text: string) => (loose.test(text) ? text.replace(pattern, ERASED) : text);
  return (archived) => (own?.matches(archived) === true ? null : without(inText, archived));
}

/** The text without the person. */
type InText = (text: string) => string;

/** @returns the same object if nothing was found */
function without(inText: InText, archived: ArchivedRow): ArchivedRow {
  const row = replaced(archived.row, inText);
  if (row === archived.row) return archived;
  const unique: Record<string, string> = {};
  for (const column of UNIQUE)
    if (row[column] !== archived.row[column]) unique[column] = `erased:${randomUUID()}`;
  return { table: archived.table, row: { ...row, ...unique } };
}

function replaced(row: Record<string, unknown>, inText: InText): Record<string, unknown> {
  const entries = Object.entries(row).map(([key, value]) => [key, replacedValue(value, inText)] as const);
  return entries.some(([key, value]) => value !== row[key]) ? Object.fromEntries(entries) : row;
}

/** The same value if nothing of it is replaced. */
function replacedValue(value: unknown, inText: InText): unknown {
  if (typeof value === 'string') return inText(value);
  if (Array.isArray(value)) {
    const before: readonly unknown[] = value;
    const items = before.map((item) => replacedValue(item, inText));
    return items.some((item, at) => item !== before[at]) ? items : before;
  }
  if (typeof value === 'object' && value !== null) return replaced(value as Record<string, unknown>, inText);
  return value;
}
