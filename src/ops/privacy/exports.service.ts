import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { TenantDirectory } from '../../tenants/tenant-directory.js';
import { ArchiveCatalog, expectedOf } from '../archives/archive-catalog.js';
import { ArchiveDamaged } from '../archives/archive-reader.js';
import { ArchiveSearch } from '../archives/archive-search.js';
import { ARCHIVED_THINGS } from '../archives/archived-things.js';
import { type PageRow, pageSize, pageSql, type Section, SECTIONS } from './export-sections.js';
import type { Subject } from './subject.js';

/** Takes one line, without its line feed. The next one waits for it. */
export type WriteLine = (line: string) => Promise<void>;

/** Writes everything that Vigie keeps about a person. */
@Injectable()
export class PersonExports {
  constructor(
    private readonly database: Database,
    private readonly catalog: ArchiveCatalog,
    private readonly tenants: TenantDirectory,
  ) {}

  /**
   * One JSON object per line, with its kind in `record`. The last line is `{"record":"end","counts":{…}}`: without it
   * the export is incomplete. Rows that change meanwhile are in it as they were when their page was read.
   */
  async write(tenantId: string, subject: Subject, write: WriteLine): Promise<void> {
    const counts: Record<string, number> = {};
    const put = async (record: string, value: Record<string, unknown>) => {
      counts[record] = (counts[record] ?? 0) + 1;
      await write(JSON.stringify({ record, ...value }));
    };
    for (const section of SECTIONS) await this.writeSection(tenantId, subject, section, put);
    await this.writeArchives(tenantId, subject, put);
    await write(JSON.stringify({ record: 'end', counts }));
  }

  private async writeSection(
    tenantId: string,
    { user_id, addresses, recipients }: Subject,
    section: Section,
    put: (record: string, value: Record<string, unknown>) => Promise<void>,
  ): Promise<void> {
    const statement = pageSql(section);
    const patterns = addresses.map((address) => `%${address.replace(/[\\%_]/g, '\\$&')}%`);
    for (let after: string[] | null = null; ;) {
      const page: PageRow[] = await this.database
        .single(tenantId)
        .query<PageRow>(statement, [tenantId, user_id, addresses, recipients, patterns, after]);
      for (const { record } of page) if (record !== null) await put(section.record, record);
      after = page.at(-1)?.key ?? null;
      if (after === null || page.length < pageSize(section)) return;
    }
  }

  /** What archives hold; an archive that cannot be read is a line with its fault. */
  private async writeArchives(
    tenantId: string,
    { recipients }: Subject,
    put: (record: string, value: Record<string, unknown>) => Promise<void>,
  ): Promise<void> {
    const tenant = await this.tenants.byId(tenantId);
    for (const archive of tenant === null ? [] : await this.catalog.list(tenant)) {
      const thing = ARCHIVED_THINGS.find((one) => one.name === expectedOf(archive).thing);
      if (thing === undefined) continue;
      const search = new ArchiveSearch(thing, { recipients });
      try {
        await this.catalog.read(archive, async (row) => {
          if (search.matches(row)) await put('archived', { archive: archive.path, ...row });
        });
      } catch (error) {
        if (!(error instanceof ArchiveDamaged)) throw error;
        await put('unreadable_archive', { archive: archive.path, fault: error.message });
      }
    }
  }
}
