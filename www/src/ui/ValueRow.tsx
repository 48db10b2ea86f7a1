/** A value in a cell, and its parts below it when it is opened. */

import type { Value } from 'monomove';
import { createSignal, Index, type JSX, Show } from 'solid-js';
import { children, inline, shortType } from '../lib/values';

/** Which values are open: by their paths, so that they stay open while stepping. */
const [open, setOpen] = createSignal<ReadonlySet<string>>(new Set());

function toggle(path: string): void {
  const next = new Set(open());
  if (!next.delete(path)) next.add(path);
  setOpen(next);
}

export interface ValueRowProps {
  readonly name: string;
  readonly type?: string | undefined;
  readonly value: Value | undefined;
  readonly path: string;
  readonly changed?: boolean;
  readonly level?: number;
  /** Where a reference leads. */
  readonly where?: ((address: number) => string) | undefined;
  readonly actions?: JSX.Element;
  readonly title?: string;
}

export function ValueRow(props: ValueRowProps): JSX.Element {
  const parts = () => (props.value === undefined ? [] : children(props.value));
  const opened = (): boolean => open().has(props.path) && parts().length > 0;
  const reference = () => (props.value?.kind === 'reference' ? props.value : undefined);
  return (
    <>
      <div
        class="cell"
        classList={{ changed: props.changed === true, unset: props.value === undefined }}
        style={{ 'padding-left': `${6 + 14 * (props.level ?? 0)}px` }}
        title={props.title}
      >
        <Show when={parts().length > 0} fallback={<span class="twist" />}>
          <button
            type="button"
            class="twist"
            aria-expanded={opened()}
            aria-label={`Parts of ${props.name}`}
            onClick={() => toggle(props.path)}
          >
            {opened() ? '▾' : '▸'}
          </button>
        </Show>
        <span class="name">{props.name}</span>
        <span class="value">
          {props.value === undefined ? '–' : inline(props.value, 96)}
          <Show when={reference()}>{(ref) => <span class="where"> {props.where?.(ref().address) ?? ''}</span>}</Show>
        </span>
        <span class="type" title={props.type}>
          {props.type === undefined ? '' : shortType(props.type)}
        </span>
        {props.actions}
      </div>
      <Show when={opened()}>
        <Index each={parts()}>
          {(part) => (
            <ValueRow
              name={part().name}
              value={part().value}
              path={`${props.path}.${part().name}`}
              level={(props.level ?? 0) + 1}
              where={props.where}
            />
          )}
        </Index>
      </Show>
    </>
  );
}
