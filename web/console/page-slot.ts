import { html, type TemplateResult } from 'lit';
import { skeleton } from '../design/skeleton.js';
import type { ConsoleContext } from './context.js';
import { type ConsolePage, failure, pageHead } from './page.js';
import type { Page } from './pages.js';
import type { Route } from './router.js';

/** The place of the current page: loads its code, shows a skeleton meanwhile, and moves the focus to its heading. */
export class PageSlot {
  private route: Route<Page> | null = null;
  private element: ConsolePage | null = null;
  private fault: unknown = null;
  private isMoved = false;
  private isAtSkeleton = false;
  /** The current context: it may change while the code of a page loads. */
  private context: ConsoleContext | null = null;

  /** @param onChange called when `content` is another one. */
  constructor(private readonly onChange: () => void) {}

  /** @param route null: no such page. @param isMoved a person came here from another page. */
  show(route: Route<Page> | null, context: ConsoleContext, isMoved: boolean): void {
    const isSame = this.element !== null && route?.page === this.route?.page;
    const isSamePath = isSame && samePath(route, this.route);
    this.route = route;
    this.context = context;
    if (isSame && route !== null) {
      this.give(route);
      if (!isSamePath) this.moved(isMoved);
      return;
    }
    this.element = null;
    this.fault = null;
    this.moved(isMoved);
    if (route !== null) void this.load(route);
  }

  /** Other words or another zone. */
  update(context: ConsoleContext): void {
    this.context = context;
    if (this.element !== null) this.element.context = context;
  }

  content(context: ConsoleContext): unknown {
    const { route, element, fault } = this;
    if (element !== null) return element;
    if (route === null) return notFound(context);
    if (fault !== null) return failure(context, fault, () => location.reload());
    const nav = route.page.nav ?? route.page.within;
    return html`${pageHead(nav === undefined ? '' : context.words.nav[nav])}
    ${skeleton(context.words.loading)}`;
  }

  /**
   * Focuses the heading after a person came here: first that of the skeleton, then the page's own. If the person has
   * moved the focus meanwhile, it stays where it is.
   */
  async settle(main: HTMLElement | null): Promise<void> {
    if (!this.isMoved || main === null) return;
    const { element, isAtSkeleton } = this;
    this.isAtSkeleton = element === null && this.route !== null && this.fault === null;
    this.isMoved = this.isAtSkeleton;
    await element?.updateComplete;
    // The focused heading of a skeleton was removed with it.
    if (isAtSkeleton && document.activeElement !== document.body) return;
    main.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
  }

  private moved(isMoved: boolean): void {
    this.isMoved = isMoved;
    this.isAtSkeleton = false;
    if (isMoved) window.scrollTo(0, 0);
    this.onChange();
  }

  private async load(route: Route<Page>): Promise<void> {
    try {
      const { default: Page } = await route.page.load();
      if (this.route !== route && this.route?.page !== route.page) return;
      const tag = `page-${route.page.name}`;
      if (customElements.get(tag) === undefined) customElements.define(tag, Page);
      this.element = new Page();
      this.give(this.route);
    } catch (error) {
      if (this.route === route) this.fault = error;
    }
    this.onChange();
  }

  private give({ params, query }: Route<Page>): void {
    if (this.element === null || this.context === null) return;
    this.element.context = this.context;
    this.element.params = params;
    this.element.query = query;
  }
}

function samePath(one: Route<Page> | null, other: Route<Page> | null): boolean {
  return one?.url.split('?', 1)[0] === other?.url.split('?', 1)[0];
}

function notFound({ words }: ConsoleContext): TemplateResult {
  return html`${pageHead(words.not_found, { note: words.not_found_hint })}
    <p><a class="button outlined" href="/">${words.to_start}</a></p>`;
}
