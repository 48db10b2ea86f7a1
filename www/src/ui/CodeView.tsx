/** Lines of code with the current one, breakpoints in the margin, and colours. */

import { For, type JSX, Show } from 'solid-js';
import { type Language, markRange, tokens } from '../lib/highlight';
import { VirtualList } from './VirtualList';

export interface CodeLine {
  readonly text: string;
  /** What stands in the margin. */
  readonly number?: number | undefined;
  /** Key of the breakpoint that belongs to the line. */
  readonly breakpoint?: string | undefined;
  /** Columns that are meant, of the current line. */
  readonly mark?: readonly [number, number] | undefined;
  /** It belongs to the instruction at hand. */
  readonly current?: boolean | undefined;
  readonly heading?: boolean | undefined;
}

export interface CodeViewProps {
  readonly lines: readonly CodeLine[];
  readonly language: Language;
  readonly label: string;
  readonly identity?: unknown;
  /** Line to keep in view. */
  readonly current: number | undefined;
  readonly breakpoints: readonly string[];
  readonly onBreakpoint: (key: string) => void;
}

export const CODE_ROW = 19;

export function CodeView(props: CodeViewProps): JSX.Element {
  return (
    <VirtualList
      class="code"
      count={props.lines.length}
      rowHeight={CODE_ROW}
      label={props.label}
      current={props.current}
      identity={props.identity}
      row={(index) => {
        const line = (): CodeLine => props.lines[index()] ?? { text: '' };
        const key = (): string | undefined => line().breakpoint;
        const armed = (): boolean => {
          const k = key();
          return k !== undefined && props.breakpoints.includes(k);
        };
        const pieces = () => {
          const { text, mark } = line();
          const list = tokens(text, props.language);
          return mark === undefined ? list.map((t) => ({ ...t, marked: false })) : markRange(list, mark[0], mark[1]);
        };
        return (
          <div
            class="line"
            classList={{ current: line().current === true, armed: armed(), heading: line().heading === true }}
            aria-current={line().current === true ? 'step' : undefined}
          >
            <Show when={key()} fallback={<span class="margin">{line().number ?? ''}</span>}>
              {(k) => (
                <button
                  type="button"
                  class="margin"
                  tabindex="-1"
                  aria-pressed={armed()}
                  aria-label={`${line().number ?? ''} breakpoint at ${k()}`}
                  onClick={() => props.onBreakpoint(k())}
                >
                  {line().number ?? ''}
                </button>
              )}
            </Show>
            <span class="content">
              <For each={pieces()}>
                {(piece) => <span class={`t-${piece.kind}${piece.marked ? ' marked' : ''}`}>{piece.text}</span>}
              </For>
            </span>
          </div>
        );
      }}
    />
  );
}
