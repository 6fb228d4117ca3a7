import { html, LitElement, type TemplateResult } from 'lit';

/** Holds an inline style while the mail is parsed. */
const KEPT = 'data-mail-style';

/**
 * A mail as its reader sees it, in a frame of its own width without scripts, forms and popups. The frame has the policy
 * of this page, which refuses inline styles, so the mail's own are set as constructed style sheets. Images of other
 * servers are not loaded, and links lead nowhere: their target is their title.
 */
export class VigieMailFrame extends LitElement {
  static override properties = { mail: { attribute: false }, label: { attribute: false } };
  /** The whole mail as HTML. */
  declare mail: string;
  declare label: string;

  constructor() {
    super();
    this.mail = '';
    this.label = '';
  }

  protected override createRenderRoot(): this {
    return this;
  }

  protected override updated(): void {
    this.fill();
  }

  private fill(): void {
    const frame = this.querySelector('iframe');
    const inside = frame?.contentDocument;
    const Sheet = frame?.contentWindow && sheetOf(frame.contentWindow);
    if (inside == null || Sheet == null) return;
    const { html: text, sheets } = withoutStyles(this.mail);
    const mail = new DOMParser().parseFromString(text, 'text/html');
    for (const element of mail.querySelectorAll('script, style, meta, link, base, title')) element.remove();
    for (const element of mail.body.querySelectorAll('*')) makeInert(element);
    inside.documentElement.lang = mail.documentElement.lang;
    inside.body.replaceWith(inside.adoptNode(mail.body));
    // A policy refuses the attribute, not the property that a script sets.
    for (const element of inside.querySelectorAll<HTMLElement>(`[${KEPT}]`))
      element.style.cssText = element.getAttribute(KEPT) ?? '';
    inside.adoptedStyleSheets = sheets.map((rules) => {
      const sheet = new Sheet();
      sheet.replaceSync(rules);
      return sheet;
    });
    if (frame !== null) frame.height = String(Math.max(inside.documentElement.scrollHeight, 120));
  }

  protected override render(): TemplateResult {
    return html`<iframe
      sandbox="allow-same-origin"
      title=${this.label}
      srcdoc="<!doctype html><html><head><meta name='color-scheme' content='light dark'></head><body></body></html>"
      @load=${() => this.fill()}
    ></iframe>`;
  }
}

/** Style sheets belong to the window that has constructed them. */
function sheetOf(window: Window): typeof CSSStyleSheet {
  return (window as Window & typeof globalThis).CSSStyleSheet;
}

/** Removes what the policy of the page would refuse and report, and where links lead. */
function makeInert(element: Element): void {
  const target = element.getAttribute('href');
  if (target !== null) element.setAttribute('title', target);
  for (const { name, value } of [...element.attributes]) {
    const isRemote =
      ['src', 'srcset', 'background', 'poster'].includes(name) && !/^data:image\//i.test(value);
    if (name.startsWith('on') || name === 'href' || isRemote) element.removeAttribute(name);
  }
}

/**
 * The mail with its inline styles in another attribute, its style sheets apart, and handlers that are none: the parser
 * of a page with a policy would report each of them.
 */
function withoutStyles(mail: string): { html: string; sheets: string[] } {
  const sheets: string[] = [];
  const html = mail
    .replace(/<style\b[^>]*>([^]*?)<\/style\s*>/gi, (_whole, rules: string) => {
      sheets.push(rules);
      return '';
    })
    .replace(/<[a-z][^<>]*>/gi, (tag) =>
      tag.replace(/(?<=[\s"'])style(?=\s*=)/gi, KEPT).replace(/(?<=[\s"'/])on(?=[a-z]+\s*=)/gi, 'data-on-'),
    );
  return { html, sheets };
}

if (customElements.get('vigie-mail-frame') === undefined)
  customElements.define('vigie-mail-frame', VigieMailFrame);

declare global {
  interface HTMLElementTagNameMap {
    'vigie-mail-frame': VigieMailFrame;
  }
}
