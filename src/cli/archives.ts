import type { INestApplicationContext } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { ArchiveCatalog, type CataloguedArchive, expectedOf } from '../ops/archives/archive-catalog.js';
import { type ArchivedRow, ArchiveDamaged } from '../ops/archives/archive-reader.js';
import { type ArchiveFilter, ArchiveSearch } from '../ops/archives/archive-search.js';
import { ARCHIVED_THINGS } from '../ops/archives/archived-things.js';
import { type Restored, Restoring } from '../ops/archives/restoring.js';
import { SystemDatabase } from '../platform/database/database.js';
import type { TenantEntry } from '../tenants/tenant-directory.js';
import { audited } from './audited.js';
import { UsageError } from './exit-codes.js';
import { type Environment, tenantOf, withReadableErrors } from './installation.js';
import { tableOf } from './table.js';
import { userId } from './users.js';

interface ListOptions {
  tenant?: string;
  json?: boolean;
}

export interface ShowOptions {
  tenant: string;
  id?: string;
  user?: string;
  since?: string;
  until?: string;
  limit: string;
}

export interface RestoreOptions {
  tenant: string;
  days: string;
  json?: boolean;
}

/** An archive as the command line shows it. */
interface Shown {
  tenant: string;
  archive: string;
  id: string | null;
  state: 'open' | 'sealed' | 'unknown';
  rows: number;
  bytes: number;
  first_at: Date | string | null;
  last_at: Date | string | null;
  fault: string | null;
}

const MAX_DAYS = 3_650;

/** Ends the reading of an archive: the rest would be decompressed for nothing. */
class LimitReached extends Error {}

/** `vigie archive list` */
export async function listArchives(environment: Environment, options: ListOptions): Promise<string> {
  const archives = await withReadableErrors(environment, async (app) =>
    (await archivesOf(app, options.tenant)).map((archive) => shown(archive, null)),
  );
  return options.json === true ? JSON.stringify(archives, null, 2) : describeArchives(archives);
}

/** `vigie archive verify`. @returns the text to print, and whether all are whole */
export async function verifyArchives(
  environment: Environment,
  name: string | undefined,
  options: ListOptions,
): Promise<{ text: string; ok: boolean }> {
  if (name !== undefined && options.tenant === undefined)
    throw new UsageError('name the tenant with --tenant');
  const archives = await withReadableErrors(environment, async (app) => {
    const catalog = app.get(ArchiveCatalog, { strict: false });
    const asked =
      name === undefined
        ? await archivesOf(app, options.tenant)
        : [await catalog.find(await tenantOf(app, options.tenant ?? ''), name)];
    const verified: Shown[] = [];
    for (const archive of asked) verified.push(shown(archive, await faultOf(catalog, archive)));
    return verified;
  });
  const ok = archives.every(({ fault }) => fault === null);
  return { text: options.json === true ? JSON.stringify(archives, null, 2) : describeArchives(archives), ok };
}

/** `vigie archive show`: rows as NDJSON. @param print takes each line */
export async function showArchives(
  environment: Environment,
  name: string | undefined,
  options: ShowOptions,
  print: (line: string) => void,
): Promise<void> {
  const limit = wholeNumber(options.limit, '--limit', 1_000_000);
  await withReadableErrors(environment, async (app) => {
    const tenant = await tenantOf(app, options.tenant);
    const catalog = app.get(ArchiveCatalog, { strict: false });
    const filter = await filterOf(app, tenant, options);
    const archives = name === undefined ? await catalog.list(tenant) : [await catalog.find(tenant, name)];
    let left = limit;
    for (const archive of archives) {
      const thing = ARCHIVED_THINGS.find((one) => one.name === expectedOf(archive).thing);
      if (thing === undefined || left === 0) continue;
      await catalog.verify(archive).catch((error: unknown) => {
        throw new Error(`${archive.path}: ${(error as Error).message}`, { cause: error });
      });
      const search = new ArchiveSearch(thing, filter);
      const show = (row: ArchivedRow) => {
        if (!search.matches(row)) return;
        left -= 1;
        print(JSON.stringify(row));
        if (left === 0) throw new LimitReached();
      };
      await catalog.read(archive, show).catch((error: unknown) => {
        if (!(error instanceof LimitReached)) throw error;
      });
    }
  });
}

