import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { Tone } from './badge.js';
import type { Plot } from './plot.js';

export interface ChartSeries {
  label: string;
  tone: Tone;
  /** One for each of the chart's times; null: unknown. */
  values: readonly (number | null)[];
}

/** What a chart shows. It is drawn again when anything but its functions has changed. */
export interface ChartView {
  /** `bars`: counts of equal intervals, stacked in the order of the series. `lines`: values at instants. */
  kind: 'bars' | 'lines';
  /** What it shows, the name of the figure and of its table. */
  caption: string;
  /** In ms, ascending: starts of intervals, or instants. */
  times: readonly number[];
  series: readonly ChartSeries[];
  /** A value as people read it. */
  value: (value: number) => string;
  /** A time as people read it. @param ms of `times` */
  time: (ms: number) => string;
  /** The language and the IANA zone of the axis. */
  locale: string;
  zone: string;
  words: { table: string; time: string };
}

/**
 * A time series, drawn by uPlot, which is loaded when the first chart is shown. A screen reader cannot
 * read a canvas (uPlot#954): the same numbers are in a table below it.
 */
export class VigieChart extends LitElement {
  static override properties = { view: { attribute: false } };
  declare view: ChartView;
  private plot: Plot | null = null;
  private drawn = '';
  private readonly resize = new ResizeObserver(() => this.plot?.fitBox());
  private readonly dark = matchMedia('(prefers-color-scheme: dark)');

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.dark.addEventListener('change', this.draw);
    if (this.hasUpdated) this.draw();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.dark.removeEventListener('change', this.draw);
    this.resize.disconnect();
    this.clear();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has('view')) return;
    const { kind, caption, times, series, locale, zone } = this.view;
    const drawing = JSON.stringify([kind, caption, times, series, locale, zone]);
    if (drawing === this.drawn) return;
    this.drawn = drawing;
    this.draw();
  }

  protected override render(): TemplateResult {
    const { caption, series, words } = this.view;
    return html`<figure class="chart">
      <figcaption>
        <span>${caption}</span>
        <ul class="legend" aria-hidden="true">
          ${series.map(
            ({ label, tone }, place) =>
              html`<li>
                <span class="swatch ${tone} pattern-${place % 4} ${this.view.kind}"></span>${label}
              </li>`,
          )}
        </ul>
      </figcaption>
      <div class="plot" aria-hidden="true"></div>
      <p class="readout" aria-hidden="true"></p>
      <details>
        <summary>${words.table}</summary>
        ${this.table()}
      </details>
    </figure>`;
  }

  private table(): TemplateResult | typeof nothing {
    const { caption, times, series, time, value, words } = this.view;
    return html`<div class="table-box" role="region" aria-label=${caption} tabindex="0">
      <table class="list numbers">
        <caption class="sr-only">
          ${caption}
        </caption>
        <thead>
          <tr>
            <th scope="col">${words.time}</th>
            ${series.map(({ label }) => html`<th scope="col" class="number">${label}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${times
            .map(
              (ms, place) =>
                html`<tr>
                  <th scope="row">${time(ms)}</th>
                  ${series.map(({ label, values }) => {
                    const number = values[place] ?? null;
                    return html`<td class="number" data-label=${label}>
                      ${number === null ? '–' : value(number)}
                    </td>`;
                  })}
                </tr>`,
            )
            .reverse()}
        </tbody>
      </table>
    </div>`;
  }

  /** Draws all of it: colours are those of the legend, which follow the theme. */
  private readonly draw = (): void => {
    const { drawn } = this;
    import('./plot.js').then(
      ({ Plot }) => {
        const box = this.querySelector<HTMLElement>('.plot');
        if (!this.isConnected || drawn !== this.drawn || box === null) return;
        this.clear();
        const swatches = [...this.querySelectorAll('.swatch')];
        this.plot = new Plot(box, this.view, {
          series: swatches.map((swatch) => getComputedStyle(swatch).color),
          read: (text) => this.read(text),
        });
        this.resize.observe(box);
      },
      // If the drawing cannot be loaded, the table remains.
      () => this.querySelector('details')?.setAttribute('open', ''),
    );
  };

  private clear(): void {
    this.plot?.destroy();
    this.plot = null;
    this.read('');
  }

  private read(text: string): void {
    const readout = this.querySelector('.readout');
    if (readout !== null) readout.textContent = text;
  }
}

if (customElements.get('vigie-chart') === undefined) customElements.define('vigie-chart', VigieChart);

/** A chart with its table. */
export function chart(view: ChartView): TemplateResult {
  return html`<vigie-chart .view=${view}></vigie-chart>`;
}

declare global {
  interface HTMLElementTagNameMap {
    'vigie-chart': VigieChart;
  }
}
