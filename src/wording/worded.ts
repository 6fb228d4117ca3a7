import type { Locale } from '../contracts/locales.js';
import type { Severity } from '../contracts/severities.js';

/** A notification (or an alert) as its words are made of it. */
export interface WordedItem {
  /** Null for what may change: its words are not kept. */
  id: string | null;
  kind: string;
  severity: Severity;
  data: Record<string, unknown>;
  created_at: Date;
  /** Why this person is notified: `responsible`, `unassigned`, `alert_recipient`, `addressed` or `self`. */
  audience: string | null;
  /** Who wrote it, where a person did. */
  author_name: string | null;
  /** Where the item can be opened; null: nowhere. Left out: as ITEM_URL says. */
  item_url?: string | null;
}

/** For whom, and as of which day, words are made. */
export interface Reader {
  locale: Locale;
  /** Civil date (YYYY-MM-DD) in the tenant's zone. */
  today: string;
  /** `slug` for links to items. */
  tenant: { name: string; time_zone: string; slug?: string };
  recipient: { name: string | null };
}

/** Links of the message as a whole; null where there is none. */
export interface MessageLinks {
  unsubscribe_url: string | null;
}

/** What feeds show, and what pushes, text messages and the like are made of. */
export interface Words {
  /** One line of at most 200 characters, without control characters. */
  title: string;
  /** Plain text in paragraphs; may be empty. */
  body: string;
}

export interface RenderedMail {
  /** One line, as `Words.title`. */
  subject: string;
  html: string;
  text: string;
}