/** `vigie archive restore` */
export async function restoreArchive(
  environment: Environment,
  name: string,
  { tenant: slug, days, json }: RestoreOptions,
): Promise<string> {
  const kept = wholeNumber(days, '--days', MAX_DAYS);
  const result = await withReadableErrors(environment, async (app) => {
    const tenant = await tenantOf(app, slug);
    const archive = await app.get(ArchiveCatalog, { strict: false }).find(tenant, name);
    return audited(
      app,
      { action: 'vigie archive restore', targets: { archive: archive.path }, tenant: { id: tenant.id } },
      async () => app.get(Restoring, { strict: false }).restore(archive, kept),
    );
  });
  return json === true ? JSON.stringify(result, null, 2) : describeRestored(result, kept);
}

async function faultOf(catalog: ArchiveCatalog, archive: CataloguedArchive): Promise<string | null> {
  try {
    await catalog.verify(archive);
    return null;
  } catch (error) {
    if (error instanceof ArchiveDamaged) return error.message;
    throw error;
  }
}

function shown({ tenant, path, record, manifest }: CataloguedArchive, fault: string | null): Shown {
  const known = record ?? manifest;
  return {
    tenant: tenant.slug,
    archive: path,
    id: record?.id ?? null,
    state: record?.state ?? 'unknown',
    rows: Object.values(known?.counts ?? {}).reduce((sum, rows) => sum + rows, 0),
    bytes: known?.bytes ?? 0,
    first_at: known?.first_at ?? null,
    last_at: known?.last_at ?? null,
    fault,
  };
}

async function archivesOf(
  app: INestApplicationContext,
  slug: string | undefined,
): Promise<CataloguedArchive[]> {
  const catalog = app.get(ArchiveCatalog, { strict: false });
  const slugs =
    slug === undefined
      ? (
          await app
            .get(SystemDatabase, { strict: false })
            .query<{ slug: string }>('SELECT slug FROM tenants ORDER BY slug')
        ).map((row) => row.slug)
      : [slug];
  const found: CataloguedArchive[] = [];
  for (const one of slugs) found.push(...(await catalog.list(await tenantOf(app, one))));
  return found;
}

async function filterOf(
  app: INestApplicationContext,
  tenant: TenantEntry,
  { id, user, since, until }: ShowOptions,
): Promise<ArchiveFilter> {
  return {
    ...(id === undefined ? {} : { id: id.toLowerCase() }),
    ...(user === undefined ? {} : { user_id: await userOf(app, tenant, user) }),
    ...(since === undefined ? {} : { since: instant(since, '--since') }),
    ...(until === undefined ? {} : { until: instant(until, '--until') }),
  };
}

/** An id, also of a person who does not exist any more, or an e-mail address. */
async function userOf(app: INestApplicationContext, tenant: TenantEntry, user: string): Promise<string> {
  if (isUUID(user)) return user.toLowerCase();
  const id = await userId(app, tenant.id, user);
  if (id === null) throw new Error(`there is no user ${user} in ${tenant.slug}`);
  return id;
}

function instant(text: string, option: string): Date {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw new UsageError(`${option} must be a date or an instant: 2026-11-30`);
  return at;
}

function wholeNumber(text: string, option: string, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > max)
    throw new UsageError(`${option} must be a whole number from 1 to ${max}`);
  return value;
}

function describeArchives(archives: readonly Shown[]): string {
  if (archives.length === 0) return 'No archives.';
  const day = (at: Date | string | null) => (at === null ? '' : new Date(at).toISOString().slice(0, 10));
  return tableOf(
    ['TENANT', 'ARCHIVE', 'STATE', 'ROWS', 'MB', 'FROM', 'TO', ''],
    archives.map(({ tenant, archive, state, rows, bytes, first_at, last_at, fault }) => [
      tenant,
      archive,
      state,
      String(rows),
      (bytes / 1_000_000).toFixed(1),
      day(first_at),
      day(last_at),
      fault === null ? '' : `DAMAGED: ${fault}`,
    ]),
  );
}

function describeRestored({ restored, skipped }: Restored, days: number): string {
  const rows = Object.entries(restored).map(
    ([table, count]) => `${table}: ${count} restored, ${skipped[table] ?? 0} skipped`,
  );
  return [...rows, `The cleanup leaves them alone for ${days} days.`].join('\n');
}
