import type { Locale } from '../contracts/locales.js';
import { WRITTEN_KINDS } from '../contracts/kind-lists.js';
import type { Severity } from '../contracts/severities.js';
import type { TenantTemplates } from './tenant-templates/tenant-templates.js';

/** A notification (or an alert) as the input for its words. */
export interface WordedItem {
  /** Null if it may change: its words are not cached. */
  id: string | null;
  kind: string;
  severity: Severity;
  data: Record<string, unknown>;
  created_at: Date;
  /** Why this person is notified: `responsible`, `unassigned`, `alert_recipient`, `addressed` or `self`. */
  audience: string | null;
  /** The author, if a person wrote it. */
  author_name: string | null;
  /** The URL of the item; null: none. Omitted: from ITEM_URL. */
  item_url?: string | null;
  /** The page to acknowledge or snooze its alert without signing in; null or omitted: none. */
  act_url?: string | null;
}

/** For whom, and as of which day, words are rendered. */
export interface Reader {
  locale: Locale;
  /** Civil date (YYYY-MM-DD) in the tenant's zone. */
  today: string;
  /** `slug` for links to items. */
  tenant: { name: string; time_zone: string; slug?: string };
  recipient: { name: string | null };
  /** The tenant's own words, from `Wording.ownWords`; null if it has none, like nearly every tenant. */
  own: TenantTemplates | null;
}

/** Links of the message as a whole; null without one. */
export interface MessageLinks {
  unsubscribe_url: string | null;
}

/** The text for feeds, and the source for pushes, text messages and the like. */
export interface Words {
  /** One line of at most 200 characters, without control characters. */
  title: string;
  /** Plain text in paragraphs; may be empty. */
  body: string;
}

export interface RenderedMail {
  /** One line, like `Words.title`. */
  subject: string;
  html: string;
  text: string;
}

const WRITTEN: readonly string[] = WRITTEN_KINDS;

/** `data` without text that somebody wrote: views and webhooks show it as title and body. */
export function factsOf({ kind, data }: Pick<WordedItem, 'kind' | 'data'>): Record<string, unknown> {
  return WRITTEN.includes(kind) ? withoutWords(data) : data;
}

function withoutWords({
  title: _title,
  body: _body,
  ...facts
}: Record<string, unknown>): Record<string, unknown> {
  return facts;
}
