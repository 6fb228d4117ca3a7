import { html, svg, type TemplateResult } from 'lit';
import type { Tone } from './badge.js';

export interface Bar {
  tone: Tone | 'none';
  /** What happened when, shown on hover. */
  label: string;
}

const STEP = 5;
const HEIGHT = 20;
/** Heights differ too: not everybody can tell colours apart. */
const HEIGHTS: Readonly<Record<Bar['tone'], number>> = {
  good: 12,
  info: 12,
  waiting: 6,
  warning: 16,
  critical: HEIGHT,
  neutral: 4,
  none: 2,
};

/**
 * Like `bars`, without the time of each result: one path per tone, fast enough for thousands of rows.
 * @param summary what a screen reader says instead
 */
export function plainBars(tones: readonly Bar['tone'][], summary: string): TemplateResult {
  const width = Math.max(1, tones.length * STEP - 1);
  const paths = new Map<Bar['tone'], string>();
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

/** One bar a result, oldest first. @param summary what a screen reader says instead */
export function bars(results: readonly Bar[], summary: string): TemplateResult {
  const width = Math.max(1, results.length * STEP - 1);
  return html`<svg
    class="bars"
    role="img"
    aria-label=${summary}
    viewBox="0 0 ${width} ${HEIGHT}"
    width=${width}
    height=${HEIGHT}
  >
    ${results.map(({ tone, label }, place) => {
      const height = HEIGHTS[tone];
      return svg`<rect class=${tone} x=${place * STEP} y=${HEIGHT - height} width="4" height=${height} rx="1"><title>${label}</title></rect>`;
    })}
  </svg>`;
}
