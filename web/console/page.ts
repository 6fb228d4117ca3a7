import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { ConsoleContext } from './context.js';
import { ListState } from './list/list-state.js';
import { Resource } from './resource.js';

/** A page: an element in the light DOM, so that labels, global styles and password managers work. */
export abstract class ConsolePage extends LitElement {
  static override properties = {
    context: { attribute: false },
    params: { attribute: false },
    query: { attribute: false },
  };

  declare context: ConsoleContext;
  /** Of the path: `/backups/:id` gives `id`. */
  declare params: Readonly<Record<string, string>>;
  /** A new object at each change of the address. */
  declare query: URLSearchParams;
  private shownZone: string | null = null;

  protected override createRenderRoot(): this {
    return this;
  }

  /** The page's name for the title of the window. Request an update when it changes. */
  abstract get heading(): string;

  /** The lists and requests of the page end with it. */
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const one of Object.values(this))
      if (one instanceof ListState || one instanceof Resource) one.stop();
  }

  /** A head that replaces another one, such as that of the skeleton, takes over its focus. */
  protected override update(changed: PropertyValues): void {
    this.followZone();
    const { activeElement: focused } = document;
    const hadFocus = focused?.tagName === 'H1' && this.contains(focused);
    super.update(changed);
    if (hadFocus && !focused.isConnected) this.querySelector('h1')?.focus({ preventScroll: true });
  }

  /** In another zone a day has other bounds. */
  private followZone(): void {
    const { zone } = this.context;
    const isOther = this.shownZone !== null && this.shownZone !== zone;
    this.shownZone = zone;
    if (!isOther) return;
    for (const one of Object.values(this))
      if (one instanceof ListState && one.options.hasDays === true) void one.refresh();
  }

  /** Scrolls the current tab into view, for narrow screens. */
  protected override firstUpdated(_changed: PropertyValues): void {
    this.querySelector('[role=navigation] [aria-current]')?.scrollIntoView({
      inline: 'nearest',
      block: 'nearest',
    });
  }

  protected override updated(): void {
    this.dispatchEvent(new CustomEvent('page-heading', { detail: this.heading, bubbles: true }));
  }
}

export type PageClass = new () => ConsolePage;

/** A link from a page back to its list. */
export interface BackLink {
  href: string;
  /** "All alerts" */
  text: string;
}

/** What a page's head has besides its heading. */
export interface HeadOptions {
  /** Null: this reader has no such list. */
  back?: BackLink | null;
  note?: unknown;
  actions?: unknown;
}

/** The head of a page. The frame moves the focus to its h1 when the page is opened. */
export function pageHead(
  heading: string,
  { back = null, note = nothing, actions = nothing }: HeadOptions = {},
): TemplateResult {
  return html`${
      back === null
        ? nothing
        : html`<p class="back">
            <a href=${back.href}><span aria-hidden="true">←</span> ${back.text}</a>
          </p>`
    }
    <header class="page-head">
      <div>
        <h1 tabindex="-1">${heading}</h1>
        ${note === nothing ? nothing : html`<p class="note">${note}</p>`}
      </div>
      ${actions === nothing ? nothing : html`<div class="actions">${actions}</div>`}
    </header>`;
}

/** What could not be loaded, in its place, with a button that tries again. */
export function failure(context: ConsoleContext, error: unknown, retry: () => void): TemplateResult {
  return html`<div class="failure" role="alert">
    <p>${context.words.faultOf(error)}</p>
    <p><button type="button" class="outlined" @click=${retry}>${context.words.retry}</button></p>
  </div>`;
}
