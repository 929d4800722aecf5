/** Where a picture lies that is zoomed and shifted within a box. */

const MAX_ZOOM = 24;
/** Small pictures are not blown up more than that by themselves. */
const MAX_FIT = 12;

export interface Shift {
  readonly x: number;
  readonly y: number;
}

/** The scale at which a picture fills a box. */
export function fitScale(
  natural: { width: number; height: number },
  boxWidth: number,
  boxHeight: number,
): number {
  return Math.min(boxWidth / natural.width, boxHeight / natural.height, MAX_FIT);
}

export function clampZoom(zoom: number): number {
  return Math.min(MAX_ZOOM, Math.max(1, zoom));
}

/**
 * The shift after zooming so that what is under a point stays there.
 *
 * The point is given from the middle of the box. A whole picture is not shifted.
 */
export function zoomAt(shift: Shift, zoom: number, before: number, dx: number, dy: number): Shift {
  if (zoom === 1) return { x: 0, y: 0 };
  const share = zoom / before;
  return { x: dx - (dx - shift.x) * share, y: dy - (dy - shift.y) * share };
}
