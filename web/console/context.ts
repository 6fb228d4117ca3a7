import type { ApiClient } from '../client/api-client.js';
import type { components } from '../client/api.js';
import type { Question } from '../design/confirm.js';
import type { Formats } from '../design/formats.js';
import type { Toast } from '../design/toast.js';
import type { FrameWords } from '../words/console/frame.js';
import type { Live } from './live.js';
import type { NavigateOptions } from './router.js';
import type { Session } from './session.js';
import type { OverviewState } from './today/overview-state.js';

export type Role = 'member' | 'admin' | 'operator';
export type Locale = 'fr' | 'en';

/** The signed-in person. */
export interface Me {
  id: string;
  role: Role;
  /** An operator's are unknown here: null. */
  name: string | null;
  email: string | null;
  /** Null: an operator. */
  tenant: components['schemas']['OwnTenant'] | null;
  locale: Locale | null;
  time_zone: string | null;
}

/** What the frame gives every page. */
export interface ConsoleContext {
  readonly api: ApiClient;
  readonly me: Me;
  readonly session: Session;
  /** The words that all pages share; a page's own are in web/words/console. */
  readonly words: FrameWords;
  readonly locale: Locale;
  /** The zone in which times are shown; the person chooses it in the frame. */
  readonly zone: string;
  readonly format: Formats;
  readonly live: Live;
  /** What is wrong and due, for the title of the window and the first page. Empty for operators. */
  readonly overview: OverviewState;
  /** @param url `/tasks/1?x=y`, or a query alone, which keeps the path. */
  navigate(url: string, options?: NavigateOptions): void;
  toast(toast: Toast): void;
  /** Whether the person confirmed. */
  confirm(question: Omit<Question, 'cancel'>): Promise<boolean>;
}

/** The words of a page in the language of the console. */
export function wordsIn<Words>(locale: Locale, words: { fr: Words; en: Words }): Words {
  return words[locale];
}
