/** What the router needs to know of a page. */
export interface RouterPage {
  /** As URLPattern writes it: `/due-items/:id`. */
  readonly path: string;
}

export interface Route<Page extends RouterPage> {
  readonly page: Page;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Path and query, as in the address bar. */
  readonly url: string;
}

export interface NavigateOptions {
  /** Replaces the current entry of the history: for filters and the like. */
  replace?: boolean;
}

/**
 * Finds the page of an address, and follows links, `navigate`, back and forward. Links to anything else than a page
 * are the browser's.
 */
export class Router<Page extends RouterPage> {
  private readonly patterns: { page: Page; pattern: URLPattern }[];
  private current: Route<Page> | null = null;

  /** @param onRoute called with each new route; null: no page has this address. */
  constructor(
    pages: readonly Page[],
    private readonly onRoute: (route: Route<Page> | null, previous: Route<Page> | null) => void,
  ) {
    this.patterns = pages.map((page) => ({ page, pattern: new URLPattern({ pathname: page.path }) }));
  }

  get route(): Route<Page> | null {
    return this.current;
  }

  start(): void {
    window.addEventListener('popstate', this.read);
    document.addEventListener('click', this.onClick);
    this.read();
  }

  stop(): void {
    window.removeEventListener('popstate', this.read);
    document.removeEventListener('click', this.onClick);
  }

  /** @param url path and query; a query alone (`?q=x`, or `?` for none) keeps the path. */
  navigate(url: string, { replace = false }: NavigateOptions = {}): void {
    const target = new URL(url === '?' ? location.pathname : url, location.href);
    if (target.href === location.href) return;
    if (replace) history.replaceState(null, '', target);
    else history.pushState(null, '', target);
    this.read();
  }

  /** The route of an address of this server, or null. */
  match(href: string): Route<Page> | null {
    const { origin, pathname, search, searchParams } = new URL(href, location.href);
    if (origin !== location.origin) return null;
    for (const { page, pattern } of this.patterns) {
      const found = pattern.exec({ pathname });
      if (found === null) continue;
      const groups = Object.entries(found.pathname.groups).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      const params = Object.fromEntries(groups.map(([name, value]) => [name, decode(value)]));
      return { page, params, query: searchParams, url: pathname + search };
    }
    return null;
  }

  private readonly read = (): void => {
    const previous = this.current;
    this.current = this.match(location.href);
    this.onRoute(this.current, previous);
  };

  private readonly onClick = (event: MouseEvent): void => {
    const isPlain =
      event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (event.defaultPrevented || !isPlain) return;
    const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
    if (link === undefined || link.target !== '' || link.hasAttribute('download')) return;
    if (link.hash !== '' && link.pathname === location.pathname) return;
    if (this.match(link.href) === null) return;
    event.preventDefault();
    this.navigate(link.href);
  };
}

/** A truncated address may not be decodable. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
