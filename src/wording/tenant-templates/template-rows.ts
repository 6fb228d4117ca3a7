import type { Locale } from '../../contracts/locales.js';
import type { TenantStatements } from '../../platform/database/database.js';
import { isMessageTemplate, nameOf } from '../named-message.js';
import { type KindSources, TEMPLATE_PARTS, type TemplatePart } from '../template-files.js';
import type { StoredPart } from './tenant-templates.js';
import type { TemplateChange } from './tenant-templates.dto.js';

export interface TemplateRow extends StoredPart {
  written_by: string;
  broken_since: Date | null;
  broken_reason: string | null;
  retired_at: Date | null;
}

/** The words of a kind, or a message template, in a locale. */
export interface Place {
  /** A kind, or `message.<name>`. */
  kind: string;
  locale: Locale;
  sources: KindSources;
}

/** All of a tenant's templates: `MAX_TENANT_SOURCES` limits them. */
export async function readRows(tx: TenantStatements): Promise<TemplateRow[]> {
  return tx.query<TemplateRow>(
    `SELECT kind, locale, part, source, written_by, updated_at, broken_since, broken_reason, retired_at
     FROM tenant_templates WHERE tenant_id = $1 ORDER BY kind, locale, part LIMIT 10000`,
    [tx.tenant_id],
  );
}

/** A tenant without templates has no version. */
export async function settle(tx: TenantStatements): Promise<void> {
  await tx.query(
    `UPDATE tenants SET wording_version = NULL
     WHERE id = $1 AND NOT EXISTS (SELECT FROM tenant_templates WHERE tenant_id = $1)`,
    [tx.tenant_id],
  );
}

/** Keeps the last language of a message template for the messages that use it. */
export async function retireLast(
  tx: TenantStatements,
  { kind, locale }: Place,
  now: Date,
): Promise<{ part: string }[]> {
  if (!isMessageTemplate(kind)) return [];
  // Waits for messages that are being created: the next statement sees them.
  await tx.query('SELECT FROM tenant_templates WHERE tenant_id = $1 AND kind = $2 FOR UPDATE', [
    tx.tenant_id,
    kind,
  ]);
  return tx.query<{ part: string }>(
    `UPDATE tenant_templates SET retired_at = $5
     WHERE tenant_id = $1 AND kind = $2 AND locale = $3 AND retired_at IS NULL
       AND NOT EXISTS (SELECT FROM tenant_templates o WHERE o.tenant_id = $1 AND o.kind = $2 AND o.locale <> $3)
       AND EXISTS (SELECT FROM notifications n WHERE n.tenant_id = $1 AND n.kind = 'message' AND n.data ? 'template'
                     AND n.data ->> 'template' = $4)
     RETURNING part`,
    [tx.tenant_id, kind, locale, nameOf(kind), now],
  );
}

/** The parts at a place, without those of a deleted message template. */
export function partsAt({ kind, locale }: Place, rows: readonly TemplateRow[]): TemplateRow[] {
  return rows.filter((row) => row.kind === kind && row.locale === locale && row.retired_at === null);
}

export type Draft = Partial<Record<TemplatePart, string>>;

/** The stored parts with a change: null removes one. */
export function draftOf(change: TemplateChange, stored: readonly TemplateRow[]): Draft {
  const parts: Draft = {};
  for (const part of TEMPLATE_PARTS) {
    const source =
      change[part] === undefined ? stored.find((row) => row.part === part)?.source : change[part];
    if (typeof source === 'string') parts[part] = source;
  }
  return parts;
}

/** The message templates, each with its languages. */
export function templatesIn(rows: readonly TemplateRow[]): [kind: string, locale: string][] {
  return rows
    .filter(
      ({ kind, part, retired_at }) => isMessageTemplate(kind) && part === 'title' && retired_at === null,
    )
    .map(({ kind, locale }) => [kind, locale]);
}
