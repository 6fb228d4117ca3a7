import { PAGES } from './pages.js';

/**
 * The page of an item, by the type that links in mails and notifications name; null if no page shows such items.
 * @param type `deadline`, `document`, `task`, `ticket`, `backup`, …
 */
export function itemUrl(type: string, id: string): string | null {
  for (const { items } of PAGES) {
    const url = items?.[type];
    if (url !== undefined) return url.replace('{id}', encodeURIComponent(id));
  }
  return null;
}

/** The fields of a notification's data that name its item, as src/contracts/kinds.ts declares them. */
const TYPES: Readonly<Record<string, string>> = {
  deadline_id: 'deadline',
  document_id: 'document',
  task_id: 'task',
  ticket_id: 'ticket',
  job_id: 'backup',
};

/** The page of what a notification is about, or null. */
export function notificationUrl(data: Readonly<Record<string, unknown>>): string | null {
  for (const [field, type] of Object.entries(TYPES)) {
    const id = data[field];
    if (typeof id === 'string') return itemUrl(type, id);
  }
  return null;
}
