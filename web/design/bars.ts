import { html, svg, type TemplateResult } from 'lit';
import type { Tone } from './badge.js';

export type BarTone = Tone | 'none';

const STEP = 5;
const HEIGHT = 20;
/** Heights differ too: not everybody can tell colours apart. */
const HEIGHTS: Readonly<Record<BarTone, number>> = {
  good: 12,
  info: 12,
  waiting: 6,
  warning: 16,
  critical: HEIGHT,
  neutral: 4,
  none: 2,
};

/**
 * One bar a result, oldest first, as one path per tone: fast enough for thousands of rows.
 * @param summary what a screen reader says instead
 */
export function plainBars(tones: readonly BarTone[], summary: string): TemplateResult {
  const width = Math.max(1, tones.length * STEP - 1);
  const paths = new Map<BarTone, string>();
  for (const [place, tone] of tones.entries()) {
    const height = HEIGHTS[tone];
    const bar = `M${place * STEP} ${HEIGHT - height}h4v${height}h-4z`;
    paths.set(tone, (paths.get(tone) ?? '') + bar);
  }
  return html`<svg
    class="bars"
    role="img"
    aria-label=${summary}
    viewBox="0 0 ${width} ${HEIGHT}"
    width=${width}
    height=${HEIGHT}
  >
    ${[...paths].map(([tone, path]) => svg`<path class=${tone} d=${path} />`)}
  </svg>`;
}
