import type { Locale } from '../contracts/locales.js';
import type { Severity } from '../contracts/severities.js';

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
