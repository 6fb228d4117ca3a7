import uPlot from 'uplot';
import type { ChartView } from './chart.js';

const DAY_S = 24 * 60 * 60;
/** Used when there are too few points to tell the step from them. */
const DEFAULT_STEP_S = 60 * 60;
/** Whole steps of an axis of counts: uPlot uses only the steps that it is given. */
const WHOLE_STEPS = Array.from({ length: 13 }, (_none, power) =>
  [1, 2, 5].map((n) => n * 10 ** power),
).flat();
/** Lines differ by their dashes too: not everybody can tell colours apart. */
const DASHES: readonly number[][] = [[], [6, 4], [2, 3], [10, 3, 2, 3]];

export interface PlotOptions {
  /** A colour for each series. */
  series: readonly string[];
  /** Called with what is under the pointer, or with nothing. */
  read: (text: string) => void;
}

/** The drawing of a chart. Import it lazily: it has uPlot in it. */
export class Plot {
  private readonly plot: uPlot;

  constructor(
    private readonly box: HTMLElement,
    view: ChartView,
    options: PlotOptions,
  ) {
    this.plot = new uPlot(optionsOf(box, view, options), dataOf(view), box);
  }

  /** Takes the width of its box. */
  fitBox(): void {
    const { width, height } = sizeOf(this.box);
    if (width !== this.plot.width || height !== this.plot.height) this.plot.setSize({ width, height });
  }

  destroy(): void {
    this.plot.destroy();
  }
}

function sizeOf({ clientWidth, clientHeight }: HTMLElement): { width: number; height: number } {
  return { width: Math.max(clientWidth, 1), height: Math.max(clientHeight, 1) };
}

/** In the order in which they are painted: the sum of a stack first, so that the parts below cover it. */
function order({ kind, series }: ChartView): number[] {
  const places = series.map((_one, place) => place);
  return kind === 'bars' ? places.reverse() : places;
}

function dataOf(view: ChartView): uPlot.AlignedData {
  const { kind, times, series } = view;
  // An empty part is not drawn: its edge would show.
  const stacked = (place: number, at: number) =>
    (series[place]?.values[at] ?? 0) === 0
      ? null
      : series.slice(0, place + 1).reduce((sum, { values }) => sum + (values[at] ?? 0), 0);
  const columns = order(view).map((place) =>
    times.map((_ms, at) => (kind === 'bars' ? stacked(place, at) : (series[place]?.values[at] ?? null))),
  );
  return [times.map((ms) => ms / 1_000), ...columns];
}

function optionsOf(box: HTMLElement, view: ChartView, { series, read }: PlotOptions): uPlot.Options {
  const { kind, times, locale, zone } = view;
  const styles = getComputedStyle(box);
  const step = times.length > 1 ? (Number(times[1]) - Number(times[0])) / 1_000 : DEFAULT_STEP_S;
  const axis = {
    stroke: styles.color,
    font: `12px ${styles.fontFamily}`,
    grid: { stroke: styles.borderTopColor, width: 1 },
    ticks: { show: false },
  };
  return {
    ...sizeOf(box),
    padding: [8, 24, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: kind === 'lines' }, drag: { x: false, y: false } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), zone),
    scales: {
      x: {
        range: (_plot, min, max) =>
          kind === 'bars' ? [min, max + step] : min === max ? [min - DAY_S, max + DAY_S] : [min, max],
      },
      y: { range: (_plot, _min, max) => uPlot.rangeNum(0, Math.max(max, 1), 0.1, true) },
    },
    axes: [
      { ...axis, gap: 4, size: 28, space: 72, grid: { show: false }, values: timeLabels(locale, zone) },
      {
        ...axis,
        gap: 8,
        space: 36,
        incrs: WHOLE_STEPS,
        values: (_plot, splits) => splits.map((split) => view.value(split)),
        // uPlot gives null where the axis has nothing to show, whatever its types say.
        size: (_plot, labels: string[] | null) =>
          18 + 8 * Math.max(2, ...(labels ?? []).map(({ length }) => length)),
      },
    ],
    series: [{}, ...order(view).map((place) => seriesOptions(view, place, series[place] ?? '', styles))],
    hooks: { setCursor: [(plot) => read(textAt(view, plot.cursor.idx ?? null))] },
  };
}

function seriesOptions(
  { kind, series }: ChartView,
  place: number,
  colour: string,
  styles: CSSStyleDeclaration,
): uPlot.Series {
  const label = series[place]?.label ?? '';
  if (kind === 'lines')
    return {
      label,
      stroke: colour,
      width: 2,
      dash: DASHES[place % DASHES.length] ?? [],
      points: { size: 5, fill: colour },
    };
  const paths = uPlot.paths.bars?.({ size: [0.86, 48], align: 1 });
  return {
    label,
    stroke: colour,
    width: 1,
    fill: (plot) => pattern(plot.ctx, place, colour, styles.backgroundColor),
    points: { show: false },
    ...(paths === undefined ? {} : { paths }),
  };
}

/** Parts of a stack differ by their pattern too; `.pattern-n` in chart.css draws the same for the legend. */
function pattern(
  context: CanvasRenderingContext2D,
  place: number,
  colour: string,
  surface: string,
): CanvasPattern | string {
  const kind = place % 4;
  if (kind === 0) return colour;
  const size = 8;
  const tile = document.createElement('canvas');
  tile.width = size;
  tile.height = size;
  const paint = tile.getContext('2d');
  if (paint === null) return colour;
  paint.fillStyle = surface;
  paint.fillRect(0, 0, size, size);
  paint.fillStyle = paint.strokeStyle = colour;
  paint.lineWidth = 2.5;
  if (kind === 1) {
    for (const shift of [-size, 0, size]) {
      paint.moveTo(shift - 1, size + 1);
      paint.lineTo(shift + size + 1, -1);
    }
    paint.stroke();
  } else if (kind === 2) paint.fillRect(2, 2, 4, 4);
  else paint.fillRect(0, 2, size, 3);
  return context.createPattern(tile, 'repeat') ?? colour;
}

/** Hours where they are closer than a day, with the date where a day begins. */
function timeLabels(locale: string, zone: string): uPlot.Axis.DynamicValues {
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone: zone });
  const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: zone });
  return (_plot, splits, _axis, _space, step) => {
    let last = '';
    return splits.map((seconds) => {
      const date = day.format(seconds * 1_000);
      const isNew = date !== last && last !== '';
      last = date;
      return step >= DAY_S || isNew ? date : clock.format(seconds * 1_000);
    });
  };
}

function textAt({ times, series, time, value }: ChartView, at: number | null): string {
  const ms = at === null ? undefined : times[at];
  if (at === null || ms === undefined) return '';
  const parts = series.map(({ label, values }) => {
    const number = values[at] ?? null;
    return `${label} ${number === null ? '–' : value(number)}`;
  });
  return [time(ms), ...parts].join(' · ');
}
