import type { TemplateResult } from 'lit';
import type { Times } from '../design/times.js';
import type { Notification } from '../client/types.js';
import type { Words } from '../words/en.js';
import type { Tab } from './filter.js';
import type { PanelActs } from './panel-acts.js';
import type { InboxStore } from './store.js';

/** What the templates of the panel show, and what its buttons do. */
export interface InboxView {
  store: InboxStore;
  words: Words;
  times: Times;
  /** The server's time, in ms. */
  now: number;
  tabs: readonly Tab[];
  renderItem: ((notification: Notification) => unknown) | null;
  acts: PanelActs;
  close(): void;
}

/** The explanation under an item, by its id; null while it is loaded. */
export interface Why {
  id: string;
  content: TemplateResult | null;
}

/** The form that replaces the list; null while it is loaded. */
export interface PreferencesPage {
  content: TemplateResult | null;
}
