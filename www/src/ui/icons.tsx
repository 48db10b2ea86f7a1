/** Small drawings on the buttons. */

import type { JSX } from 'solid-js';

const PATHS = {
  into: 'M8 1v8M5 6l3 3 3-3M6.5 13a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0',
  over: 'M2 8a6 6 0 0 1 11-2M13 2v4h-4M6.5 12.5a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0',
  out: 'M8 9V1M5 4l3-3 3 3M6.5 13a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0',
  run: 'M4 2.5v11l9-5.5z',
  end: 'M3 2.5v11l8-5.5zM13 2.5v11',
  fail: 'M4 4l8 8M12 4l-8 8',
  step: 'M6 3l5 5-5 5',
  theme: 'M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon(props: { readonly name: IconName; readonly mirrored?: boolean }): JSX.Element {
  return (
    <svg
      class="icon"
      width="16"
      height="16"
      viewBox="0 0 16 16"
      aria-hidden="true"
      style={props.mirrored === true ? { transform: 'scaleX(-1)' } : undefined}
    >
      <path
        d={PATHS[props.name]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.6"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
