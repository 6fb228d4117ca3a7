export type Placement = 'bottom-end' | 'bottom-start' | 'top-end' | 'top-start';

const GAP = 6;
const MARGIN = 8;

/** The edges of an element, in px of the viewport. */
interface Edges {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

interface Size {
  width: number;
  height: number;
}

/**
 * Where a popover of this size goes beside its anchor, in px of the viewport: on the wanted side if it fits, else on the
 * other, and never outside.
 */
export function placeBeside(
  anchor: Edges,
  popover: Size,
  viewport: Size,
  placement: Placement,
): { top: number; left: number } {
  const [side, edge] = placement.split('-');
  const below = anchor.bottom + GAP;
  const above = anchor.top - GAP - popover.height;
  const fitsBelow = below + popover.height + MARGIN <= viewport.height;
  const top =
    side === 'top' ? (above >= MARGIN ? above : below) : fitsBelow || above < MARGIN ? below : above;
  const left = edge === 'start' ? anchor.left : anchor.right - popover.width;
  return {
    top: clamp(top, MARGIN, viewport.height - popover.height - MARGIN),
    left: clamp(left, MARGIN, viewport.width - popover.width - MARGIN),
  };
}

function clamp(value: number, min: number, max: number): number {
  return Math.round(Math.max(min, Math.min(value, max)));
}
