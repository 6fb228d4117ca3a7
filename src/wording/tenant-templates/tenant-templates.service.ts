import { Inject, Injectable } from '@nestjs/common';
import { NOTIFICATION_KINDS } from '../../contracts/kind-lists.js';
import { LOCALES } from '../../contracts/locales.js';
import { noteChangedFields } from '../../platform/audit/changed-fields.js';
import { civilDate } from '../../platform/clock/civil-time.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Database, type TenantStatements } from '../../platform/database/database.js';
import { notFound, Problem } from '../../platform/errors/problem.js';
import type { TenantCaller } from '../../platform/http/caller.js';
import type { Page } from '../../platform/http/cursor.js';
import { isMessageTemplate } from '../named-message.js';
import { TEMPLATE_PARTS, type TemplatePart } from '../template-files.js';
import { TemplateStore } from '../template-store.js';
import { fieldsOf, templateFields } from './kind-fields.js';
import { readLastFact } from './last-fact.js';
import {
  type Draft,
  draftOf,
  partsAt,
  type Place,
  readRows,
  retireLast,
  settle,
  type TemplateRow,
  templatesIn,
} from './template-rows.js';
import type {
  LastFact,
  TemplateChange,
  TemplateDraft,
  TemplatePartView,
  TemplatePreview,
  TenantTemplateView,
} from './tenant-templates.dto.js';
import { tryTemplates } from './trial.js';

/** Characters of all of a tenant's templates. */
export const MAX_TENANT_SOURCES = 400_000;
/** Of a tenant, with deleted ones that messages use. */
const MAX_MESSAGE_TEMPLATES = 200;
/** Of a message template. */
const REQUIRED_PARTS: readonly TemplatePart[] = ['title', 'body'];

