import { svg, type SVGTemplateResult } from 'lit';

const icon = (path: SVGTemplateResult): SVGTemplateResult =>
  svg`<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">${path}</svg>`;

/** Line icons on 24 × 24. Screen readers skip them: their button has a label. */
export const ICONS = {
  bell: icon(svg`<path d="M6 9a6 6 0 0 1 12 0c0 6 2 7 2 8H4c0-1 2-2 2-8M10 20a2 2 0 0 0 4 0" />`),
  check: icon(svg`<path d="m5 12.5 4.5 4.5L19 7.5" />`),
  undo: icon(svg`<path d="M4 9h10a5 5 0 0 1 0 10h-4M4 9l4-4M4 9l4 4" />`),
  clock: icon(svg`<circle cx="12" cy="12" r="8" /><path d="M12 7.5V12l3 2" />`),
  read: icon(svg`<circle cx="12" cy="12" r="5" />`),
  unread: icon(svg`<circle cx="12" cy="12" r="5" fill="currentColor" />`),
  archive: icon(svg`<path d="M4 5h16v4H4zM6 9v10h12V9M10 13h4" />`),
  why: icon(
    svg`<circle cx="12" cy="12" r="8" /><path d="M9.8 10a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M12 16.4v.1" />`,
  ),
  filter: icon(svg`<path d="M4 7h16M7 12h10M10 17h4" />`),
  settings: icon(
    svg`<path d="M4 8h9M17 8h3M4 16h3M11 16h9" /><circle cx="15" cy="8" r="2" /><circle cx="9" cy="16" r="2" />`,
  ),
  close: icon(svg`<path d="m6 6 12 12M18 6 6 18" />`),
  back: icon(svg`<path d="m14 6-6 6 6 6" />`),
};
