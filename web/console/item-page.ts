import { html, type TemplateResult } from 'lit';
import { itemUrl } from './item-links.js';
import { ConsolePage, pageHead } from './page.js';

/** `/items/:type/:id`, which mails link to: goes to the page of the item. */
export default class ItemPage extends ConsolePage {
  override get heading(): string {
    return this.context.words.not_found;
  }

  protected override willUpdate(): void {
    const url = itemUrl(this.params.type ?? '', this.params.id ?? '');
    // After this update: the page that is shown next replaces this one.
    if (url !== null) queueMicrotask(() => this.context.navigate(url, { replace: true }));
  }

  protected override render(): TemplateResult {
    const { words } = this.context;
    const isKnown = itemUrl(this.params.type ?? '', this.params.id ?? '') !== null;
    if (isKnown) return html``;
    return html`${pageHead(words.not_found, { note: words.not_found_hint })}
      <p><a class="button outlined" href="/">${words.to_start}</a></p>`;
  }
}
