import { html, svg, type SVGTemplateResult, type TemplateResult } from 'lit';

export type Tone = 'good' | 'info' | 'waiting' | 'warning' | 'critical' | 'neutral';

/** A shape for each tone, on 16 × 16: not everybody can tell colours apart. */
const SHAPES: Readonly<Record<Tone, SVGTemplateResult>> = {
  good: svg`<circle cx="8" cy="8" r="7" fill="currentColor" /><path class="inner" d="m4.8 8.3 2.2 2.2 4.2-4.6" />`,
  info: svg`<circle cx="8" cy="8" r="6" />`,
  waiting: svg`<circle cx="8" cy="8" r="6" stroke-dasharray="3 2.6" />`,
  warning: svg`<path fill="currentColor" d="M8 1.5 15.2 14H.8z" /><path class="inner" d="M8 6v3.6M8 11.8v.2" />`,
  critical: svg`<path fill="currentColor" d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" /><path class="inner" d="m5.6 5.6 4.8 4.8M10.4 5.6l-4.8 4.8" />`,
  neutral: svg`<path d="M3 8h10" />`,
};

/** A shape without its word, which is shown beside it. */
export function shape(tone: Tone): TemplateResult {
  return html`<svg class="shape ${tone}" viewBox="0 0 16 16" aria-hidden="true">${SHAPES[tone]}</svg>`;
}

/** A verdict: a shape and a word. */
export function badge(tone: Tone, word: string): TemplateResult {
  return html`<span class="badge ${tone}">${shape(tone)}<span>${word}</span></span>`;
}
