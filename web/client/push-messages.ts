/** What the service worker asks a window of the console, with a port for the answer: show a page. */
export interface OpenPage {
  type: 'vigie-open';
  /** Path and query. */
  url: string;
}

export function isOpenPage(message: unknown): message is OpenPage {
  if (typeof message !== 'object' || message === null) return false;
  return (
    'type' in message && message.type === 'vigie-open' && 'url' in message && typeof message.url === 'string'
  );
}
