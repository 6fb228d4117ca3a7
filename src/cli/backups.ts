import type { INestApplicationContext } from '@nestjs/common';
import { type Damage, Verification } from '../backups/store/verification.js';
import { SystemDatabase } from '../platform/database/database.js';
import { withInstallation } from './installation.js';

/** The result of verifying a tenant's stored backups. */
interface TenantResult {
  tenant: string;
  files: number;
  bytes: number;
  damages: Damage[];
}

/**
 * `vigie backups verify`: reads every stored backup again, of one tenant or of all.
 * @returns the text to print, and whether every backup is intact.
 * @throws Error for the command line if the tenant is unknown, or the store is unavailable.
 */
export async function verifyBackups(
  environment: Readonly<Record<string, string | undefined>>,
  { tenant, json }: { tenant?: string; json?: boolean },
): Promise<{ text: string; ok: boolean }> {
  const results = await withInstallation(environment, async (app) => {
    const verification = app.get(Verification, { strict: false });
    await verification.assertStore();
    const found: TenantResult[] = [];
    for (const { id, slug } of await tenantsOf(app, tenant)) {
      const { files, bytes, damages } = await verification.verify(id, new AbortController().signal);
      if (files > 0) found.push({ tenant: slug, files, bytes, damages });
    }
    return found;
  });
  const ok = results.every(({ damages }) => damages.length === 0);
  return { text: json === true ? JSON.stringify(results, null, 2) : describeResults(results), ok };
}

async function tenantsOf(
  app: INestApplicationContext,
  slug: string | undefined,
): Promise<{ id: string; slug: string }[]> {
  const tenants = await app
    .get(SystemDatabase, { strict: false })
    .query<{ id: string; slug: string }>(
      `SELECT id, slug FROM tenants WHERE $1::text IS NULL OR slug = $1 ORDER BY slug`,
      [slug ?? null],
    );
  if (slug !== undefined && tenants.length === 0) throw new Error(`there is no tenant ${slug}`);
  return tenants;
}

function describeResults(results: readonly TenantResult[]): string {
  if (results.length === 0) return 'No backup is stored.';
  return results
    .flatMap(({ tenant, files, bytes, damages }) => [
      `${tenant}: ${files} files, ${(bytes / 1_000_000).toFixed(1)} MB, ${damages.length} damaged or gone`,
      ...damages.map(({ state, stored_path, detail, entry_id }) =>
        `  ${state}  ${stored_path}  entry ${entry_id}  ${detail ?? ''}`.trimEnd(),
      ),
    ])
    .join('\n');
}
