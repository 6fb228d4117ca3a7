import { html, svg, type SVGTemplateResult, type TemplateResult } from 'lit';
import type { OperatorRunWords } from '../../words/console/operator-runs.js';

export type Mark = keyof OperatorRunWords['marks'];

/** The letters of the API, worst first. */
const BY_LETTER: Readonly<Record<string, Mark>> = {
  m: 'missed',
  f: 'failed',
  c: 'caught_up',
  x: 'cancelled',
  u: 'under_way',
  r: 'ran',
  p: 'planned',
};

/** The order in legends and filters. */
export const MARKS: readonly Mark[] = [
  'missed',
  'failed',
  'caught_up',
  'cancelled',
  'under_way',
  'ran',
  'planned',
];

/** The choices of the filter `hours`: how far to look back. */
export const HOURS = ['6', '24', '72'] as const;

export function hoursOf(text: string | undefined): number {
  return Number(HOURS.find((one) => one === text) ?? '24');
}

const STEP = 9;
const HEIGHT = 18;

/** A shape for each mark, 8 wide and 18 high: not everybody can tell colours apart. */
function shapeOf(mark: Mark, x: number): SVGTemplateResult {
  switch (mark) {
    case 'missed':
      return svg`<path class="critical line" d="M${x + 1} 1.500h6v15h-6z" stroke-dasharray="2 1.500" />`;
    case 'failed':
      return svg`<path class="critical fill" d="M${x} 1h8v16h-8z" /><path class="cut" d="m${x + 2} 6 4 6m0-6-4 6" />`;
    case 'caught_up':
      return svg`<path class="warning fill" d="M${x} 17V9l4-4 4 4v8z" />`;
    case 'cancelled':
      return svg`<path class="neutral line" d="M${x + 1} 12h6" />`;
    case 'under_way':
      return svg`<path class="info line" d="M${x + 1} 9h6v7h-6z" />`;
    case 'ran':
      return svg`<path class="good fill" d="M${x + 1} 8h6v9h-6z" />`;
    case 'planned':
      return svg`<circle class="neutral line" cx=${x + 4} cy="13.5" r="2" />`;
  }
}

/** One mark alone, for the legend. */
export function markShape(mark: Mark): TemplateResult {
  return html`<svg class="strip" viewBox="0 0 8 ${HEIGHT}" width="8" height=${HEIGHT} aria-hidden="true">
    ${shapeOf(mark, 0)}
  </svg>`;
}

export interface StripView {
  /** A letter for each hour. */
  hours: string;
  /** The start of the first hour, and now, in ms. */
  from: number;
  now: number;
  words: OperatorRunWords;
  /** An hour as people read it. */
  time: (ms: number) => string;
  /** What a screen reader says instead. */
  summary: string;
}

/** The marks of each hour, with a line at now. */
export function strip({ hours, from, now, words, time, summary }: StripView): TemplateResult {
  const width = hours.length * STEP;
  const at = ((now - from) / 3_600_000) * STEP;
  return html`<svg
    class="strip"
    role="img"
    aria-label=${summary}
    viewBox="0 0 ${width} ${HEIGHT}"
    width=${width}
    height=${HEIGHT}
  >
    <path class="base" d="M0 17.500H${width}" />
    ${Array.from(hours, (letter, hour) => {
      const mark = BY_LETTER[letter];
      if (mark === undefined) return '';
      return svg`<g><title>${time(from + hour * 3_600_000)} · ${words.marks[mark]}</title>${shapeOf(mark, hour * STEP)}</g>`;
    })}
    <path class="now" d="M${at} 0V${HEIGHT}" />
  </svg>`;
}
