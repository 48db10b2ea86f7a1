/** A list of very many rows of equal height, of which only those on screen exist. */

import { createEffect, createMemo, createSignal, Index, type JSX, on, onCleanup, onMount } from 'solid-js';
import { type RowGeometry, reveal, scrollHeight, visibleRows } from '../lib/rows';

export interface VirtualListProps {
  readonly count: number;
  readonly rowHeight: number;
  /** Name for screen readers. */
  readonly label: string;
  /** Row to keep in view. */
  readonly current?: number | undefined;
  /** What is shown: another one begins at its `current` row. */
  readonly identity?: unknown;
  readonly row: (index: () => number) => JSX.Element;
  readonly onVisible?: (first: number, count: number) => void;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
  readonly class?: string;
}

export function VirtualList(props: VirtualListProps): JSX.Element {
  let box!: HTMLDivElement;
  const [viewport, setViewport] = createSignal(0);
  const [scrollTop, setScrollTop] = createSignal(0);
  const geometry = (): RowGeometry => ({ count: props.count, rowHeight: props.rowHeight, viewport: viewport() });
  const visible = createMemo(() => visibleRows(geometry(), scrollTop()));
  const indices = createMemo(() => {
    const { first, count } = visible();
    return Array.from({ length: count }, (_, i) => first + i);
  });

  let pending = 0;
  /** Scrolls the element to where the signal is, when the page is laid out anyway. */
  const scroll = (): void => {
    if (pending !== 0) return;
    pending = requestAnimationFrame(() => {
      pending = 0;
      box.scrollTop = scrollTop();
    });
  };
  onCleanup(() => cancelAnimationFrame(pending));

  const show = (): void => {
    const row = props.current;
    if (row === undefined || row < 0 || viewport() === 0) return;
    // The signal, not the element: asking or setting that would lay out the page in the middle of a step.
    const to = reveal(geometry(), scrollTop(), row);
    if (Math.abs(to - scrollTop()) < 1) return;
    setScrollTop(to);
    scroll();
  };

  const scrolled = (): void => {
    // What arrives of an own scroll is rounded.
    if (pending === 0 && Math.abs(box.scrollTop - scrollTop()) >= 1) setScrollTop(box.scrollTop);
  };

  onMount(() => {
    const observer = new ResizeObserver(() => {
      setViewport(box.clientHeight);
      show();
    });
    observer.observe(box);
    setViewport(box.clientHeight);
    onCleanup(() => observer.disconnect());
  });
  createEffect(on(() => [props.current, props.identity, props.count], show));
  createEffect(() => {
    const { first, count } = visible();
    props.onVisible?.(first, count);
  });

  return (
    <section
      ref={box}
      class={`vlist ${props.class ?? ''}`}
      tabindex="0"
      aria-label={props.label}
      onScroll={scrolled}
      onKeyDown={(event) => props.onKeyDown?.(event)}
    >
      <div class="vlist-space" style={{ height: `${scrollHeight(geometry())}px` }}>
        <div class="vlist-rows" style={{ transform: `translateY(${scrollTop() + visible().shift}px)` }}>
          <Index each={indices()}>{(index) => props.row(index)}</Index>
        </div>
      </div>
    </section>
  );
}