/** Shows and changes a tenant's own words, for its admins. */
@Injectable()
export class TenantTemplatesService {
  constructor(
    private readonly database: Database,
    private readonly templates: TemplateStore,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async list(tenantId: string): Promise<Page<TenantTemplateView>> {
    const rows = await readRows(this.database.single(tenantId));
    const kinds = NOTIFICATION_KINDS.flatMap((kind) => LOCALES.map((locale) => this.place(kind, locale)));
    const templates = templatesIn(rows).map(([kind, locale]) => this.place(kind, locale));
    const data = [...kinds, ...templates].map((place) => viewOf(place, rows));
    return { data, next_cursor: null };
  }

  /** @throws Problem not_found for an unknown kind, message template or locale; so do the others. */
  async get(tenantId: string, kind: string, locale: string): Promise<TenantTemplateView> {
    const place = this.place(kind, locale);
    const rows = await readRows(this.database.single(tenantId));
    if (isMessageTemplate(place.kind) && partsAt(place, rows).length === 0) throw notFound();
    return viewOf(place, rows);
  }

  /**
   * Changes the given parts; creates a message template. The last change of a part wins.
   * @throws Problem validation_failed with the place of each fault; conflict if the tenant has too many.
   */
  async change(
    { tenant_id, principal }: TenantCaller,
    kind: string,
    locale: string,
    change: TemplateChange,
  ): Promise<TenantTemplateView> {
    const place = this.place(kind, locale);
    const given = TEMPLATE_PARTS.filter((part) => change[part] !== undefined);
    const written = given.flatMap((part) => {
      const source = change[part];
      return typeof source === 'string' ? [[part, source] as const] : [];
    });
    const single = this.database.single(tenant_id);
    // Each part of a kind is tried alone, because a broken part must not prevent a change of another. The
    // parts of a message template are only rendered together.
    const tried = isMessageTemplate(kind)
      ? draftOf(change, partsAt(place, await readRows(single)))
      : Object.fromEntries(written);
    await this.tryOut(single, place, tried, null);
    return this.database.tenant(tenant_id, async (tx) => {
      // First the tenant's row: changes of one tenant wait for each other here.
      await tx.query('UPDATE tenants SET wording_version = gen_random_uuid() WHERE id = $1', [tenant_id]);
      await tx.query(
        `DELETE FROM tenant_templates
         WHERE tenant_id = $1 AND kind = $2 AND (retired_at IS NOT NULL OR locale = $3 AND part = ANY ($4::text[]))`,
        [tenant_id, place.kind, place.locale, given],
      );
      await tx.query(
        `INSERT INTO tenant_templates (tenant_id, kind, locale, part, source, written_by, updated_at)
         SELECT $1, $2, $3, p.part, p.source, $6, $7
         FROM unnest($4::text[], $5::text[]) AS p (part, source)`,
        [
          ...[tenant_id, place.kind, place.locale],
          written.map(([part]) => part),
          written.map(([, source]) => source),
          principal,
          this.clock.now(),
        ],
      );
      await settle(tx);
      const rows = await readRows(tx);
      // Two admins may have changed it at once.
      refuseIncomplete(
        place,
        partsAt(place, rows).map(({ part }) => part),
      );
      refuseTooMany(rows);
      noteChangedFields(given);
      return viewOf(place, rows);
    });
  }

  /**
   * Returns a kind to the built-in words in this locale, or deletes a message template in it. Repeating it changes
   * nothing. The last language of a template that messages use is kept for them, but no new message can use it.
   */
  async reset(tenantId: string, kind: string, locale: string): Promise<void> {
    const place = this.place(kind, locale);
    await this.database.tenant(tenantId, async (tx) => {
      await tx.query('UPDATE tenants SET wording_version = gen_random_uuid() WHERE id = $1', [tenantId]);
      const retired = await retireLast(tx, place, this.clock.now());
      const removed = await tx.query<{ part: string }>(
        `DELETE FROM tenant_templates WHERE tenant_id = $1 AND kind = $2 AND locale = $3 AND retired_at IS NULL
         RETURNING part`,
        [tenantId, place.kind, place.locale],
      );
      await settle(tx);
      noteChangedFields([...retired, ...removed].map(({ part }) => part).sort());
    });
  }

  /**
   * Shows a draft over the stored templates; stores nothing.
   * @throws Problem validation_failed with the place of each fault.
   */
  async preview(
    tenantId: string,
    kind: string,
    locale: string,
    draft: TemplateDraft,
  ): Promise<TemplatePreview> {
    const place = this.place(kind, locale);
    const tx = this.database.single(tenantId);
    const parts = draftOf(draft, partsAt(place, await readRows(tx)));
    return this.tryOut(tx, place, parts, draft.data ?? null);
  }

  /** The data of the tenant's last notification of this kind, or with this message template. */
  async lastFact(tenantId: string, kind: string, locale: string): Promise<LastFact> {
    return readLastFact(this.database.single(tenantId), this.place(kind, locale).kind);
  }

  private async tryOut(
    tx: TenantStatements,
    place: Place,
    parts: Draft,
    data: Record<string, unknown> | null,
  ): Promise<TemplatePreview> {
    refuseIncomplete(place, Object.keys(parts));
    const { kind, locale } = place;
    const tenant = await tx.one<{ name: string; slug: string; time_zone: string }>(
      'SELECT name, slug, time_zone FROM tenants WHERE id = $1',
      [tx.tenant_id],
    );
    if (tenant === null) throw notFound();
    const now = this.clock.now();
    const today = civilDate(now, tenant.time_zone);
    const { faults, preview } = tryTemplates(this.templates, {
      kind,
      locale,
      parts,
      tenant,
      today,
      now,
      data,
      toGsm: this.config.smsTransliterate,
    });
    if (faults.length > 0) throw new Problem('validation_failed', undefined, { errors: faults });
    return preview;
  }

  private place(kind: string, locale: string): Place {
    const knownKind: string | undefined = NOTIFICATION_KINDS.find((each) => each === kind);
    const place = knownKind ?? (isMessageTemplate(kind) ? kind : undefined);
    const knownLocale = LOCALES.find((each) => each === locale);
    if (place === undefined || knownLocale === undefined) throw notFound();
    const sources = this.templates.sourcesOf(knownKind ?? 'message', knownLocale);
    if (sources === null) throw notFound();
    return { kind: place, locale: knownLocale, sources };
  }
}

/** A kind has built-in words for what a tenant does not write; a message template has only those of mails. */
function refuseIncomplete({ kind }: Place, present: readonly string[]): void {
  if (!isMessageTemplate(kind)) return;
  const missing = REQUIRED_PARTS.filter((part) => !present.includes(part));
  if (missing.length === 0) return;
  const errors = missing.map((part) => ({
    pointer: `/${part}`,
    detail: 'is required in a message template',
  }));
  throw new Problem('validation_failed', undefined, { errors });
}

function refuseTooMany(rows: readonly TemplateRow[]): void {
  if (rows.reduce((sum, { source }) => sum + source.length, 0) > MAX_TENANT_SOURCES) {
    throw new Problem(
      'conflict',
      `the templates of a tenant may have up to ${MAX_TENANT_SOURCES} characters`,
    );
  }
  const names = new Set(rows.map(({ kind }) => kind).filter(isMessageTemplate));
  if (names.size > MAX_MESSAGE_TEMPLATES) {
    throw new Problem('conflict', `a tenant may have up to ${MAX_MESSAGE_TEMPLATES} message templates`);
  }
}

function viewOf(place: Place, rows: readonly TemplateRow[]): TenantTemplateView {
  const { kind, locale, sources } = place;
  const written = partsAt(place, rows);
  const hasBuiltIn = (part: TemplatePart) => !isMessageTemplate(kind) || !REQUIRED_PARTS.includes(part);
  const view = (part: TemplatePart): TemplatePartView => {
    const row = written.find((each) => each.part === part);
    return {
      adapted: row !== undefined,
      source: row?.source ?? null,
      built_in: hasBuiltIn(part) ? (sources[part]?.source ?? '') : '',
      written_by: row?.written_by ?? null,
      updated_at: row?.updated_at ?? null,
      broken: brokenOf(row),
    };
  };
  const parts = { title: view('title'), body: view('body'), text: view('text'), html: view('html') };
  const fields = isMessageTemplate(kind)
    ? templateFields(written.map(({ source }) => source))
    : fieldsOf(kind);
  return { kind, locale, parts, fields };
}

function brokenOf(row: TemplateRow | undefined): TemplatePartView['broken'] {
  if (row?.broken_since == null || row.broken_reason === null) return null;
  return { since: row.broken_since, reason: row.broken_reason };
}
