/** What lowering makes of the function: stackless form and micro-ops side by side, or all instances of it side by side. */

import { createMemo, For, type JSX, Show } from 'solid-js';
import { functionName } from '../../lib/names';
import { CodeView } from '../CodeView';
import { useApp } from '../context';
import { coveringOffset, createPlace, levelLines } from '../location';

/** Names of levels as headings; others are shown as they are. */
const TITLES: Readonly<Record<string, string>> = {
  stackless: 'Mono IR (stackless)',
  'micro-ops': 'Micro-ops',
};

interface Column {
  readonly key: string;
  readonly title: string;
  readonly fn: number;
  readonly level: string;
}

export function LoweringTab(): JSX.Element {
  const app = useApp();
  const { dbg } = app;
  const place = createPlace(dbg);
  const fn = createMemo(() => place()?.fn);
  const offset = createMemo(() => place()?.frame.offset);
  const instances = createMemo(() => {
    const of = fn();
    if (of === undefined) return [];
    return dbg.functions().filter((f) => f.module === of.module && f.definition === of.definition && !f.native);
  });
  const lowering = createMemo(() => {
    const of = fn();
    return of === undefined ? undefined : dbg.lowering(of.index);
  });
  const levels = createMemo(
    () =>
      lowering()
        ?.levels.map((level) => level.name)
        .filter((name) => name !== 'bytecode') ?? [],
  );
  const comparing = (): boolean => app.view().lowering === 'instances' && instances().length > 1;
  const columns = createMemo((): readonly Column[] => {
    const of = fn();
    if (of === undefined) return [];
    if (comparing()) {
      const level = levels().includes('micro-ops') ? 'micro-ops' : (levels()[levels().length - 1] ?? '');
      return instances().map((f) => ({
        key: `i${f.index}`,
        title: functionName(f).replace(/^\w+::/, ''),
        fn: f.index,
        level,
      }));
    }
    return levels().map((level) => ({ key: level, title: TITLES[level] ?? level, fn: of.index, level }));
  });

  return (
    <div class="lowering">
      <Show when={columns().length > 0} fallback={<p class="empty">A function is lowered when it is first called.</p>}>
        <For each={columns().map((column) => column.key)}>
          {(key) => {
            const column = (): Column | undefined => columns().find((c) => c.key === key);
            const lines = createMemo(() => {
              const of = column();
              const at = fn();
              if (of === undefined || at === undefined) return [];
              return levelLines(dbg.lowering(of.fn), of.level, at);
            });
            const here = createMemo(() => coveringOffset(lines(), offset()));
            const running = (): boolean => column()?.fn === fn()?.index;
            return (
              <div class="column" classList={{ other: !running() }}>
                <h3 title={column()?.title}>{column()?.title}</h3>
                <CodeView
                  language="code"
                  label={column()?.title ?? ''}
                  lines={lines()}
                  current={lines().findIndex((line) => line.offset !== undefined && line.offset === here())}
                  isCurrent={(index) => here() !== undefined && lines()[index]?.offset === here()}
                  identity={column()?.fn}
                  breakpoints={dbg.breakpoints()}
                  onBreakpoint={(k) => dbg.toggleBreakpoint(k)}
                />
              </div>
            );
          }}
        </For>
      </Show>
      <Show when={instances().length > 1}>
        <label class="switch">
          <input
            type="checkbox"
            checked={app.view().lowering === 'instances'}
            onChange={(event) => app.setView({ lowering: event.currentTarget.checked ? 'instances' : 'both' })}
          />
          {instances().length} instances side by side
        </label>
      </Show>
    </div>
  );
}
