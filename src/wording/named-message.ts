import type { WordedItem } from './worded.js';

const PREFIX = 'message.';
const NAME = /^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$/;
const MAX_NAME = 60;

/** The kind of a tenant's message template in the table of templates and in the API. */
export function kindOfTemplate(name: string): string {
  return `${PREFIX}${name}`;
}

export function nameOf(kind: string): string {
  return kind.slice(PREFIX.length);
}

/** The data of a message from a template. */
export function messageData(template: string, data: Record<string, unknown>): Record<string, unknown> {
  return { template, data };
}

/** Whether this is `message.<name>` with a name of at most 60 lower-case letters, digits, dashes and underscores. */
export function isMessageTemplate(kind: string): boolean {
  const name = nameOf(kind);
  return kind.startsWith(PREFIX) && name.length <= MAX_NAME && NAME.test(name);
}

/** The message template of a notification; null for any other. */
export function templateOf({ kind, data }: Pick<WordedItem, 'kind' | 'data'>): string | null {
  return kind === 'message' && typeof data.template === 'string' ? data.template : null;
}

/** A message whose template prints its caller's data. */
export function withCallersData(item: WordedItem): WordedItem {
  const { data } = item.data;
  return { ...item, data: typeof data === 'object' && data !== null ? { ...data } : {} };
}
