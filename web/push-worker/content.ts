import type { WebPushContent } from '../../src/contracts/web-push.js';

/** A notification of the browser. */
export interface Shown {
  title: string;
  body: string;
  /** One with the same tag replaces the first; empty: none does. */
  tag: string;
  /** The page of the console that a click opens. */
  url: string;
}

/** What a push says that nobody can read: browsers require that each shows something. */
const UNREADABLE: Shown = { title: 'Vigie', body: '', tag: '', url: '/notifications' };

/** What to show for a push. @param text what the server sent; null: nothing */
export function shownOf(text: string | null): Shown {
  const content = contentIn(text);
  if (content === null) return UNREADABLE;
  const { id, title, body, data } = content;
  const [first = ''] = data.notification_ids.split(',');
  const page = data.count === '1' && first !== '' ? `/${encodeURIComponent(first)}` : '';
  // For the form, if nobody is signed in.
  const query = new URLSearchParams({ tenant: data.tenant }).toString();
  return { title, body, tag: id, url: `/notifications${page}?${query}` };
}

function contentIn(text: string | null): WebPushContent | null {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return isContent(value) ? value : null;
  } catch {
    return null;
  }
}

function isContent(value: unknown): value is WebPushContent {
  return (
    hasTexts(value, ['id', 'title', 'body']) &&
    'data' in value &&
    hasTexts(value.data, ['tenant', 'notification_ids', 'count'])
  );
}

function hasTexts<Name extends string>(
  value: unknown,
  names: readonly Name[],
): value is Record<Name, string> {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  return names.every((name) => typeof fields.get(name) === 'string');
}
