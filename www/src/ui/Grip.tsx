/** Borders between parts of the screen that can be moved; where they are is remembered. */

import { createSignal, type JSX } from 'solid-js';

type Kind = 'dock' | 'side';

/** Parts of the screen, in percent: height of the lower views, width of the state. */
const DEFAULTS: Readonly<Record<Kind, number>> = { dock: 42, side: 30 };
const RANGE: Readonly<Record<Kind, readonly [number, number]>> = { dock: [12, 80], side: [18, 60] };
const KEY = 'monomove.layout';

function stored(): Readonly<Record<Kind, number>> {
  try {
    const read = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Record<Kind, unknown>>;
    return { dock: clamp('dock', read.dock), side: clamp('side', read.side) };
  } catch {
    return DEFAULTS;
  }
}

function clamp(kind: Kind, value: unknown): number {
  const [low, high] = RANGE[kind];
  return typeof value === 'number' && Number.isFinite(value) ? Math.max(low, Math.min(high, value)) : DEFAULTS[kind];
}

const [layout, setLayout] = createSignal(stored());

function set(kind: Kind, value: number): void {
  const next = { ...layout(), [kind]: clamp(kind, value) };
  setLayout(next);
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // Without storage it holds for this visit.
  }
}

/** Custom properties for the grids. */
export function layoutStyle(): JSX.CSSProperties {
  return { '--dock': `${layout().dock}%`, '--side': `${layout().side}%` };
}

export function Grip(props: { readonly kind: Kind }): JSX.Element {
  const follow = (event: PointerEvent): void => {
    const handle = event.currentTarget;
    if (!(handle instanceof HTMLElement) || !handle.hasPointerCapture(event.pointerId)) return;
    const around = handle.parentElement?.getBoundingClientRect();
    if (around === undefined) return;
    const part =
      props.kind === 'dock'
        ? (around.bottom - event.clientY) / around.height
        : (around.right - event.clientX) / around.width;
    set(props.kind, part * 100);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that can be moved is no <hr>
    <div
      class={`grip grip-${props.kind}`}
      role="separator"
      tabindex="0"
      aria-label={props.kind === 'dock' ? 'Height of the lower views' : 'Width of the state'}
      aria-orientation={props.kind === 'dock' ? 'horizontal' : 'vertical'}
      aria-valuemin={RANGE[props.kind][0]}
      aria-valuemax={RANGE[props.kind][1]}
      aria-valuenow={Math.round(layout()[props.kind])}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={follow}
      onDblClick={() => set(props.kind, DEFAULTS[props.kind])}
      onKeyDown={(event) => {
        const by = { ArrowUp: 2, ArrowLeft: 2, ArrowDown: -2, ArrowRight: -2 }[event.key];
        if (by === undefined) return;
        event.preventDefault();
        set(props.kind, layout()[props.kind] + by);
      }}
    />
  );
}
