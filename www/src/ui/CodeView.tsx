/** Lines of code with the current one, breakpoints in the margin, and colours. */

import { createMemo, For, type JSX, Show } from 'solid-js';
import { type Language, markRange, tokens } from '../lib/highlight';
import { VirtualList } from './VirtualList';

/** A line; what changes while stepping is not in it. */
export interface CodeLine {
  readonly text: string;
  /** What stands in the margin. */
  readonly number?: number | undefined;
  /** Code offset of the instruction that it shows. */
  readonly offset?: number | undefined;
  /** Key of the breakpoint that belongs to the line. */
  readonly breakpoint?: string | undefined;
  readonly heading?: boolean | undefined;
}

export interface CodeViewProps {
  readonly lines: readonly CodeLine[];
  readonly language: Language;
  readonly label: string;
  readonly identity?: unknown;
  /** First line of what is current: it is kept in view. */
  readonly current: number | undefined;
  /** Whether a line is current. */
  readonly isCurrent?: (index: number) => boolean;
  /** Whether a line runs soon. */
  readonly isSoon?: (index: number) => boolean;
  /** Columns of a line that are meant. */
  readonly mark?: (index: number) => readonly [number, number] | undefined;
  readonly breakpoints: readonly string[];
  readonly onBreakpoint: (key: string) => void;
}

export const CODE_ROW = 19;

type Columns = readonly [number, number] | undefined;

function same(a: Columns, b: Columns): boolean {
  return a === b || (a !== undefined && b !== undefined && a[0] === b[0] && a[1] === b[1]);
}

const EMPTY: CodeLine = { text: '' };

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
        // A step touches the rows that become or cease to be current, and no other.
        const line = createMemo(() => props.lines[index()] ?? EMPTY);
        const key = createMemo(() => line().breakpoint);
        const armed = createMemo(() => {
          const k = key();
          return k !== undefined && props.breakpoints.some((b) => b === k || b.startsWith(`${k} if `));
        });
        const current = createMemo(() => props.isCurrent?.(index()) === true);
        const soon = createMemo(() => props.isSoon?.(index()) === true);
        const mark = createMemo((): Columns => props.mark?.(index()), undefined, { equals: same });
        const list = createMemo(() => tokens(line().text, props.language));
        const pieces = createMemo(() => {
          const columns = mark();
          return columns === undefined
            ? list().map((t) => ({ ...t, marked: false }))
            : markRange(list(), columns[0], columns[1]);
        });
        return (
          <div
            class="line"
            classList={{ current: current(), soon: soon(), armed: armed(), heading: line().heading === true }}
            aria-current={current() ? 'step' : undefined}
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
