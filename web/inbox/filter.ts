import type { FeedQuery } from '../client/rest.js';
import type { Notification } from '../client/types.js';

type Kind = Notification['kind'];

/** A tab of the list: its name, a key of `words.tabs` or any text, and the kinds that it shows. */
export interface Tab {
  name: string;
  kinds: readonly Kind[];
}

export interface Filter {
  /** Null: all kinds. */
  tab: Tab | null;
  unread: boolean;
}

export const ALL: Filter = { tab: null, unread: false };

export const TABS: readonly Tab[] = [
  { name: 'deadlines', kinds: ['deadline_near'] },
  { name: 'documents', kinds: ['documents_missing'] },
  { name: 'tasks', kinds: ['tasks_overdue', 'reminder'] },
  {
    name: 'backups',
    kinds: [
      'backup_alert',
      'backup_recovered',
      'backup_damaged',
      'backup_report_rejected',
      'backup_agent_silent',
      'backup_agent_back',
    ],
  },
  { name: 'messages', kinds: ['message', 'event'] },
];

/** What a page gives for its tabs: a kind alone is a tab of its own. */
export function tabOf(given: Kind | Tab): Tab {
  return typeof given === 'string' ? { name: given, kinds: [given] } : given;
}

export function kindsOf({ tab }: Filter): Pick<FeedQuery, 'kind'> {
  return tab === null ? {} : { kind: tab.kinds.join(',') };
}

/** Whether the list with this filter has the notification. */
export function matches({ tab, unread }: Filter, { kind, read_at, archived_at }: Notification): boolean {
  return archived_at === null && tab?.kinds.includes(kind) !== false && !(unread && read_at !== null);
}
