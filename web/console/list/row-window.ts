import { html, type TemplateResult } from 'lit';
import { ref } from 'lit/directives/ref.js';

/** Rows of a chunk: few enough to render in one frame. */
const CHUNK = 25;
/** Chunks this far from the screen are rendered, so that the next rows are there before they are scrolled or tabbed to. */
const MARGIN_PX = 600;
/** Chunks before anything is known of the screen. */
const FIRST_CHUNKS = 2;

/**
 * Renders only the rows of a long table that are near the screen, in chunks; the others are empty rows of the same
 * height. A list of 2,000 backups would take seconds otherwise.
 */
export class RowWindow {
  private readonly near = new Set<number>();
  private readonly heights = new Map<number, number>();
  private readonly places = new Map<Element, number>();
  private readonly elements = new Map<number, Element>();
  private readonly refs = new Map<number, (element: Element | undefined) => void>();
  private readonly observer: IntersectionObserver;

  /**
   * @param onChange called when other rows must be rendered
   * @param rowHeight of rows that were not rendered yet, in px
   */
  constructor(
    private readonly onChange: () => void,
    private readonly rowHeight = 37,
  ) {
    for (let chunk = 0; chunk < FIRST_CHUNKS; chunk += 1) this.near.add(chunk);
    this.observer = new IntersectionObserver((entries) => this.seen(entries), {
      rootMargin: `${MARGIN_PX}px 0px`,
    });
  }

  stop(): void {
    this.observer.disconnect();
  }

  /** The bodies of a table. @param render a row, and its place in the list */
  bodies<Row>(
    rows: readonly Row[],
    columns: number,
    render: (row: Row, place: number) => TemplateResult,
  ): TemplateResult[] {
    const chunks = Array.from({ length: Math.ceil(rows.length / CHUNK) }, (_, at) => at);
    return chunks.map((at) => {
      const shown = rows.slice(at * CHUNK, (at + 1) * CHUNK);
      const content = this.near.has(at)
        ? shown.map((row, place) => render(row, at * CHUNK + place))
        : html`<tr aria-hidden="true" class="unrendered">
            <td colspan=${columns} height=${Math.round(this.heightOf(at, shown.length))}></td>
          </tr>`;
      return html`<tbody ${ref(this.refTo(at))}>
        ${content}
      </tbody>`;
    });
  }

  /** The same function each time: another one would be called again with each render. */
  private refTo(chunk: number): (element: Element | undefined) => void {
    const known = this.refs.get(chunk);
    if (known !== undefined) return known;
    const made = (element: Element | undefined) => this.place(chunk, element);
    this.refs.set(chunk, made);
    return made;
  }

  private heightOf(chunk: number, rows: number): number {
    return this.heights.get(chunk) ?? this.averageHeight() * rows;
  }

  private averageHeight(): number {
    const [known] = this.heights.values();
    return known === undefined ? this.rowHeight : known / CHUNK;
  }

  private place(chunk: number, element: Element | undefined): void {
    const before = this.elements.get(chunk);
    if (before === element) return;
    if (before !== undefined) {
      this.observer.unobserve(before);
      this.places.delete(before);
      this.elements.delete(chunk);
    }
    if (element === undefined) return;
    this.places.set(element, chunk);
    this.elements.set(chunk, element);
    this.observer.observe(element);
  }

  private seen(entries: readonly IntersectionObserverEntry[]): void {
    let isChanged = false;
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      const chunk = this.places.get(target);
      if (chunk === undefined) continue;
      if (this.near.has(chunk) === isIntersecting) continue;
      isChanged = true;
      if (isIntersecting) this.near.add(chunk);
      // The chunk with the focus stays rendered.
      else if (!target.contains(document.activeElement)) {
        this.heights.set(chunk, boundingClientRect.height);
        this.near.delete(chunk);
      }
    }
    if (isChanged) this.onChange();
  }
}
