/** Which of very many rows of equal height are on screen: the arithmetic of a virtual list. */

/** Browsers lose precision, or clip, beyond some ten million pixels; longer lists scroll faster than they are. */
export const MAX_SCROLL_PIXELS = 8_000_000;

export interface RowGeometry {
  readonly count: number;
  readonly rowHeight: number;
  /** Height of the viewport. */
  readonly viewport: number;
}

/** Height of the element that scrolls. */
export function scrollHeight({ count, rowHeight }: RowGeometry): number {
  return Math.min(count * rowHeight, MAX_SCROLL_PIXELS);
}

/** First row (with its fraction) at a scroll position. */
export function rowAt(geometry: RowGeometry, scrollTop: number): number {
  const { count, rowHeight, viewport } = geometry;
  const range = scrollHeight(geometry) - viewport;
  const rows = count - viewport / rowHeight;
  if (range <= 0 || rows <= 0) return 0;
  return Math.max(0, Math.min(rows, (scrollTop / range) * rows));
}

/** Scroll position at which `row` is the first one. */
export function scrollTopOf(geometry: RowGeometry, row: number): number {
  const { count, rowHeight, viewport } = geometry;
  const range = scrollHeight(geometry) - viewport;
  const rows = count - viewport / rowHeight;
  if (range <= 0 || rows <= 0) return 0;
  return Math.max(0, Math.min(range, (row / rows) * range));
}

export interface VisibleRows {
  readonly first: number;
  readonly count: number;
  /** Pixels from the top of the viewport to the first row; at most 0. */
  readonly shift: number;
}

export function visibleRows(geometry: RowGeometry, scrollTop: number): VisibleRows {
  const { count, rowHeight, viewport } = geometry;
  const top = rowAt(geometry, scrollTop);
  const first = Math.floor(top);
  return {
    first,
    count: Math.max(0, Math.min(count - first, Math.ceil(viewport / rowHeight) + 1)),
    shift: -(top - first) * rowHeight,
  };
}

/** Scroll position that shows `row`, a little away from the edges; the present one if it is in view. */
export function reveal(geometry: RowGeometry, scrollTop: number, row: number, margin = 2): number {
  const top = rowAt(geometry, scrollTop);
  const rows = geometry.viewport / geometry.rowHeight;
  const room = Math.max(0, Math.min(margin, (rows - 1) / 2));
  if (row < top + room) return scrollTopOf(geometry, row - rows / 3);
  if (row + 1 > top + rows - room) return scrollTopOf(geometry, row - (rows * 2) / 3);
  return scrollTop;
}
