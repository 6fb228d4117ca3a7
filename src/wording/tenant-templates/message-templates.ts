import { Inject, Injectable } from '@nestjs/common';
import { LOCALES } from '../../contracts/locales.js';
import { civilDate } from '../../platform/clock/civil-time.js';
import { Clock } from '../../platform/clock/clock.js';
import type { TenantStatements } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { type Fault, invalid, notFound, Problem } from '../../platform/errors/problem.js';
import { kindOfTemplate, messageData } from '../named-message.js';
import type { TemplatePart } from '../template-files.js';
import { TemplateStore } from '../template-store.js';
import type { Reader, WordedItem, Words } from '../worded.js';
import { OwnWords } from './own-words.js';
import type { TenantTemplates } from './tenant-templates.js';

/** Template names that a fault lists. */
const MAX_NAMES = 20;

/** A message that names a template of its tenant. */
export interface TemplateMessage {
  template: string;
  data: Record<string, unknown>;
}

/** The tenants' message templates, as `POST notifications` uses them. */
@Injectable()
export class MessageTemplates {
  constructor(
    private readonly own: OwnWords,
    private readonly store: TemplateStore,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Renders a message in every language of its template, as for a recipient without a name; keeps the template until
   * the transaction ends.
   * @param parts those that its channel sends
   * @param maxLength of the body, in characters; null: no limit
   * @throws Problem validation_failed for an unknown template (with the names of those that exist), and for data that
   * does not suit it (with each field).
   */
  async check(
    tx: TenantTransaction,
    { template, data }: TemplateMessage,
    parts: readonly TemplatePart[],
    maxLength: number | null,
  ): Promise<void> {
    const kept = await tx.query(
      `SELECT FROM tenant_templates WHERE tenant_id = $1 AND kind = $2 AND part = 'title' AND retired_at IS NULL
       FOR SHARE`,
      [tx.tenant_id, kindOfTemplate(template)],
    );
    if (kept.length === 0) throw await this.unknown(tx);
    const faults: Fault[] = [];
    for (const { item, reader, words } of await this.rendered(tx, { template, data })) {
      faults.push(...this.store.dataFaults(item, reader, parts), ...faultsOf(words, reader, maxLength));
    }
    if (faults.length === 0) return;
    const distinct = new Map(faults.map((fault) => [`${fault.pointer} ${fault.detail}`, fault]));
    throw new Problem('validation_failed', undefined, { errors: [...distinct.values()] });
  }

  /** Its words in each language of its template; none if it was deleted. */
  async words(tx: TenantStatements, message: TemplateMessage): Promise<Words[]> {
    return (await this.rendered(tx, message)).map(({ words }) => words);
  }

  private async rendered(tx: TenantStatements, { template, data }: TemplateMessage) {
    const tenant = await tx.one<Reader['tenant'] & { wording_version: string | null }>(
      'SELECT name, slug, time_zone, wording_version FROM tenants WHERE id = $1',
      [tx.tenant_id],
    );
    if (tenant === null) throw notFound();
    const own = await this.own.of(tx.tenant_id, tenant.wording_version, tx);
    if (own === null) return [];
    const now = this.clock.now();
    const item: WordedItem = {
      id: null,
      kind: 'message',
      severity: 'info',
      data: messageData(template, data),
      created_at: now,
      audience: 'addressed',
      author_name: null,
    };
    const reader = { today: civilDate(now, tenant.time_zone), tenant, recipient: { name: null }, own };
    return localesOf(own, template).map((locale) => {
      const inLocale = { ...reader, locale };
      return { item, reader: inLocale, words: this.store.words(item, inLocale) };
    });
  }

  private async unknown(tx: TenantStatements): Promise<Problem> {
    const names = await tx.query<{ name: string }>(
      `SELECT DISTINCT substr(kind, length($2) + 1) AS name FROM tenant_templates
       WHERE tenant_id = $1 AND starts_with(kind, $2) AND retired_at IS NULL ORDER BY 1 LIMIT ${MAX_NAMES + 1}`,
      [tx.tenant_id, kindOfTemplate('')],
    );
    const listed = names.slice(0, MAX_NAMES).map(({ name }) => name);
    const more = names.length > MAX_NAMES ? ' …' : '';
    const existing = listed.length === 0 ? 'there are none' : `there are ${listed.join(', ')}${more}`;
    return invalid('/template', `is not a message template of this tenant: ${existing}`);
  }
}

function localesOf(own: TenantTemplates, template: string) {
  const [first] = LOCALES;
  return own.localesOf(kindOfTemplate(template), first);
}

/** Messages that would have no text, or that could not be sent. */
function faultsOf({ body }: Words, { locale }: Reader, maxLength: number | null): Fault[] {
  if (body.trim() === '')
    return [{ pointer: '/data', detail: `the text of the template is empty (${locale})` }];
  const length = Array.from(body).length;
  if (maxLength === null || length <= maxLength) return [];
  const detail = `the text of the template must have at most ${maxLength} characters, and has ${length} (${locale})`;
  return [{ pointer: '/data', detail }];
}
