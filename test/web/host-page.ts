import type { BrowserContext, ConsoleMessage, Page } from 'playwright-core';

/** A page of another program that embeds the inbox, under the strict policy of WEB.md. */
export interface Host {
  page: Page;
  /** Violations of the policy, and errors of the page. */
  faults: string[];
}

/** @param server its own origin, or that of the Vigie server */
const policyFor = (server: string) =>
  // A source with http does not allow ws: https://www.w3.org/TR/CSP3/#match-schemes
  `default-src 'none'; script-src 'self' ${server}; style-src 'self'; connect-src ${server} ${server.replace(/^http/, 'ws')}`;

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
 * Opens the page, with styles that must not reach the inbox.
 * @param url of the Vigie server
 * @param attributes of the element, as HTML
 * @param origin of the page: another one than the server's needs the attribute `server`
 */
export async function openHost(
  context: BrowserContext,
  url: string,
  token: string,
  attributes = 'lang="fr"',
  origin = url,
): Promise<Host> {
  const script = origin === url ? '/inbox.js' : `${url}/inbox.js`;
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title>
    <meta name="viewport" content="width=device-width">
    <link rel="stylesheet" href="/host.css"><script type="module" src="${script}"></script>
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
    await context.route(`${origin}${path}*`, (route) =>
      new URL(route.request().url()).pathname === path
        ? route.fulfill({
            contentType,
            body,
            headers: { 'content-security-policy': policyFor(origin === url ? "'self'" : url) },
          })
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
  await page.goto(`${origin}/host?token=${encodeURIComponent(token)}`);
  return { page, faults };
}
