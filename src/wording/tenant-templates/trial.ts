import { declarationOf } from '../../contracts/kind-lists.js';
import type { Locale } from '../../contracts/locales.js';
import type { Fault } from '../../platform/errors/problem.js';
import { isMessageTemplate, messageData, nameOf } from '../named-message.js';
import { wordedSms, writtenSms } from '../sms/sms-text.js';
import { TEMPLATE_PARTS, type TemplatePart } from '../template-files.js';
import type { TemplateStore } from '../template-store.js';
import type { Reader, WordedItem } from '../worded.js';
import { sampleLink, sampleOf } from './kind-fields.js';
import type { TemplatePreview } from './tenant-templates.dto.js';
import { CompiledParts, type StoredPart, TenantTemplates } from './tenant-templates.js';

/** Templates to try, and what to try them with. */
export interface Trial {
  /** A kind, or `message.<name>`. */
  kind: string;
  locale: Locale;
  parts: Partial<Record<TemplatePart, string>>;
  tenant: Reader['tenant'];
  today: string;
  now: Date;
  /** The data of the notification; null: the kind's sample, or nothing for a message template. */
  data: Record<string, unknown> | null;
  /** Whether text messages are written in the GSM alphabet: SMS_TRANSLITERATE. */
  toGsm: boolean;
}

const LINK_PARTS = ['text', 'html'] as const;

/** Renders every channel's message with these templates, as they would be rendered for a person. */
export function tryTemplates(
  store: TemplateStore,
  trial: Trial,
): { faults: Fault[]; preview: TemplatePreview } {
  const { kind, locale, parts, tenant, today, now, toGsm } = trial;
  const faults: Fault[] = [];
  const stored = Object.entries(parts).map(([part, source]): StoredPart => {
    return { kind, locale, part: part as TemplatePart, source, updated_at: now };
  });
  const own = new TenantTemplates('trial', stored, new CompiledParts(), ({ part, reason }) => {
    faults.push({ pointer: `/${part}`, detail: reason });
  });
  const reader = { locale, today, tenant, recipient: { name: 'Claire' }, own };
  const link_url = sampleLink(kind);
  const isTemplate = isMessageTemplate(kind);
  const item: WordedItem = {
    id: null,
    kind: isTemplate ? 'message' : kind,
    severity: 'warning',
    data: isTemplate
      ? messageData(nameOf(kind), trial.data ?? {})
      : { ...(trial.data ?? sampleOf(kind)), ...(link_url !== null && { link_url }) },
    created_at: now,
    audience: 'responsible',
    author_name: isTemplate || declarationOf(kind)?.written === true ? 'Bruno' : null,
    item_url: 'https://app.example.com/item/7',
  };
  const links = {
    unsubscribe_url:
      declarationOf(kind)?.optional === true ? 'https://app.example.com/unsubscribe/sample' : null,
  };
  const words = store.words(item, reader);
  if (isTemplate && trial.data !== null) faults.push(...store.dataFaults(item, reader, TEMPLATE_PARTS));
  const mail = store.itemMail(item, reader, links);
  for (const part of LINK_PARTS) {
    const isLost = link_url !== null && parts[part] !== undefined && !mail[part].includes(link_url);
    if (isLost && faults.length === 0) {
      faults.push({
        pointer: `/${part}`,
        detail: 'this mail carries a one-time link: insert {{> link_button}} where it is always shown',
      });
    }
  }
  return {
    faults,
    preview: {
      feed: words,
      email: mail,
      // Written messages are sent as they are.
      sms: isTemplate ? writtenSms(words.body.trim(), toGsm) : wordedSms(words, tenant.name, toGsm),
      push: words,
    },
  };
}
