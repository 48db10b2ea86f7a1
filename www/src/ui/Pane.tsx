/** A titled part of the screen. */

import type { JSX, ParentProps } from 'solid-js';

export interface PaneProps {
  readonly title: string;
  readonly detail?: string;
  readonly class?: string;
  readonly actions?: JSX.Element;
}

export function Pane(props: ParentProps<PaneProps>): JSX.Element {
  return (
    <section class={`pane ${props.class ?? ''}`} aria-label={props.title}>
      <header class="pane-head">
        <h2>{props.title}</h2>
        <span class="detail" title={props.detail}>
          {props.detail}
        </span>
        {props.actions}
      </header>
      <div class="pane-body">{props.children}</div>
    </section>
  );
}
