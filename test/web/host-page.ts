import type { BrowserContext, ConsoleMessage, Page } from 'playwright-core';

/** A page of another program that embeds the inbox, under the strict policy of WEB.md. */
export interface Host {
  page: Page;
  /** Violations of the policy, and errors of the page. */
  faults: string[];
}

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'";

const SCRIPT = `
  window.events = [];
  const inbox = document.querySelector('vigie-inbox');
  for (const name of ['vigie-unread-count', 'vigie-received', 'vigie-click', 'vigie-state', 'vigie-auth-required'])
    document.addEventListener(name, ({ detail }) => window.events.push({ name, detail, at: Date.now() }));
  document.addEventListener('securitypolicyviolation', (event) => console.error('CSP ' + event.violatedDirective));
  const own = new URLSearchParams(location.search);
  window.asked = 0;
  inbox.getToken = async () => {
    window.asked++;
    if (own.get('token') === 'throws') throw new Error('no session');
    return window.nextToken ?? own.get('token');
  };
`;

/**
 * Opens the page at this server. @param attributes of the element, as HTML. @param styles of the page, which must not
 * reach the inbox.
 */
export async function openHost(
  context: BrowserContext,
  url: string,
  token: string,
  attributes = 'lang="fr"',
): Promise<Host> {
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title>
    <meta name="viewport" content="width=device-width">
    <link rel="stylesheet" href="/host.css"><script type="module" src="/inbox.js"></script>
    <script type="module" src="/host.js"></script></head>
    <body><main><h1>Cabinet Martin</h1><vigie-inbox ${attributes}></vigie-inbox></main></body></html>`;
  const answers: Record<string, [string, string]> = {
    '/host': ['text/html', html],
    '/host.js': ['text/javascript', SCRIPT],
    // What a careless page does to all of its buttons.
    '/host.css': [
      'text/css',
      'button { color: red !important; text-transform: uppercase } main { display: flex; justify-content: space-between; padding: 8px 16px } body { margin: 0; font: 16px serif }',
    ],
  };
  for (const [path, [contentType, body]] of Object.entries(answers)) {
    await context.route(`${url}${path}*`, (route) =>
      new URL(route.request().url()).pathname === path
        ? route.fulfill({ contentType, body, headers: { 'content-security-policy': POLICY } })
        : route.fallback(),
    );
  }
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message: ConsoleMessage) => {
    // A refused or cut request is logged by the browser itself.
    if (message.type() === 'error' && !/Failed to load resource|WebSocket|ERR_/.test(message.text()))
      faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  await page.goto(`${url}/host?token=${encodeURIComponent(token)}`);
  return { page, faults };
}
