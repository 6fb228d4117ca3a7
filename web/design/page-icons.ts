import { html, svg, type SVGTemplateResult, type TemplateResult } from 'lit';
import { ICONS } from './icons.js';

const icon = (path: SVGTemplateResult): TemplateResult =>
  html`<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">${path}</svg>`;

/** Icons of the console's frame; not among those of the inbox, whose file stays small. */
export const PAGE_ICONS = {
  menu: icon(svg`<path d="M4 7h16M4 12h16M4 17h16" />`),
  brand: icon(svg`<path d="m4.5 6 7.5 13L19.5 6" />`),
  today: icon(svg`<path d="M4 12 12 5l8 7M6.500 10.500V19h11v-8.500" />`),
  due_items: icon(svg`<path d="M5 6h14v13H5zM5 10h14M9 4v3M15 4v3" />`),
  backups: icon(
    svg`<ellipse cx="12" cy="6.5" rx="7" ry="2.5" /><path d="M5 6.500v11c0 1.400 3.100 2.500 7 2.500s7-1.100 7-2.500v-11M5 12c0 1.400 3.100 2.500 7 2.500s7-1.100 7-2.500" />`,
  ),
  alerts: icon(svg`<path d="M12 4.500 20.500 19h-17zM12 10v4M12 16.400v.1" />`),
  notifications: icon(svg`<path d="M4 6h16v12H4zM4.500 6.500 12 13l7.500-6.500" />`),
  people: icon(
    svg`<circle cx="9" cy="9" r="3.5" /><path d="M3 19c.5-3.500 3-5 6-5s5.500 1.500 6 5M15 5.800a3.500 3.500 0 0 1 0 6.400M17.500 14.500c2 .7 3.200 2.200 3.500 4.500" />`,
  ),
  settings: ICONS.settings,
  operator: icon(svg`<path d="M3 12h4l2.500-6 4 13 2.500-7h5" />`),
};
