/** Where the cells of a grid are, by arithmetic alone: no cell has to exist for that. */

/** Browsers cap elements at 33,554,428 device pixels; half of that is safe everywhere. */
const MAX_DEVICE_PX = 15_000_000;

export interface GridLayout {
  readonly count: number;
  readonly columns: number;
  readonly rows: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly gap: number;
  readonly padding: number;
  /** Height of all rows. */
  readonly height: number;
}

/** Lays `count` cells out in as many columns of at least `size` pixels as fit. */
export function layOut(
  count: number,
  width: number,
  size: number,
  options: { gap: number; padding: number; caption: number; ratio: number },
): GridLayout {
  const { gap, padding, caption, ratio } = options;
  const room = Math.max(size, width - 2 * padding);
  const columns = Math.max(1, Math.floor((room + gap) / (size + gap)));
  const cellWidth = (room - (columns - 1) * gap) / columns;
  const cellHeight = Math.round(cellWidth * ratio) + caption;
  const rows = Math.ceil(count / columns);
  const height = rows ? rows * (cellHeight + gap) - gap + 2 * padding : 0;
  return { count, columns, rows, cellWidth, cellHeight, gap, padding, height };
}

/** Positions `[start, end)` of the cells that are seen, with `margin` rows above and below. */
export function findVisible(
  layout: GridLayout,
  offset: number,
  viewport: number,
  margin = 1,
): [number, number] {
  const pitch = layout.cellHeight + layout.gap;
  const first = Math.floor((offset - layout.padding) / pitch) - margin;
  const last = Math.ceil((offset + viewport - layout.padding) / pitch) + margin;
  const start = Math.max(0, first) * layout.columns;
  return [
    Math.min(start, layout.count),
    Math.min(Math.max(0, last) * layout.columns, layout.count),
  ];
}

export function placeOf(layout: GridLayout, position: number): { left: number; top: number } {
  const row = Math.floor(position / layout.columns);
  const column = position % layout.columns;
  return {
    left: layout.padding + column * (layout.cellWidth + layout.gap),
    top: layout.padding + row * (layout.cellHeight + layout.gap),
  };
}

/** The offset that brings a cell into sight with the least movement. */
export function scrollTo(
  layout: GridLayout,
  position: number,
  offset: number,
  viewport: number,
): number {
  const { top } = placeOf(layout, position);
  if (top - layout.padding < offset) return Math.max(0, top - layout.padding);
  const bottom = top + layout.cellHeight + layout.padding;
  if (bottom > offset + viewport) return bottom - viewport;
  return offset;
}

/**
 * Translates between the offset in a long list and the scroll position of a box that is shorter.
 *
 * Wheel, keys and touch move the offset one to one and write the scroll position; only who drags
 * the scroll bar uses the factor between the two.
 */
export class ScrollMap {
  readonly boxHeight: number;
  private readonly maxOffset: number;
  private readonly maxScroll: number;

  constructor(height: number, viewport: number, pixelRatio = 1) {
    const limit = MAX_DEVICE_PX / Math.max(1, pixelRatio);
    this.boxHeight = Math.max(viewport, Math.min(height, limit));
    this.maxOffset = Math.max(0, height - viewport);
    this.maxScroll = Math.max(0, this.boxHeight - viewport);
  }

  get isCompressed(): boolean {
    return this.maxOffset > this.maxScroll;
  }

  clamp(offset: number): number {
    return Math.min(this.maxOffset, Math.max(0, offset));
  }

  toScroll(offset: number): number {
    return this.maxOffset ? (this.clamp(offset) / this.maxOffset) * this.maxScroll : 0;
  }

  toOffset(scroll: number): number {
    return this.maxScroll ? this.clamp((scroll / this.maxScroll) * this.maxOffset) : 0;
  }
}
